"""Judging a code. Whoever made the code judges it; an attempt is charged before anybody looks."""

from uuid import UUID

from otp_auth.challenges.errors import ChallengeClosedError, WrongCodeError
from otp_auth.challenges.models import Challenge, Delivery
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.sending.channels import SINCH_METHODS
from otp_auth.sending.errors import ProviderUnavailableError
from otp_auth.sinch.client import NotFound, Refused, SinchVerificationClient, Unavailable, Verdict


async def take_attempt(challenges: ChallengeRepository, challenge_id: UUID) -> Challenge:
    """Charge one try and return the challenge. Raises ChallengeClosedError, TooManyAttemptsError."""
    challenge = await challenges.take_attempt(challenge_id)
    if challenge is None:
        raise ChallengeClosedError
    return challenge


async def judge_phone_code(sinch: SinchVerificationClient, challenge: Challenge, code: str) -> None:
    """Return if the code is the one that went to the phone.

    Raises WrongCodeError, or ProviderUnavailableError when Sinch does not say: the attempt stays charged.
    """
    verification_id = challenge.verification_id or await _late_verification_id(sinch, challenge)
    if verification_id is None or challenge.verification_method is None:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    verdict = await sinch.report(
        verification_id=verification_id, method=SINCH_METHODS[challenge.verification_method], code=code
    )
    if verdict is Verdict.WRONG:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    if verdict is not Verdict.RIGHT:
        raise ProviderUnavailableError


async def _late_verification_id(sinch: SinchVerificationClient, challenge: Challenge) -> str | None:
    """Find the verification of a start whose answer was lost: a code in hand says that it arrived."""
    if challenge.delivery != Delivery.UNKNOWN or challenge.reference is None:
        return None
    status = await sinch.status_by_reference(str(challenge.reference))
    if isinstance(status, Unavailable | Refused):
        raise ProviderUnavailableError
    return None if isinstance(status, NotFound) else status.id
