"""One code: sent, tried, expired, spent."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base
from otp_auth.identifiers import new_id
from otp_auth.sending.channels import Channel
from otp_auth.sending.models import Lane


class Purpose(StrEnum):
    """What a proved code makes true."""

    REGISTER = "register"
    LOGIN = "login"
    STEP_UP = "step_up"
    PHONE_CHANGE = "phone_change"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name


# Proved on the account's own phone, by whoever knows its password or has a session.
OF_THE_OWNER = frozenset({Purpose.LOGIN, Purpose.STEP_UP})


class Delivery(StrEnum):
    """How far the last message has come (contract, section 2)."""

    NOT_SENT = "not_sent"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


# Nobody wrote down what came of the last send.
UNDECIDED = frozenset({Delivery.SENDING, Delivery.UNKNOWN})
# It may have arrived or not.
UNHEARD = UNDECIDED | {Delivery.SENT}


class CodeType(StrEnum):
    NUMERIC = "numeric"
    ALPHANUMERIC = "alphanumeric"
    CALLER_ID = "caller_id"


class CodeMaker(StrEnum):
    """Whoever made a code judges it."""

    WE = "we"
    SINCH = "sinch"


DECOY = "decoy "  # begins the id of a verification that Sinch has never heard of


class Challenge(Base):
    """A claim that waits for its proof, carrying its own limits."""

    __tablename__ = "challenges"
    __table_args__ = (
        CheckConstraint("attempts_left >= 0", name="attempts_left"),
        CheckConstraint("sends_left >= 0", name="sends_left"),
        Index("ix_challenges_open", "user_id", "purpose", "closed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[Purpose]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # The session that it is for, and dies with.
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    # Of the account when it began: a later password closes it.
    password_version: Mapped[int] = mapped_column(default=1, server_default="1")
    phone_number: Mapped[str] = mapped_column(String(16), index=True)  # where the code goes
    accept_language: Mapped[str | None] = mapped_column(String(200))  # an Accept-Language value, for Sinch
    payload: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # what the completion needs; gone when closed

    # The last send that was asked for.
    method: Mapped[Channel | None]  # None: none was asked for yet
    delivery: Mapped[Delivery] = mapped_column(default=Delivery.NOT_SENT)
    reference: Mapped[UUID | None]  # ours, unique for each send
    sent_at: Mapped[datetime | None]  # when it was asked for
    reserved_cost: Mapped[int] = mapped_column(BigInteger, default=0)  # millionths, charged for it
    # Sinch's id for it, once its request event was answered with a code of ours.
    announced_id: Mapped[str | None] = mapped_column(String(128))
    tried_methods: Mapped[list[str]] = mapped_column(JSON, default=list)
    refused_methods: Mapped[list[str]] = mapped_column(JSON, default=list)  # Sinch won't reach this number so
    check_at: Mapped[datetime | None] = mapped_column(index=True)  # when to ask Sinch how it stands
    checks: Mapped[int] = mapped_column(default=0)
    # The code that is alive: a send that failed leaves the one before it in force.
    verification_id: Mapped[str | None] = mapped_column(String(128))  # Sinch's
    verification_method: Mapped[Channel | None]
    code_maker: Mapped[CodeMaker | None]
    code_type: Mapped[CodeType] = mapped_column(default=CodeType.NUMERIC)
    code_length: Mapped[int | None]  # None: Sinch decides

    attempts_left: Mapped[int]
    sends_left: Mapped[int]
    created_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    pending_until: Mapped[datetime]  # the end of the pending token, and of every extension
    closed_at: Mapped[datetime | None]

    @property
    def is_decoy(self) -> bool:
        """Whether its message was never sent, and only looks so; no reset whose message is under way."""
        return self.delivery not in UNDECIDED and self.verification_id == f"{DECOY}{self.reference}"

    @property
    def owner_id(self) -> UUID | None:
        """Whose own phone it is about; None where a number was only named, and may be anybody's."""
        return self.user_id if self.purpose in OF_THE_OWNER else None

    @property
    def asker_id(self) -> UUID | None:
        """The account that asks; none where a stranger names one: its budgets are no stranger's to spend."""
        return None if self.purpose is Purpose.PASSWORD_RESET else self.user_id

    @property
    def lane(self) -> Lane:
        """For whom its messages go out."""
        if self.purpose is Purpose.PASSWORD_RESET:
            return Lane.RESET
        return Lane.ACCOUNT if self.owner_id else Lane.STRANGER

    @property
    def may_have_a_code(self) -> bool:
        """Whether a message went out, or nobody knows. Without one no guess is taken or charged."""
        return self.verification_id is not None or self.delivery in UNDECIDED

    def is_unheard_of(self, patience: timedelta, now: datetime) -> bool:
        """Whether its last message is out for so long, and nobody knows that it arrived."""
        return self.delivery in UNHEARD and self.sent_at is not None and self.sent_at + patience <= now


class ProviderEvent(Base):
    """An event of Sinch's that was acted on. It comes again, and then changes nothing."""

    __tablename__ = "provider_events"

    verification_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    event: Mapped[str] = mapped_column(String(40), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
