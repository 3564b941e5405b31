"""Sending a code: charge every limit, commit, call Sinch, record what came of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from uuid import UUID

from loguru import logger

from otp_auth import metrics
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail
from otp_auth.challenges.errors import ChallengeClosedError, MethodNotOfferedError
from otp_auth.challenges.models import Challenge, CodeType
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.challenges.sends import SendRepository, WantedSend, in_words
from otp_auth.phone_numbers import country_of
from otp_auth.sending.channels import SINCH_METHODS, Channel
from otp_auth.sending.destinations import channels_for, refusal_of
from otp_auth.sending.errors import ProviderUnavailableError, ResendTooSoonError, TooManySendsError
from otp_auth.sending.shield import Refusal, to_error
from otp_auth.settings import SendSettings
from otp_auth.sinch.client import (
    NotFound,
    Refused,
    SinchVerificationClient,
    Started,
    StartOutcome,
    Unavailable,
)
from otp_auth.sinch.schemas import UNSUCCESSFUL, VerificationState

LOOK_UP_DEADLINE = 1.5  # seconds: with the start's 8 s the caller waits less than 10 s
RECEIPT = timedelta(seconds=2)  # about the time in which a phone company tells that a text has arrived
FIRST_CHECK = timedelta(seconds=5)  # after a send, unless Sinch tells us by itself


@dataclass(frozen=True)
class Sending:
    """What it takes to send a code."""

    challenges: ChallengeRepository
    sends: SendRepository
    audit: AuditTrail
    sinch: SinchVerificationClient
    policy: SendSettings
    sinch_texts: CodeType  # the codes that Sinch puts into texts, when it makes them
    network: str | None  # who asks; None for us ourselves


async def send_code(sending: Sending, challenge: Challenge, method: Channel) -> Challenge:
    """Send a code and return the challenge as it now stands; `delivery` tells how it went.

    Raises ResendTooSoonError, TooManySendsError, ChallengeClosedError, MethodNotOfferedError,
    DestinationRefusedError, and ProviderUnavailableError when Sinch gives no usable answer.
    """
    if sending.sinch.is_down:  # nothing is charged for a message that can't even be tried
        raise ProviderUnavailableError
    reserved = await _reserve(sending, WantedSend(challenge, method, sending.network))
    if await sending.sends.owner_awaits_code(reserved):
        return await _pretend(sending, reserved)
    outcome = await sending.sinch.start(
        method=SINCH_METHODS[method],
        number=reserved.phone_number,
        reference=str(reserved.reference),
        locale=reserved.accept_language,
    )
    return await _record(sending, reserved, outcome)


def check_named(method: Channel, policy: SendSettings) -> None:
    """Raises MethodNotOfferedError for a channel that the settings name for no country."""
    if not any(method in methods for methods in (policy.methods, *policy.methods_by_country.values())):
        raise MethodNotOfferedError


async def require_reachable(
    sending: Sending,
    phone_number: str,
    method: Channel | None,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
) -> None:
    """Refuse a number that no message may go to, or a channel that isn't on offer for it (None: any).

    Raises MethodNotOfferedError, DestinationRefusedError.
    """
    if method is not None:
        check_named(method, sending.policy)
    reason = refusal_of(phone_number, sending.policy, method)
    if reason is not None and sending.policy.mode == "enforce":
        refusals = (Refusal(reason, None),)
        await _tell(sending, in_words(phone_number, method), (user_id, session_id), refusals)
        raise to_error(refusals)
    if method is not None and method not in channels_for(phone_number, sending.policy):
        raise MethodNotOfferedError


async def _reserve(sending: Sending, wanted: WantedSend) -> Challenge:
    challenge = wanted.challenge
    asker = (challenge.user_id, challenge.session_id)
    await require_reachable(sending, challenge.phone_number, wanted.method, *asker)
    if await sending.sends.is_phone_off(challenge.owner_id):
        raise MethodNotOfferedError
    reservation = await sending.sends.reserve_send(wanted, sending.policy)
    if reservation.refusals:
        await _tell(sending, wanted.in_words, asker, reservation.refusals)
        if sending.policy.mode == "enforce":
            raise to_error(reservation.refusals)
    if reservation.waits_until is not None:
        raise ResendTooSoonError(reservation.waits_until)
    if reservation.challenge is None:
        raise await _why_not(sending, challenge)
    return reservation.challenge


async def _pretend(sending: Sending, challenge: Challenge) -> Challenge:
    """Send nothing to a number whose owner waits for a code, and let it look as if something was.

    Sinch would end the owner's code; and a stranger mustn't learn that there is an account, or that its owner
    logs in.
    """
    await asyncio.sleep(sending.sinch.typical_start_seconds(SystemRandom()))
    check_at = datetime.now(UTC) + RECEIPT
    recorded = await sending.sends.record_decoy(challenge, sending.sinch_texts, check_at)
    return recorded or await _as_it_stands(sending, challenge)


async def _tell(
    sending: Sending,
    words: dict[str, str],
    asker: tuple[UUID | None, UUID | None],
    refusals: tuple[Refusal, ...],
) -> None:
    """Every refusal has its reason in the log, the metrics and the audit trail. `asker`: account, session."""
    watched = sending.policy.mode == "watch"
    reasons = [refusal.reason.value for refusal in refusals]
    for reason in reasons:
        metrics.count_send_refused(reason, watched=watched)
    logger.warning("send refused", reasons=reasons, watched=watched, **words)
    detail = {**words, "reasons": reasons, "watched": watched}
    user_id, session_id = asker
    await sending.audit.record_refusal(
        EventName.SEND_REFUSED,
        user_id=user_id,
        session_id=session_id,
        network=sending.network,
        detail=detail,
    )


async def _why_not(sending: Sending, challenge: Challenge) -> Exception:
    still_open = await sending.challenges.find_open(challenge.id)
    if still_open is None:
        return ChallengeClosedError()
    return TooManySendsError(still_open.expires_at)


async def _record(sending: Sending, challenge: Challenge, outcome: StartOutcome) -> Challenge:
    if isinstance(outcome, Unavailable) and outcome.reached:
        return await _look_up(sending, challenge, outcome)
    if isinstance(outcome, Started):
        recorded = await record_started(sending, challenge, outcome.verification_id)
    else:
        recorded = await record_failed(sending, challenge, outcome)
    if isinstance(outcome, Unavailable):
        raise ProviderUnavailableError
    return recorded or await _as_it_stands(sending, challenge)


async def record_started(sending: Sending, challenge: Challenge, verification_id: str) -> Challenge | None:
    """Write down that Sinch has taken the message."""
    _count(challenge, "sent")
    check_at = datetime.now(UTC) + min(FIRST_CHECK, sending.policy.patience)
    return await sending.sends.record_sent(
        challenge, verification_id, sending.sinch_texts, check_at, sending.network
    )


async def record_failed(sending: Sending, challenge: Challenge, outcome: StartOutcome) -> Challenge | None:
    """Write down that Sinch has not; with automatic fallback the next channel follows."""
    _count(challenge, "failed")
    return await sending.sends.record_failed(
        challenge,
        unreachable=isinstance(outcome, Refused) and outcome.is_about_destination,
        check_at=datetime.now(UTC) if sending.policy.fallback else None,
    )


async def _as_it_stands(sending: Sending, challenge: Challenge) -> Challenge:
    """Return a challenge whose later send has overtaken this one. Raises ChallengeClosedError."""
    current = await sending.challenges.find_open(challenge.id)
    if current is None:
        raise ChallengeClosedError
    return current


async def _look_up(sending: Sending, challenge: Challenge, outcome: Unavailable) -> Challenge:
    """Ask for the fate of a start whose answer was lost: a repeat would cost money and kill its code."""
    try:
        async with asyncio.timeout(LOOK_UP_DEADLINE):
            status = await sending.sinch.status_by_reference(str(challenge.reference))
    except TimeoutError:
        status = Unavailable(reached=True)
    if isinstance(status, NotFound) and outcome.failed:
        return await _record(sending, challenge, Unavailable(reached=False))
    if not isinstance(status, VerificationState):
        # Not found proves nothing: the start may still be under way. The cool-down stays charged.
        _count(challenge, "unknown")
        await sending.sends.record_unknown(challenge, datetime.now(UTC) + FIRST_CHECK)
        raise ProviderUnavailableError
    sent = status.status not in UNSUCCESSFUL
    return await _record(sending, challenge, Started(status.id) if sent else Refused(status.status))


def _count(challenge: Challenge, outcome: str) -> None:
    metrics.count_send(str(challenge.method), country_of(challenge.phone_number), outcome)
