"""How a call to Sinch can end."""

from dataclasses import dataclass
from enum import Enum

from otp_auth.sinch.schemas import VerificationState


@dataclass(frozen=True)
class Started:
    """Sinch has taken the message."""

    verification_id: str


@dataclass(frozen=True)
class Refused:
    """Sinch has said no: nothing was sent, and asking again is no use."""

    error_code: str  # five digits, or the HTTP status when Sinch names none


@dataclass(frozen=True)
class Unavailable:
    """No usable answer. `reached`: the request may have been carried out all the same."""

    reached: bool


@dataclass(frozen=True)
class NotFound:
    """Sinch knows no such verification."""


class Verdict(Enum):
    """What Sinch says of a code."""

    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"  # our credentials or our request, not the code
    UNAVAILABLE = "unavailable"


StartOutcome = Started | Refused | Unavailable
StatusOutcome = VerificationState | NotFound | Refused | Unavailable
