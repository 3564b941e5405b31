"""Many charges at once, and again with the guard taken out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from shield_policy import NOW, number, opened, policy, send, spent

from otp_auth import budgets
from otp_auth.database import Database
from otp_auth.sending import conversions, shield
from otp_auth.sending.models import Lane
from otp_auth.sending.shield import Send
from otp_auth.settings import SendSettings

ALICE = UUID(int=1)
MANY = 100


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as running:
        yield running


async def charge(database: Database, one: Send, rules: SendSettings) -> bool:
    """Say whether the message may go out."""
    async with database.write() as tx:
        refused = bool((await shield.charge(tx, one, rules, NOW)).refusals)
        if refused:
            await tx.rollback()
        return not refused


async def at_once(database: Database, sends: Sequence[Send], rules: SendSettings) -> int:
    return sum(await asyncio.gather(*(charge(database, one, rules) for one in sends)))


def all_over() -> list[Send]:
    return [send(number(block=which), network=f"10.0.{which}.0/24") for which in range(MANY)]


def in_one_block() -> list[Send]:
    return [send(number(which), network=f"10.0.{which}.0/24") for which in range(MANY)]


SCARCE: dict[str, tuple[dict[str, Any], list[Send]]] = {
    "number": ({"per_number_hour": 7}, [send()] * MANY),
    "address": ({"per_address_day": 7}, [send(number(block=which)) for which in range(MANY)]),
    "block": ({"per_block_hour": 7}, in_one_block()),
    "country": ({"per_country_hour": 7}, all_over()),
    "all": ({"global_day": 7}, all_over()),
    "money": ({"daily_cost": "0.99"}, all_over()),
    "block that isn't proved": ({"breaker_minimum": 7}, in_one_block()),
    "country that isn't proved": ({"breaker_minimum": 7}, all_over()),
}


@pytest.mark.parametrize("name", SCARCE)
async def test_a_hundred_at_once_never_pass_a_limit(database: Database, name: str) -> None:
    settings, sends = SCARCE[name]

    assert await at_once(database, sends, policy(**settings)) == 7
    assert (await spent(database))[f"{shield.EVERYTHING}:stranger", 3600] == 7


@pytest.mark.parametrize("name", [name for name in SCARCE if "proved" not in name])
async def test_without_the_condition_they_would(
    database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = budgets._adding

    def unguarded(tx: Any, now: datetime, *, within_limit: bool) -> Any:
        return guarded(tx, now, within_limit=within_limit and False)

    monkeypatch.setattr(budgets, "_adding", unguarded)
    settings, sends = SCARCE[name]

    assert await at_once(database, sends, policy(**settings)) > 7


@pytest.mark.parametrize("name", [name for name in SCARCE if "proved" in name])
async def test_without_the_breaker_they_would(
    database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversions, "_is_suspicious", lambda *_: False)
    settings, sends = SCARCE[name]

    assert await at_once(database, sends, policy(**settings)) > 7


async def test_lanes_do_not_disturb_each_other(database: Database) -> None:
    strangers = [send(network=None)] * 40
    owner = [send(lane=Lane.ACCOUNT, user_id=ALICE, network=None)] * 40
    rules = policy(per_number_hour=5, per_block_hour=6, per_country_hour=7)

    allowed = await asyncio.gather(at_once(database, strangers, rules), at_once(database, owner, rules))

    assert list(allowed) == [5, 5]


async def test_charges_proofs_and_settlements_lock_in_one_order(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows were made in the opposite order, and everybody dawdles between its locks: else they'd deadlock."""
    rules = policy()
    numbers = [number(which) for which in range(3)]
    monkeypatch.setattr(budgets, "charge_and_count", _one_at_a_time(budgets.charge_and_count))
    monkeypatch.setattr(budgets, "move_one", _then_dawdle(budgets.move_one))
    await _rows_in_the_opposite_order(database, rules)

    async def prove(phone_number: str) -> bool:
        async with database.write() as tx:
            await shield.note_proof(tx, phone_number, Lane.STRANGER, NOW)
        return True

    async def settle() -> bool:
        async with database.write() as tx:
            return await shield.settle_cost(
                tx, lane=Lane.ACCOUNT, reserved=5, actual=4, policy=rules, now=NOW
            )

    owner: dict[str, Any] = {"lane": Lane.ACCOUNT, "user_id": ALICE}
    acts = [
        act
        for phone_number in numbers
        for act in (
            charge(database, send(phone_number), rules),
            charge(database, send(phone_number, **owner), rules),
            prove(phone_number),
            settle(),
        )
    ]
    assert await asyncio.gather(*acts) == [True] * len(acts)


def _one_at_a_time(original: Any) -> Any:
    async def charge_slowly(tx: Any, charges: Sequence[budgets.Charge], now: datetime) -> Any:
        refused: list[budgets.Exhausted] = []
        spent: dict[budgets.Charge, int] = {}
        for each in charges:
            some_refused, some_spent = await original(tx, [each], now)
            refused += some_refused
            spent |= some_spent
            await asyncio.sleep(0.002)
        return refused, spent

    return charge_slowly


def _then_dawdle(original: Any) -> Any:
    async def act(*given: Any) -> None:
        await original(*given)
        await asyncio.sleep(0.01)

    return act


async def _rows_in_the_opposite_order(database: Database, rules: SendSettings) -> None:
    async with database.write() as tx:
        for which in range(3):
            for lane in Lane:
                user_id = ALICE if lane is Lane.ACCOUNT else None
                charges = await shield._charges(tx, send(number(which), lane=lane, user_id=user_id), rules)
                for each in reversed(charges):
                    await budgets.charge(tx, [each], NOW)
