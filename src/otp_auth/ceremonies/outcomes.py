"""What a proved ceremony brings. A new kind is a class here, a member of `Outcome`, and a body in the API."""

from dataclasses import dataclass
from datetime import datetime

from otp_auth.accounts.models import User
from otp_auth.sessions.models import Session
from otp_auth.sessions.opening import OpenedSession


@dataclass(frozen=True)
class Authenticated:
    """A person is in: full tokens may be issued."""

    user: User
    opened: OpenedSession
    recovery_codes: list[str] | None = None
    device_token: str | None = None  # of a device that is trusted from now on, or was known again


@dataclass(frozen=True)
class Elevated:
    """Somebody with a session has just proved a second factor again: one access token may say so.

    The row of the session stays as it is: `auth_time`, `amr` and `acr` are fixed for all tokens that derive
    from one login (RFC 9068 2.2.1). A refresh gives the login's again: a stolen refresh token gains nothing.
    """

    session: Session
    amr: list[str]
    acr: str
    auth_time: datetime


@dataclass(frozen=True)
class PhoneChanged:
    """The account has the number that was proved, and the old one lets nobody in any more."""

    user: User


@dataclass(frozen=True)
class ResetAllowed:
    """The phone of an account was proved: whoever did may set a new password, by this token."""

    reset_token: str
    expires_at: datetime
    proof_required: bool  # of a second factor


Outcome = Authenticated | Elevated | PhoneChanged | ResetAllowed
