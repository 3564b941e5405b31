"""Looks after messages that Sinch tells nothing of, and takes the next channel where that is wanted."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from loguru import logger

from otp_auth.challenges.deliveries import DeliveryRepository, Fate, fate_of
from otp_auth.challenges.models import UNHEARD, Challenge, Delivery, Purpose
from otp_auth.challenges.sending import Sending, record_failed, record_started, send_code
from otp_auth.challenges.sends import LONGEST_START
from otp_auth.challenges.views import next_methods
from otp_auth.errors import AuthError
from otp_auth.sending.channels import Channel
from otp_auth.sinch.client import NotFound, StatusOutcome, Unavailable
from otp_auth.sinch.schemas import VerificationState

INTERVAL = 1.0  # seconds between two looks for messages that are due


@dataclass(frozen=True)
class Following:
    """What it takes to look after messages."""

    sending: Sending
    deliveries: DeliveryRepository


async def follow_regularly(following: Following) -> None:
    """Look after messages until cancelled; a database that is away is tried again."""
    while True:
        try:
            await follow_due(following)
        except Exception as error:  # noqa: BLE001 - one round that fails must not end all later ones
            logger.warning("messages could not be followed", cause=type(error).__name__)
        await asyncio.sleep(INTERVAL)


async def follow_due(following: Following) -> int:
    """Look after the messages whose time has come. Returns how many."""
    due = await following.deliveries.take_due()
    await asyncio.gather(*(_follow(following, challenge) for challenge in due))
    return len(due)


async def _follow(following: Following, challenge: Challenge) -> None:
    if challenge.delivery in UNHEARD:
        challenge = await _ask(following, challenge)
    if challenge.purpose is Purpose.PASSWORD_RESET:
        return  # what is seen of it never tells how its message went: so nothing follows from that
    policy = following.sending.policy
    failed = challenge.delivery is Delivery.FAILED
    # Only of texts does silence say anything: there are no receipts for calls and WhatsApp.
    silent = challenge.method is Channel.SMS and challenge.is_unheard_of(policy.patience, datetime.now(UTC))
    if policy.fallback and (failed or silent):
        await _take_next_channel(following.sending, challenge)


async def _ask(following: Following, challenge: Challenge) -> Challenge:
    """Ask Sinch how the message stands, and return the challenge as it is then."""
    sending = following.sending
    if challenge.is_decoy:
        await following.deliveries.note_status(challenge, str(challenge.verification_id), Fate.DELIVERED)
        return await sending.challenges.find_open(challenge.id) or challenge
    status = await _status(sending, challenge)
    if isinstance(status, VerificationState):
        if challenge.verification_id != status.id:
            await record_started(sending, challenge, status.id)
        fate = fate_of(status.status)
        if fate is not None:
            await following.deliveries.note_status(challenge, status.id, fate)
    elif isinstance(status, NotFound) and _is_old(challenge):
        await record_failed(sending, challenge, Unavailable(reached=False))
    return await sending.challenges.find_open(challenge.id) or challenge


async def _status(sending: Sending, challenge: Challenge) -> StatusOutcome:
    if challenge.delivery is Delivery.SENT and challenge.verification_id is not None:
        return await sending.sinch.status_by_id(challenge.verification_id)
    return await sending.sinch.status_by_reference(str(challenge.reference))


def _is_old(challenge: Challenge) -> bool:
    return challenge.sent_at is not None and challenge.sent_at + LONGEST_START < datetime.now(UTC)


async def _take_next_channel(sending: Sending, challenge: Challenge) -> None:
    others = [
        method
        for method in next_methods(challenge, sending.policy)
        if method.value not in challenge.tried_methods
    ]
    if not others or challenge.sends_left == 0:
        return
    try:
        await send_code(sending, challenge, others[0])
    except AuthError as refusal:
        logger.info("no other channel was taken", cause=refusal.code)
