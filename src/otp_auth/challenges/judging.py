"""Judging a code. Whoever made the code judges it; an attempt is charged before anybody looks."""

from dataclasses import dataclass, replace
from uuid import UUID

from loguru import logger

from otp_auth import metrics
from otp_auth.challenges.codes import LENGTH, Codes
from otp_auth.challenges.errors import ChallengeClosedError, WrongCodeError
from otp_auth.challenges.models import DECOY, UNDECIDED, Challenge, CodeMaker, Purpose
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.factors.models import FactorKind
from otp_auth.sending.channels import SINCH_METHODS, Channel
from otp_auth.sending.errors import ProviderUnavailableError
from otp_auth.sinch.client import Refused, SinchVerificationClient, Unavailable, Verdict
from otp_auth.sinch.schemas import UNSUCCESSFUL, VerificationState, VerificationStatus

NO_CODE = "0" * LENGTH  # reported where a call is all that matters


@dataclass(frozen=True)
class Judges:
    """Those who know what code is right."""

    codes: Codes
    sinch: SinchVerificationClient


@dataclass(frozen=True)
class LivingCode:
    """The code that is alive: where it went, and who made it."""

    verification_id: str
    channel: Channel
    maker: CodeMaker


async def take_attempt(
    challenges: ChallengeRepository, challenge_id: UUID, factor: FactorKind, network: str | None
) -> Challenge:
    """Charge one try and return the challenge. Raises ChallengeClosedError, TooManyAttemptsError."""
    challenge = await challenges.take_attempt(challenge_id, factor, network)
    if challenge is None:
        raise ChallengeClosedError
    return challenge


def require_judge(judges: Judges, challenge: Challenge) -> None:
    """Refuse early where only Sinch could judge and isn't asked now: so no try is lost.

    Raises ProviderUnavailableError.
    """
    is_ours = challenge.code_maker is CodeMaker.WE or challenge.announced_id is not None
    if judges.sinch.is_down and not is_ours:
        raise ProviderUnavailableError


async def judge_phone_code(judges: Judges, challenge: Challenge, code: str) -> None:
    """Return if the code is the one that went to the phone.

    Raises WrongCodeError, or ProviderUnavailableError when Sinch has to say and doesn't: the attempt stays
    charged.
    """
    living = await _living_code(judges.sinch, challenge)
    if living is None:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    if living.maker is CodeMaker.WE:
        verdict = await _judge_ours(judges, challenge, living, code)
    else:
        verdict = await _report(judges.sinch, challenge, living, code)
    metrics.count_verdict(living.maker.value, verdict.value)
    if verdict is Verdict.WRONG:
        raise WrongCodeError(attempts_left=challenge.attempts_left)
    if verdict is not Verdict.RIGHT:
        raise ProviderUnavailableError


async def _judge_ours(judges: Judges, challenge: Challenge, living: LivingCode, code: str) -> Verdict:
    """Judge a code of ours, and tell Sinch of the right one, for its records.

    Where Sinch says nothing of the code (an outage, no credit), what we saw stands. Where it says anything
    but yes, it doesn't.
    """
    if not judges.codes.is_right(challenge.id, code):
        if challenge.purpose is Purpose.PASSWORD_RESET:
            await _report_nothing(judges.sinch, challenge, living)
        return Verdict.WRONG
    verdict = await _report(judges.sinch, challenge, living, code)
    if living.verification_id.startswith(DECOY):
        return Verdict.WRONG  # it went nowhere, so whoever has it has guessed
    if verdict in {Verdict.UNAVAILABLE, Verdict.REFUSED}:
        logger.warning("a right code could not be reported to Sinch", verdict=verdict.value)
        return Verdict.RIGHT
    if verdict is Verdict.WRONG and await _was_reported(judges.sinch, living):
        return Verdict.RIGHT
    return verdict


async def _was_reported(sinch: SinchVerificationClient, living: LivingCode) -> bool:
    """Whether Sinch has had the right code already: from a request of ours whose answer was lost."""
    status = await sinch.status_by_id(living.verification_id)
    return isinstance(status, VerificationState) and status.status == VerificationStatus.SUCCESSFUL


async def _report(
    sinch: SinchVerificationClient, challenge: Challenge, living: LivingCode, code: str
) -> Verdict:
    return await sinch.report(
        verification_id=living.verification_id,
        method=SINCH_METHODS[living.channel],
        code=code,
        number=challenge.phone_number,
    )


async def _report_nothing(sinch: SinchVerificationClient, challenge: Challenge, living: LivingCode) -> None:
    """Make the call that a wrong code of Sinch's makes, for a message that never was.

    Who made the code of a reset depends on whose name it is: the time that an answer takes mustn't tell it.
    """
    decoy = replace(living, verification_id=f"{DECOY}{challenge.reference}")
    await _report(sinch, challenge, decoy, NO_CODE)


async def _living_code(sinch: SinchVerificationClient, challenge: Challenge) -> LivingCode | None:
    """Find the code that is alive; None when there is none.

    Where the outcome of the last send was never written down, its request event or else Sinch knows. If Sinch
    knows of no such start, the code before is still good. So it is for a reset until the outcome is written
    down: the question would tell that a message is under way.
    """
    if challenge.delivery in UNDECIDED and challenge.method is not None:
        if challenge.announced_id is not None:
            return LivingCode(challenge.announced_id, challenge.method, CodeMaker.WE)
        if challenge.purpose is not Purpose.PASSWORD_RESET:
            status = await sinch.status_by_reference(str(challenge.reference))
            if isinstance(status, Unavailable | Refused):
                raise ProviderUnavailableError
            if isinstance(status, VerificationState) and status.status not in UNSUCCESSFUL:
                return LivingCode(status.id, challenge.method, CodeMaker.SINCH)
    if challenge.verification_id is None or challenge.verification_method is None:
        return None
    maker = challenge.code_maker or CodeMaker.SINCH
    return LivingCode(challenge.verification_id, challenge.verification_method, maker)
