"""What limits messages: cool-downs, conversions, prices."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base


class Lane(StrEnum):
    """For whom a message goes out. Limits are kept apart, so that strangers can't use up an account's."""

    STRANGER = "stranger"  # to a number that was only named: registrations, phone changes
    # To the phone of a name that was only named, if it has one. Counted with strangers it would show in a
    # registration of the number whether a message went out.
    RESET = "reset"
    ACCOUNT = "account"  # somebody has proved the password


class Cooldown(Base):
    """When the next message may go to a number in one lane, whoever asks for it."""

    __tablename__ = "cooldowns"

    phone_number: Mapped[str] = mapped_column(String(16), primary_key=True)
    lane: Mapped[Lane] = mapped_column(primary_key=True)
    sends: Mapped[int]  # since the last proof or the last quiet hour: the gap grows with it
    reference: Mapped[UUID]  # the send that charged it last
    last_send_at: Mapped[datetime]
    next_send_at: Mapped[datetime]


class Conversion(Base):
    """Messages to a block or country within five minutes, and how many of them were proved."""

    __tablename__ = "conversions"

    area: Mapped[str] = mapped_column(String(20), primary_key=True)  # `SE`, or `+46701234` for a block
    begins_at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    sends: Mapped[int]
    proofs: Mapped[int]


class Price(Base):
    """What Sinch took for the last message to a country by one method."""

    __tablename__ = "prices"

    country: Mapped[str] = mapped_column(String(3), primary_key=True)  # ISO 3166 alpha-2, or 001 for none
    method: Mapped[str] = mapped_column(String(16), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    micros: Mapped[int] = mapped_column(BigInteger)  # millionths
    seen_at: Mapped[datetime]
