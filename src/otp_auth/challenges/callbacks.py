"""What Sinch tells and asks us by itself (Sinch Verification API, callbacks).

The request event decides whether a message goes out, and with which code. The others only tell how it went:
none of them proves anything, and one that is late, repeated or of no challenge that waits changes nothing.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from otp_auth import metrics
from otp_auth.challenges.codes import Codes
from otp_auth.challenges.deliveries import DeliveryRepository, Fate, fate_of
from otp_auth.challenges.models import Challenge
from otp_auth.sinch.events import DENY, DeliveredEvent, RequestEvent, ResultEvent, allow

DEADLINE = 0.7  # seconds: Sinch waits for the answer while somebody waits for the code


async def answer_request(deliveries: DeliveryRepository, codes: Codes, event: RequestEvent) -> dict[str, Any]:
    """Say whether Sinch may send. What we don't know to be ours is denied, and so is all when in doubt."""
    try:
        async with asyncio.timeout(DEADLINE):
            challenge = await deliveries.announce(event)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        logger.error("request event denied: the database does not answer", cause=type(error).__name__)
        challenge = None
    metrics.count_event("request", "accepted" if challenge else "refused")
    return _allowance(codes, challenge, event) if challenge else DENY


def _allowance(codes: Codes, challenge: Challenge, event: RequestEvent) -> dict[str, Any]:
    code = codes.of(challenge.id) if challenge.announced_id == event.id else None
    return allow(event.method, code=code, expiry=challenge.expires_at - datetime.now(UTC))


async def take_result(deliveries: DeliveryRepository, event: ResultEvent) -> None:
    """Take note of a message that Sinch gave up. A success proves nothing here: only a code does."""
    fate = fate_of(event.status)
    if fate is not None:
        await _note(deliveries, event, "result", fate)


async def take_delivery(deliveries: DeliveryRepository, event: DeliveredEvent) -> None:
    """Take note of the phone company's receipt for a text."""
    if event.is_delivered:
        await _note(deliveries, event, "delivery", Fate.DELIVERED)
    elif event.is_undelivered:
        await _note(deliveries, event, "delivery", Fate.FAILED)


async def _note(
    deliveries: DeliveryRepository, event: ResultEvent | DeliveredEvent, name: str, fate: Fate
) -> None:
    noted = await deliveries.note_delivery(event.id, event.event, event.reference, fate)
    metrics.count_event(name, "accepted" if noted else "ignored")
