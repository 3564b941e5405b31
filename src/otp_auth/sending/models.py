"""The cool-down of a phone number."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base


class Cooldown(Base):
    """When the next message may go to a number, whoever asks for it."""

    __tablename__ = "cooldowns"

    phone_number: Mapped[str] = mapped_column(String(16), primary_key=True)
    sends: Mapped[int]  # since the last proof or the last quiet hour: the gap grows with it
    reference: Mapped[UUID]  # the send that charged it last
    last_send_at: Mapped[datetime]
    next_send_at: Mapped[datetime]
