"""A pumping attack on PostgreSQL: thousands of registrations into one block of numbers, never verified."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from loguru import logger
from sqlalchemy import select

from otp_auth.budgets import Spending
from otp_auth.sending.shield import COST
from otp_auth.settings import SendSettings
from support.scale import FULL
from support.service import PASSWORD, Service, running_service, settings_for, with_callbacks
from support.simulator import RunningSimulator

REGISTRATIONS = 10_000 if FULL else 2_000
ADDRESSES = 500
NORMAL = 200  # people of another country, who verify
BLOCK_CAP = 20
PRODUCTION = {
    name: SendSettings.model_fields[name].default
    for name in ("per_address_hour", "per_address_day", "per_block_hour", "per_block_day")
}
IN_PARALLEL = 8

NewAttacked = Callable[..., Any]


@pytest.fixture(autouse=True)
def _without_a_log() -> Iterator[None]:
    """Twenty thousand lines on a test's screen would take a fifth of its time."""
    logger.disable("otp_auth")
    yield
    logger.enable("otp_auth")


@pytest.fixture
def attacked(postgres_database: str, signing_keys: Path, simulator: RunningSimulator) -> NewAttacked:
    """The service with the defaults of production for messages, behind a proxy of our own."""

    def new(**send: Any) -> Any:
        settings = settings_for(
            postgres_database,
            signing_keys,
            simulator.base_url,
            trusted_proxies="127.0.0.1/32",
            send={"countries": "SE,GB", **PRODUCTION, **send},
        )
        return running_service(settings, simulator)

    return new


async def register(service: Service, number: str, address: str) -> httpx.Response:
    return await service.http.post(
        "/api/v1/auth/register",
        json={"phone_number": number, "password": PASSWORD},
        headers={"X-Forwarded-For": address},
    )


async def attack(service: Service, numbers: list[str]) -> None:
    """Register them all. A machine that is busy with it may answer a few with 503, which sends nothing."""
    addresses = cycle(f"198.{18 + which // 250}.{which % 250}.7" for which in range(ADDRESSES))
    work = iter(zip(numbers, addresses, strict=False))
    seen: Counter[int] = Counter()

    async def one_of_many() -> None:
        for number, address in work:
            answer = await register(service, number, address)
            seen[answer.status_code] += 1

    await asyncio.gather(*(one_of_many() for _ in range(IN_PARALLEL)))
    assert seen.keys() <= {202, 503}
    assert seen[503] <= len(numbers) / 1000


async def live_normally(service: Service) -> list[str]:
    """People of another country register and verify, all the while; return how their messages went."""
    deliveries = []
    for which in range(NORMAL):
        number = f"+4474{which:03}12345"
        answer = await register(service, number, f"203.{which // 250}.{which % 250}.9")
        pending = answer.json()
        deliveries.append(pending["challenge"]["delivery"] if answer.status_code == 202 else "refused")
        if deliveries[-1] in {"sent", "delivered"}:
            await service.prove(pending, number)
    return deliveries


async def starts_of(simulator: RunningSimulator, prefix: str) -> int:
    counted = (await simulator.http.get("/stats")).json()["by_number"]
    return sum(each["starts"] for number, each in counted.items() if number.startswith(prefix))


async def money_spent(service: Service) -> int:
    async with service.database.read() as tx:
        return await tx.scalar(select(Spending.spent).where(Spending.key == COST)) or 0


async def test_a_block_gets_its_cap_and_others_their_messages(
    attacked: NewAttacked, simulator: RunningSimulator
) -> None:
    block = [f"+46767890{which % 1000:03}" for which in range(REGISTRATIONS)]
    async with attacked() as service, with_callbacks(service):
        _, deliveries = await asyncio.gather(attack(service, block), live_normally(service))

    sent = sum(delivery in {"sent", "delivered"} for delivery in deliveries)
    assert await starts_of(simulator, "+46767890") == BLOCK_CAP
    assert sent > 0.99 * NORMAL


async def test_the_money_stops_at_its_cap(attacked: NewAttacked, simulator: RunningSimulator) -> None:
    cap = Decimal("2.00")
    spread = [f"+4676{which % 500:03}{which:04}" for which in range(600)]
    before = await starts_of(simulator, "+4676")
    async with attacked(daily_cost=cap, breaker_minimum=10_000, per_address_hour=1000) as service:
        async with with_callbacks(service):
            await attack(service, spread)
        spent = await money_spent(service)

    # Strangers leave a fifth of a day's money to people with an account.
    assert Decimal("1.50") * 10**6 < spent <= Decimal("1.60") * 10**6
    sent = await starts_of(simulator, "+4676") - before
    assert 33 <= sent <= 36  # at 0.0453 each
