"""What the challenge of a password reset shows: the same for any name, whether or not it is somebody's.

A stranger names an account, and must not learn whether there is one. So all that is seen stands here, made
from the name, the settings and what is usual; what is true stands in the columns of the challenge.
"""

from dataclasses import asdict, dataclass
from typing import Any

from otp_auth.challenges.models import Challenge, CodeType, Delivery, Purpose
from otp_auth.sending.channels import Channel
from otp_auth.settings import SendSettings
from otp_auth.tokens.opaque import digest

_KEY_LENGTH = 16  # of a cool-down's key; numbers begin with a plus, so the two never meet


@dataclass(frozen=True)
class Guise:
    """It stands in the payload while the challenge is open."""

    name_digest: str  # of the login name in its one form
    method: Channel  # that was asked for last
    code_type: CodeType
    code_length: int | None

    @property
    def cooldown_key(self) -> str:
        """What the cool-down of the name is kept under, as if it were a number."""
        return cooldown_key(self.name_digest)

    def as_payload(self) -> dict[str, Any]:
        return asdict(self)


def digest_of_name(text: str) -> str:
    """Digest a login name in its one form: no row holds what somebody typed."""
    return digest(text)


def cooldown_key(name_digest: str) -> str:
    return name_digest[:_KEY_LENGTH]


def guise_of(challenge: Challenge) -> Guise | None:
    """None for other purposes, and once it is closed."""
    if challenge.purpose is not Purpose.PASSWORD_RESET or challenge.payload is None:
        return None
    shown = challenge.payload
    return Guise(
        shown["name_digest"], Channel(shown["method"]), CodeType(shown["code_type"]), shown["code_length"]
    )


def in_guise(challenge: Challenge, guise: Guise) -> Challenge:
    """The challenge as it is seen: no number, no news of its message."""
    return Challenge(
        id=challenge.id,
        purpose=challenge.purpose,
        phone_number="",
        method=guise.method,
        delivery=Delivery.UNKNOWN,
        code_type=guise.code_type,
        code_length=guise.code_length,
        attempts_left=challenge.attempts_left,
        sends_left=challenge.sends_left,
        created_at=challenge.created_at,
        expires_at=challenge.expires_at,
        pending_until=challenge.pending_until,
    )


def every_channel(policy: SendSettings) -> list[Channel]:
    """All that the settings name, for whatever country, best first."""
    names = [name for methods in (policy.methods, *policy.methods_by_country.values()) for name in methods]
    return [Channel(name) for name in dict.fromkeys(names)]
