"""Removes what has expired, for `otp-auth purge` and while the service runs; then also seals anew.

Resets of a password whose hold is over take effect before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import SystemRandom

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.accounts import known_networks, password_resets
from otp_auth.audit import outbox, trail
from otp_auth.challenges import deliveries
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.database import Database
from otp_auth.factors import authenticators
from otp_auth.factors.resealing import reseal
from otp_auth.factors.totp import Seeds
from otp_auth.sending import conversions, cooldowns
from otp_auth.sessions import device_repository
from otp_auth.sessions.repository import SessionRepository
from otp_auth.settings import Settings

KEPT_FOR = timedelta(days=1)  # after its end: long enough to answer questions about it
INTERVAL = timedelta(minutes=10)
RESETS_INTERVAL = 1.0  # seconds: an owner was told the hour
FIRST_DELAY = timedelta(minutes=1)


async def purge(database: Database, settings: Settings) -> dict[str, int]:
    """Let due resets take effect and delete expired rows, one short transaction for each table.

    Returns how many of each.
    """
    sessions = SessionRepository(database, settings.session_policy)
    counts = {
        "challenges": await ChallengeRepository(database, settings.guesses).purge(KEPT_FOR),
        "sessions": await sessions.purge(KEPT_FOR),
        "seals": await sessions.forget_seals(),
    }
    now = datetime.now(UTC)
    purges: dict[str, Callable[[AsyncSession, datetime], Awaitable[int]]] = {
        "budgets": budgets.purge,
        "cooldowns": lambda tx, now: cooldowns.purge(tx, now - KEPT_FOR),
        "conversions": conversions.purge,
        "known networks": known_networks.purge,
        "password resets": lambda tx, now: password_resets.purge(tx, now - KEPT_FOR),
        "unconfirmed apps": lambda tx, now: authenticators.purge(tx, now - KEPT_FOR),
        "provider events": lambda tx, now: deliveries.purge(tx, now - KEPT_FOR),
        "devices": lambda tx, now: device_repository.purge(tx, now - KEPT_FOR),
        "device seals": lambda tx, now: device_repository.forget_seals(tx, now, settings.device_policy.grace),
        "audit events": lambda tx, now: trail.purge(tx, now - settings.audit.retention),
        # What was tried to its end is gone; this is left where nobody listens any more.
        "outgoing events": lambda tx, now: outbox.purge(tx, now - settings.events.keep_trying - KEPT_FOR),
    }
    counts["resets in force"] = await password_resets.carry_out_all_due(database)
    for name, purge_table in purges.items():
        async with database.write() as tx:
            counts[name] = await purge_table(tx, now)
    return counts


async def carry_out_resets_regularly(database: Database) -> None:
    """Let resets take effect at their hour until cancelled; a database that is away is tried again."""
    while True:
        try:
            if count := await password_resets.carry_out_all_due(database):
                logger.info("held resets of passwords took effect", count=count)
        except Exception as error:  # noqa: BLE001 - one round that fails must not end all later ones
            logger.warning("held resets could not be carried out", cause=type(error).__name__)
        await asyncio.sleep(RESETS_INTERVAL)


async def purge_regularly(database: Database, settings: Settings, seeds: Seeds) -> None:
    """Purge and seal anew every ten minutes until cancelled; what fails is tried again next time."""
    # Workers start together: they shouldn't all purge at one moment, nor before the first request.
    await asyncio.sleep(SystemRandom().uniform(0.1, 1) * FIRST_DELAY.total_seconds())
    while True:
        try:
            logger.debug("purged", **await purge(database, settings))
            if count := await reseal(database, seeds):
                logger.info("seeds of authenticator apps sealed anew", count=count)
        except Exception as error:  # noqa: BLE001 - one that fails must not end all later ones
            logger.warning("purge failed", cause=type(error).__name__)
        await asyncio.sleep(INTERVAL.total_seconds())
