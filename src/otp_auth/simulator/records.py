"""What the simulator remembers. Each record replaces the one before it; nothing is changed in place."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

EXPIRED = "Expired"
INVALID_CODE = "Invalid code"


class Verification(BaseModel, frozen=True):
    """One verification, as far as it has come when it was last written."""

    id: str
    method: VerificationMethod
    number: str
    code: str
    code_type: str
    language: str
    reference: str | None
    custom: str | None
    created_at: datetime
    expires_at: datetime
    status: VerificationStatus = VerificationStatus.PENDING
    reason: str | None = None
    wrong_tries: int = 0

    @property
    def is_open(self) -> bool:
        return self.status is VerificationStatus.PENDING

    def as_of(self, now: datetime) -> "Verification":
        """Return how it stands now: an open one fails by itself when its time is over."""
        if self.is_open and now >= self.expires_at:
            return self.ended(VerificationStatus.FAIL, EXPIRED)
        return self

    def ended(self, status: VerificationStatus, reason: str | None = None) -> "Verification":
        return self.model_copy(update={"status": status, "reason": reason})


class Message(BaseModel, frozen=True):
    """What reached a phone: a text, or what a call says."""

    id: str
    verification_id: str
    method: VerificationMethod
    to: str
    code: str
    text: str
    status: Literal["delivered"] = "delivered"
    created_at: datetime


class Counts(BaseModel, frozen=True):
    """How many authenticated starts and reports have arrived."""

    starts: int = 0
    reports: int = 0
