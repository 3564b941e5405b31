"""The beginning of every ceremony: a claim is written down and, if wanted, a code goes out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from otp_auth.accounts.models import User
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending, check_named, send_code
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import DestinationRefusedError, ProviderUnavailableError, SendLaterError
from otp_auth.settings import ChallengeSettings

# In the payload of a claim: whether its password may stand alone, for only then a device can be trusted.
PASSWORD_IS_LONG = "password_is_long"  # noqa: S105 - a name

# The credentials were right all the same; of a challenge that a newer login has closed the otp routes tell.
NO_MESSAGE = (ProviderUnavailableError, DestinationRefusedError, ChallengeClosedError)


@dataclass(frozen=True)
class Claim:
    """What somebody says, to be proved by a code."""

    purpose: Purpose
    phone_number: str  # where the code goes
    user_id: UUID | None = None
    session_id: UUID | None = None  # that it is for
    password_version: int = 1  # of the account, as it was proved
    accept_language: str | None = None
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class Begun:
    """A challenge as it stands after its start."""

    challenge: Challenge
    opens_at: datetime | None = None  # when a message may go out, where one was not allowed yet


async def start_ceremony(
    sending: Sending, policy: ChallengeSettings, claim: Claim, method: Channel | None
) -> Begun:
    """Open a challenge and send its code by `method` (None: nothing is sent).

    The claim was good enough to get here, so a message that can't go out is no refusal: `delivery` tells.
    Raises MethodNotOfferedError.
    """
    if method is not None:
        check_named(method, sending.policy)
    challenge = await sending.challenges.add(_new_challenge(policy, claim, method))
    if method is None:
        return Begun(challenge)
    try:
        return Begun(await send_code(sending, challenge, method))
    except SendLaterError as refusal:
        return Begun(challenge, refusal.opens_at)
    except NO_MESSAGE:
        return Begun(await sending.challenges.find_open(challenge.id) or challenge)


async def start_on_own_phone(
    sending: Sending, policy: ChallengeSettings, claim: Claim, method: Channel | None
) -> Begun:
    """As `start_ceremony`; nothing goes to an account's phone that too many wrong codes have shut off."""
    if await sending.sends.is_phone_off(claim.user_id):
        method = None
    return await start_ceremony(sending, policy, claim, method)


def claim_of(
    user: User,
    purpose: Purpose,
    accept_language: str | None,
    session_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> Claim:
    """What an account claims, to be proved on its own phone and in its own language."""
    return Claim(
        purpose=purpose,
        phone_number=user.phone_number,
        user_id=user.id,
        session_id=session_id,
        password_version=user.password_version,
        accept_language=user.locale or accept_language,
        payload=payload,
    )


def finds_as_it_was(challenge: Challenge, user: User) -> bool:
    """Whether an account still is what it was when it made this claim: same password, same phone, no lock."""
    return user.holds(challenge.password_version) and user.phone_number == challenge.phone_number


def _new_challenge(policy: ChallengeSettings, claim: Claim, method: Channel | None) -> Challenge:
    now = datetime.now(UTC)
    return Challenge(
        purpose=claim.purpose,
        user_id=claim.user_id,
        session_id=claim.session_id,
        password_version=claim.password_version,
        phone_number=claim.phone_number,
        accept_language=claim.accept_language,
        payload=claim.payload,
        method=method,
        attempts_left=policy.attempts,
        sends_left=policy.sends,
        created_at=now,
        expires_at=now + policy.pending_lifetime,
        pending_until=now + policy.pending_lifetime,
    )
