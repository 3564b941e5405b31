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


class KnownNetwork(Base):
    """A network from which an account has logged in: strangers' wrong passwords don't count there."""

    __tablename__ = "known_networks"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    network: Mapped[str] = mapped_column(String(50), primary_key=True)  # IPv4 /24, IPv6 /64
    last_used_at: Mapped[datetime] = mapped_column(index=True)
