"""The beginning of every ceremony: a claim is written down and, if wanted, a code goes out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending, check_named, send_code
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import DestinationRefusedError, ProviderUnavailableError, SendLaterError
from otp_auth.settings import ChallengeSettings

# The credentials were right all the same; of a challenge that a newer login has closed the otp routes tell.
NO_MESSAGE = (ProviderUnavailableError, DestinationRefusedError, ChallengeClosedError)


@dataclass(frozen=True)
class Claim:
    """What somebody says, to be proved by a code."""

    purpose: Purpose
    phone_number: str  # where the code goes
    user_id: UUID | None = None
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


def _new_challenge(policy: ChallengeSettings, claim: Claim, method: Channel | None) -> Challenge:
    now = datetime.now(UTC)
    return Challenge(
        purpose=claim.purpose,
        user_id=claim.user_id,
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
