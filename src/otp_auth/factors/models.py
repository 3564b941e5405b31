"""Factors beside the phone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base


class RecoveryCode(Base):
    """A way back in when the phone is gone: shown once, usable once, known only by its digest."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
