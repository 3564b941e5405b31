"""Who someone is."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base
from otp_auth.identifiers import new_id


class PreferredMethod(StrEnum):
    """How a person likes to prove a login."""

    SMS = "sms"
    VOICE = "voice"
    WHATSAPP = "whatsapp"
    TOTP = "totp"


class User(Base):
    """An account. It exists only once its phone has answered."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    phone_number: Mapped[str] = mapped_column(String(16), unique=True)  # E.164
    phone_verified_at: Mapped[datetime]
    email: Mapped[str | None] = mapped_column(String(254), unique=True)  # lower case; a login name, unproven
    password_hash: Mapped[str] = mapped_column(String(255))
    display_name: Mapped[str | None] = mapped_column(String(100))
    locale: Mapped[str | None] = mapped_column(String(35))  # BCP 47
    preferred_method: Mapped[PreferredMethod] = mapped_column(default=PreferredMethod.SMS)
    created_at: Mapped[datetime]
    password_version: Mapped[int] = mapped_column(
        default=1, server_default="1"
    )  # one more with each change, lock and reset of the factors
    locked_at: Mapped[datetime | None]  # by an operator; None: not locked

    def holds(self, password_version: int) -> bool:
        """Whether what was proved at that version still counts."""
        return self.locked_at is None and self.password_version == password_version


class PasswordReset(Base):
    """A phone was proved to set a new password. One factor alone has to wait (`held_until`)."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256, hex
    password_version: Mapped[int]  # of the account: any later password voids it
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)  # of the token
    ended_at: Mapped[datetime | None]  # used, cancelled or void
    held_until: Mapped[datetime | None] = mapped_column(index=True)  # when `password_hash` takes effect
    password_hash: Mapped[str | None] = mapped_column(String(255))  # of a held one; gone when it has ended


class KnownNetwork(Base):
    """A network from which an account has logged in: strangers' wrong passwords don't count there."""

    __tablename__ = "known_networks"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    network: Mapped[str] = mapped_column(String(50), primary_key=True)  # IPv4 /24, IPv6 /64
    last_used_at: Mapped[datetime] = mapped_column(index=True)
