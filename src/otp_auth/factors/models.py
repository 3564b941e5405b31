"""What people prove themselves by, beside the password."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base


class RecoveryCode(Base):
    """A way back in when the phone is gone: shown once, usable once, known only by its digest."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class TotpAuthenticator(Base):
    """An authenticator app (RFC 6238). It counts once a code of it has been proved."""

    __tablename__ = "totp_authenticators"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed_seed: Mapped[str] = mapped_column(String(200))  # by `Sealer`, for this user
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]  # None: enrolled, and neither protects nor unlocks anything
    last_used_at: Mapped[datetime | None]
    # The newest time step that was used: it and older ones are refused. Not the code: it has many spellings.
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class FactorKind(StrEnum):
    """What is proved by a code; all channels to the phone are one factor."""

    PHONE = "sms"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


class FactorFailures(Base):
    """Wrong codes in a row for one factor of an account. Past the cap the factor is off."""

    __tablename__ = "factor_failures"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    factor: Mapped[FactorKind] = mapped_column(primary_key=True)
    in_a_row: Mapped[int]
    disabled_at: Mapped[datetime | None]
