"""Sends the outbox to the application that hosts the users: signed, and again until it has each event.

Signatures are those of Standard Webhooks 1.0: whoever receives them needs no code of ours. An event may come
twice, with one id, and events may come in any order.
"""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import httpx
from loguru import logger

from otp_auth import __version__, metrics
from otp_auth.audit.models import OutgoingEvent
from otp_auth.audit.outbox import MOST_AT_ONCE, Outbox
from otp_auth.database import Database
from otp_auth.settings import EventSettings
from otp_auth.tls import tls_context

INTERVAL = 1.0  # seconds between two looks for events that are due
SHORTEST_WAIT = timedelta(seconds=5)  # doubled with each try
LONGEST_WAIT = timedelta(hours=1)
MOST_DOUBLINGS = 10  # beyond it the longest wait is passed anyway
MARGIN = timedelta(seconds=5)  # after the timeout of a try, before another worker may begin one


@dataclass(frozen=True)
class Delivery:
    """What it takes to send events."""

    outbox: Outbox
    http: httpx.AsyncClient
    settings: EventSettings


@asynccontextmanager
async def open_delivery(database: Database, settings: EventSettings) -> AsyncIterator[Delivery]:
    """Lend a client that asks the configured address and no other: no redirects, no proxy."""
    http = httpx.AsyncClient(
        verify=tls_context(),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": f"otp-auth/{__version__}"},
        timeout=None,  # noqa: S113 - each try as a whole has one
    )
    async with http:
        yield Delivery(Outbox(database), http, settings)


def sign(secret: str, event_id: str, timestamp: int, body: str) -> str:
    """HMAC-SHA256 of `id.timestamp.body`; `timestamp` is in Unix seconds (Standard Webhooks 1.0)."""
    signed = f"{event_id}.{timestamp}.{body}".encode()
    return f"v1,{base64.b64encode(hmac.digest(secret.encode(), signed, 'sha256')).decode()}"


async def deliver_regularly(delivery: Delivery) -> None:
    """Send what is due until cancelled; a database that is away is tried again."""
    while True:
        found = 0
        try:
            found = await deliver_due(delivery)
        except Exception as error:  # noqa: BLE001 - one round that fails must not end all later ones
            logger.warning("events could not be sent", cause=type(error).__name__)
        if found < MOST_AT_ONCE:
            await asyncio.sleep(INTERVAL)


async def deliver_due(delivery: Delivery) -> int:
    """Try each event whose time has come, once. Returns how many were due."""
    due = await delivery.outbox.find_due()
    if due:
        await asyncio.gather(*(_try(delivery, event) for event in due))
        metrics.set_outgoing_backlog(await delivery.outbox.count())
    return len(due)


def wait_after(tries: int, timeout: timedelta, spread: Callable[[float, float], float]) -> timedelta:
    """How long another try waits after this many: twice as long each time, up to an hour, and never alike.

    Not before the present one has surely ended.
    """
    wait: timedelta = min(SHORTEST_WAIT * 2 ** min(tries, MOST_DOUBLINGS), LONGEST_WAIT)
    return max(wait * spread(0.5, 1), timeout + MARGIN)


async def _try(delivery: Delivery, event: OutgoingEvent) -> None:
    wait = wait_after(event.tries, delivery.settings.timeout, SystemRandom().uniform)
    if not await delivery.outbox.take(event, wait):
        return
    failure = await _send(delivery, event)
    if failure is None:
        metrics.count_outgoing("delivered")
        await delivery.outbox.remove(event)
    else:
        await _note_failure(delivery, event, failure)


async def _send(delivery: Delivery, event: OutgoingEvent) -> str | None:
    """Send an event; None when the receiver has it, or else why not."""
    settings = delivery.settings
    # Signed anew for each try, so that a receiver may refuse what is old.
    timestamp = int(datetime.now(UTC).timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": str(event.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(settings.secret.get_secret_value(), str(event.id), timestamp, event.body),
    }
    try:
        async with asyncio.timeout(settings.timeout.total_seconds()):
            # Its body doesn't matter, and isn't read.
            request = delivery.http.stream("POST", settings.url, content=event.body, headers=headers)
            async with request as answer:
                return None if answer.is_success else f"status {answer.status_code}"
    except (httpx.HTTPError, TimeoutError) as error:
        return type(error).__name__


async def _note_failure(delivery: Delivery, event: OutgoingEvent, failure: str) -> None:
    is_over = event.created_at + delivery.settings.keep_trying <= datetime.now(UTC)
    facts = {"event": str(event.id), "tries": event.tries + 1, "cause": failure}
    if is_over:
        await delivery.outbox.remove(event)
        metrics.count_outgoing("dropped")
        logger.error("an event was dropped: its receiver never took it", **facts)
    else:
        metrics.count_outgoing("failed")
        logger.warning("an event could not be sent", **facts)
