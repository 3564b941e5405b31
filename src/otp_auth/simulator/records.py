"""What the simulator remembers. Each record replaces the one before it; nothing is changed in place."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel

from otp_auth.simulator.methods import Method
from otp_auth.sinch.schemas import VerificationStatus


class Reason(StrEnum):
    """Why a verification did not succeed, as far as the simulator ends one by itself.

    Sinch has more reasons, and says that it may add some: PUT /endings takes any.
    """

    EXPIRED = "Expired"
    INVALID_CODE = "Invalid code"
    INVALID_CLI = "Invalid CLI"
    DENIED_BY_CALLBACK = "Denied by callback"
    INVALID_CALLBACK = "Invalid callback"
    SMS_DELIVERY_FAILURE = "SMS delivery failure"
    UNREACHABLE = "Network error or number unreachable"


class CallResult(StrEnum):
    """How a call went."""

    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    CANCEL = "CANCEL"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    NO_ANSWER = "NO_ANSWER"


class Verification(BaseModel, frozen=True):
    """One verification, as far as it has come when it was last written."""

    id: str
    method: Method
    number: str
    code: str  # of a flash call: the caller's number
    code_type: str
    language: str
    reference: str | None
    custom: str | None
    created_at: datetime
    expires_at: datetime
    interception: int | None = None  # seconds that a flash call stays open, where somebody said so
    status: VerificationStatus = VerificationStatus.PENDING
    reason: str | None = None
    wrong_tries: int = 0
    source: str | None = None  # how the client came by the right code
    ended_at: datetime | None = None
    call_result: CallResult | None = None  # where it isn't the usual one

    @property
    def is_open(self) -> bool:
        return self.status is VerificationStatus.PENDING

    def ended(self, ending: "Ending", now: datetime) -> "Verification":
        changes = {"status": ending.status, "reason": ending.reason, "call_result": ending.call_result}
        return self.model_copy(update=changes | {"ended_at": now})


@dataclass(frozen=True)
class Ending:
    """How a verification ends."""

    status: VerificationStatus
    reason: str | None = None
    call_result: CallResult | None = None


MessageStatus = Literal["sent", "delivered", "failed"]


class Message(BaseModel, frozen=True):
    """What reached a phone: a text, or what a call says. `failed`: what was sent and did not reach it."""

    id: str
    verification_id: str
    method: Method
    to: str
    code: str
    text: str
    status: MessageStatus
    created_at: datetime


class SentEvent(BaseModel, frozen=True):
    """One event that was sent to the callback URL, and what came back."""

    id: str
    event: str
    verification_id: str
    to: str
    url: str
    body: dict[str, Any]
    sent_at: datetime
    status: int | None  # HTTP status of the answer; None: no answer came
    answer: Any  # its body: JSON, or text where it is none
    problem: str | None  # why no answer came


class Counts(BaseModel, frozen=True):
    """How many authenticated starts and reports have arrived."""

    starts: int = 0
    reports: int = 0
