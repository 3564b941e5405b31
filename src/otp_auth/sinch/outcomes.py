"""How a call to Sinch can end."""

from dataclasses import dataclass
from enum import Enum

from otp_auth.sinch.schemas import VerificationState

# Sinch Verification API, "Errors". 40303 is not among them: it speaks of our own deny, of a callback URL that
# is missing, or of the authentication level.
_ABOUT_DESTINATION = frozenset({"40001", "40005", "40300", "42201"})  # invalid, no +, blacklisted, no route


@dataclass(frozen=True)
class Started:
    """Sinch has taken the message."""

    verification_id: str


@dataclass(frozen=True)
class Refused:
    """Sinch has said no: nothing was sent, and asking the same again at once is no use."""

    error_code: str  # five digits, or the HTTP status when Sinch names none

    @property
    def is_about_destination(self) -> bool:
        """This number can't be reached in this way: another channel may reach it."""
        return self.error_code in _ABOUT_DESTINATION


@dataclass(frozen=True)
class Unavailable:
    """No usable answer. `reached`: the request may have been carried out all the same.

    `failed`: Sinch itself said that it could not, so nothing is under way any more.
    """

    reached: bool
    failed: bool = False


@dataclass(frozen=True)
class NotFound:
    """Sinch knows no such verification."""


class Verdict(Enum):
    """What Sinch says of a code."""

    RIGHT = "right"
    WRONG = "wrong"  # also where the verification is over or unknown
    DOUBTFUL = "doubtful"  # Sinch answered, but with no success for this verification, and no failure either
    REFUSED = "refused"  # our credentials, credit or request, not the code
    UNAVAILABLE = "unavailable"


StartOutcome = Started | Refused | Unavailable
StatusOutcome = VerificationState | NotFound | Refused | Unavailable
