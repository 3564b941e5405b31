"""What the tests of the shield share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from otp_auth.budgets import Spending
from otp_auth.database import Database
from otp_auth.sending.channels import Channel
from otp_auth.sending.models import Lane
from otp_auth.sending.shield import Send
from otp_auth.settings import SendSettings

NOW = datetime(2026, 11, 24, 12, 1, tzinfo=UTC)
PLENTY = {
    f"{name}_{window}": 1_000_000
    for name in ("per_number", "per_account", "per_address", "per_block", "per_country", "global")
    for window in ("hour", "day")
}


def policy(**settings: Any) -> SendSettings:
    """Nothing is scarce but what a test names."""
    presets: dict[str, Any] = {
        **PLENTY,
        "countries": ("*",),
        "daily_cost": 1_000_000,
        "breaker_minimum": 10_000,
    }
    return SendSettings(**presets | settings)


def number(which: int = 0, block: int = 0) -> str:
    """A Swedish mobile number."""
    return f"+4670{1000 + block}{which:03}"


def send(phone_number: str = number(), **fields: Any) -> Send:
    presets: dict[str, Any] = {
        "channel": Channel.SMS,
        "lane": Lane.STRANGER,
        "user_id": None,
        "network": "192.0.2.0/24",
    }
    return Send(phone_number, **presets | fields)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def spent(database: Database) -> dict[tuple[str, int], int]:
    async with database.read() as tx:
        rows = await tx.execute(select(Spending.key, Spending.window, Spending.spent))
        return {(key, window): amount for key, window, amount in rows}
