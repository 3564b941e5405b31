"""Sending a code: charge every limit, commit, call Sinch, record what came of it (design: order of work)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from otp_auth.challenges.errors import ChallengeClosedError, MethodNotOfferedError
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.identifiers import new_id
from otp_auth.sending.channels import SINCH_METHODS, Channel
from otp_auth.sending.destinations import check_destination
from otp_auth.sending.errors import ProviderUnavailableError, ResendTooSoonError, TooManySendsError
from otp_auth.settings import SendSettings
from otp_auth.sinch.client import Refused, SinchVerificationClient, Started, Unavailable
from otp_auth.sinch.schemas import UNSUCCESSFUL, VerificationState

LOOK_UP_DEADLINE = 1.5  # seconds: with the start's 8 s the caller waits less than 10 s


@dataclass(frozen=True)
class Sending:
    """What it takes to send a code."""

    challenges: ChallengeRepository
    sinch: SinchVerificationClient
    policy: SendSettings


async def send_code(sending: Sending, challenge: Challenge, method: Channel) -> Challenge:
    """Send a code and return the challenge as it now stands; `delivery` tells how it went.

    Raises ResendTooSoonError, TooManySendsError, ChallengeClosedError, MethodNotOfferedError,
    DestinationRefusedError, and
    ProviderUnavailableError when Sinch gives no usable answer.
    """
    check_offered(method, sending.policy)
    check_destination(challenge.phone_number, sending.policy)
    reference = new_id()
    reserved = await _reserve(sending, challenge, method, reference)
    outcome = await sending.sinch.start(
        method=SINCH_METHODS[method],
        number=reserved.phone_number,
        reference=str(reference),
        locale=reserved.accept_language,
    )
    return await _record(sending, reserved, reference, outcome)


def check_offered(method: Channel, policy: SendSettings) -> None:
    """Raises MethodNotOfferedError for a channel that the settings don't name."""
    if method not in policy.methods:
        raise MethodNotOfferedError


async def _reserve(sending: Sending, challenge: Challenge, method: Channel, reference: UUID) -> Challenge:
    gaps = sending.policy.resend_gap
    reservation = await sending.challenges.reserve_send(challenge, method, reference, gaps)
    if reservation.waits_until is not None:
        raise ResendTooSoonError(retry_after=_seconds_until(reservation.waits_until))
    if reservation.challenge is None:
        raise await _why_not(sending, challenge)
    return reservation.challenge


async def _why_not(sending: Sending, challenge: Challenge) -> Exception:
    still_open = await sending.challenges.find_open(challenge.id)
    if still_open is None:
        return ChallengeClosedError()
    return TooManySendsError(retry_after=_seconds_until(still_open.expires_at))


async def _record(
    sending: Sending, challenge: Challenge, reference: UUID, outcome: Started | Refused | Unavailable
) -> Challenge:
    if isinstance(outcome, Unavailable) and outcome.reached:
        return await _look_up(sending, challenge, reference)
    if isinstance(outcome, Started):
        recorded = await sending.challenges.record_sent(challenge, reference, outcome.verification_id)
    else:
        recorded = await sending.challenges.record_failed(challenge, reference)
    if isinstance(outcome, Unavailable):
        raise ProviderUnavailableError
    return recorded or await _as_it_stands(sending, challenge)


async def _as_it_stands(sending: Sending, challenge: Challenge) -> Challenge:
    """Return a challenge whose later send has overtaken this one. Raises ChallengeClosedError."""
    current = await sending.challenges.find_open(challenge.id)
    if current is None:
        raise ChallengeClosedError
    return current


async def _look_up(sending: Sending, challenge: Challenge, reference: UUID) -> Challenge:
    """Ask for the fate of a start whose answer was lost: a repeat would cost money and kill its code."""
    try:
        async with asyncio.timeout(LOOK_UP_DEADLINE):
            status = await sending.sinch.status_by_reference(str(reference))
    except TimeoutError:
        status = Unavailable(reached=True)
    if not isinstance(status, VerificationState):
        # Not found proves nothing: the start may still be under way. The cool-down stays charged.
        await sending.challenges.record_unknown(challenge, reference)
        raise ProviderUnavailableError
    sent = status.status not in UNSUCCESSFUL
    outcome = Started(status.id) if sent else Refused(status.status)
    return await _record(sending, challenge, reference, outcome)


def _seconds_until(moment: datetime) -> int:
    return -int(-(moment - datetime.now(UTC)).total_seconds() // 1)
