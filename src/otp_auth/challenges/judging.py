"""Judging a code. Whoever made the code judges it; an attempt is charged before anybody looks."""

from uuid import UUID

from otp_auth.challenges.errors import ChallengeClosedError, WrongCodeError
from otp_auth.challenges.models import UNDECIDED, Challenge
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.sending.channels import SINCH_METHODS, Channel
from otp_auth.sending.errors import ProviderUnavailableError
from otp_auth.sinch.client import Refused, SinchVerificationClient, Unavailable, Verdict
from otp_auth.sinch.schemas import UNSUCCESSFUL, VerificationState


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
    living = await _living_verification(sinch, challenge)
    if living is None:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    verification_id, channel = living
    verdict = await sinch.report(verification_id=verification_id, method=SINCH_METHODS[channel], code=code)
    if verdict is Verdict.WRONG:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    if verdict is not Verdict.RIGHT:
        raise ProviderUnavailableError


async def _living_verification(
    sinch: SinchVerificationClient, challenge: Challenge
) -> tuple[str, Channel] | None:
    """Return id and channel of the code that is alive; None when there is none.

    Where the outcome of the last send was never written down, Sinch knows by our reference. If it knows of no
    such start, the code before is still good.
    """
    if challenge.delivery in UNDECIDED and challenge.method is not None:
        status = await sinch.status_by_reference(str(challenge.reference))
        if isinstance(status, Unavailable | Refused):
            raise ProviderUnavailableError
        if isinstance(status, VerificationState) and status.status not in UNSUCCESSFUL:
            return status.id, challenge.method
    if challenge.verification_id is None or challenge.verification_method is None:
        return None
    return challenge.verification_id, challenge.verification_method
