"""Budgets on real databases: charges in parallel, windows that end, moves that lose nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from otp_auth import budgets
from otp_auth.budgets import Budget, Charge, Exhausted, Spending
from otp_auth.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def charge(database: Database, charges: Sequence[Charge], now: datetime = NOW) -> list[Exhausted]:
    """Charge as callers must: a refusal leaves nothing behind."""
    async with database.write() as tx:
        refused = await budgets.charge(tx, charges, now)
        if refused:
            await tx.rollback()
    return refused


async def spent(database: Database) -> dict[tuple[str, int], int]:
    async with database.read() as tx:
        rows = await tx.execute(select(Spending.key, Spending.window, Spending.spent))
        return {(key, window): amount for key, window, amount in rows}


def of(key: str, limit: int, window: timedelta = HOUR, amount: int = 1) -> Charge:
    return Charge(key, Budget(window, limit), amount)


async def test_so_many_and_no_more_until_the_window_ends(database: Database) -> None:
    one = of("key", 2)

    first, second, third = [await charge(database, [one]) for _ in range(3)]
    later = await charge(database, [one], NOW + timedelta(minutes=59))
    anew = await charge(database, [one], NOW + HOUR)

    assert (first, second, anew) == ([], [], [])
    assert third == later == [Exhausted(one, NOW + HOUR)]


async def test_a_refused_charge_leaves_nothing_behind(database: Database) -> None:
    narrow, broad = of("narrow", 5), of("broad", 1)
    await charge(database, [narrow, broad])

    assert await charge(database, [narrow, broad]) == [Exhausted(broad, NOW + HOUR)]
    assert await spent(database) == {("narrow", 3600): 1, ("broad", 3600): 1}


async def test_a_limit_of_none_lets_nothing_through(database: Database) -> None:
    nothing = of("key", 0)

    assert await charge(database, [nothing]) == [Exhausted(nothing, NOW + HOUR)]
    assert await spent(database) == {}


async def test_amounts_fit_or_are_refused_whole(database: Database) -> None:
    assert await charge(database, [of("key", 10, amount=7)]) == []
    assert await charge(database, [of("key", 10, amount=4)]) != []
    assert await charge(database, [of("key", 10, amount=3)]) == []
    assert await charge(database, [of("other", 10, amount=11)]) != []
    assert await spent(database) == {("key", 3600): 10}


async def test_a_limit_that_was_lowered_counts_at_once(database: Database) -> None:
    await charge(database, [of("key", 10, amount=5)])

    assert await charge(database, [of("key", 5)]) == [Exhausted(of("key", 5), NOW + HOUR)]


async def test_what_is_spent_is_told(database: Database) -> None:
    hour, day, full = of("key", 5), of("key", 9, DAY, amount=2), of("full", 0)
    async with database.write() as tx:
        await budgets.charge(tx, [hour, day], NOW)
        refused, counted = await budgets.charge_and_count(tx, [hour, day, full], NOW)

    assert counted == {hour: 2, day: 4}
    assert [each.charge for each in refused] == [full]


async def test_looking_takes_nothing_and_says_the_same(database: Database) -> None:
    two, none, big = of("two", 2), of("none", 0), of("big", 5, amount=6)
    async with database.write() as tx:
        before = await budgets.exhausted(tx, [two, none, big], NOW)
        await budgets.charge(tx, [two], NOW)
        await budgets.charge(tx, [two], NOW)
        after = await budgets.exhausted(tx, [two], NOW + timedelta(minutes=1))
        anew = await budgets.exhausted(tx, [two], NOW + HOUR)

    assert [each.charge for each in before] == [none, big]
    assert after == [Exhausted(two, NOW + HOUR)]
    assert anew == []
    assert await spent(database) == {("two", 3600): 2}


async def test_a_refund_gives_back_no_more_than_was_spent(database: Database) -> None:
    await charge(database, [of("key", 10, amount=5), of("key", 10, DAY, amount=9)])
    async with database.write() as tx:
        await budgets.refund(tx, "key", NOW, amount=7)

    assert await spent(database) == {("key", 3600): 0, ("key", 86400): 2}


async def test_a_move_takes_one_of_each_running_window(database: Database) -> None:
    both = [of("source", 9), of("source", 9, DAY)]
    await charge(database, both)
    await charge(database, [*both, of("target", 9, DAY, amount=4)], NOW + timedelta(minutes=30))
    at = NOW + timedelta(minutes=45)
    async with database.write() as tx:
        await budgets.move_one(tx, "source", "target", at)
        await budgets.move_one(tx, "source", "target", at)
        refused = await budgets.exhausted(tx, [of("target", 2), of("target", 6, DAY)], at)

    assert await spent(database) == {
        ("source", 3600): 0,
        ("source", 86400): 0,
        ("target", 3600): 2,
        ("target", 86400): 6,
    }
    assert [each.ends_at for each in refused] == [NOW + HOUR, NOW + timedelta(minutes=30) + DAY]


async def test_a_move_leaves_windows_that_are_over(database: Database) -> None:
    await charge(database, [of("source", 9), of("source", 9, DAY), of("target", 9, amount=3)])
    async with database.write() as tx:
        await budgets.move_one(tx, "source", "target", NOW + HOUR)
        begun_anew = await budgets.exhausted(tx, [of("target", 1)], NOW + HOUR)

    assert begun_anew == []
    assert (await spent(database))["target", 86400] == 1


async def charges_at_once(database: Database, many: int, limit: int) -> int:
    answers = await asyncio.gather(
        *(charge(database, [of(f"own {which}", 1), of("shared", limit)]) for which in range(many))
    )
    return answers.count([])


async def test_a_hundred_at_once_never_pass_the_limit(database: Database) -> None:
    assert await charges_at_once(database, 100, limit=7) == 7
    assert (await spent(database))["shared", 3600] == 7


async def test_without_the_condition_they_would(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = budgets._adding

    def unguarded(tx: Any, now: datetime, *, within_limit: bool) -> Any:
        assert within_limit
        return guarded(tx, now, within_limit=False)

    monkeypatch.setattr(budgets, "_adding", unguarded)

    assert await charges_at_once(database, 100, limit=7) > 7


async def test_a_charge_locks_in_the_order_it_names(database: Database) -> None:
    """Rows lie in the table the other way round, and many at once: else some would deadlock."""
    keys = [f"key {which:02}" for which in range(12)]
    for key in reversed(keys):
        await charge(database, [of(key, 1000)])

    answers = await asyncio.gather(*(charge(database, [of(key, 1000) for key in keys]) for _ in range(60)))

    assert answers == [[]] * 60
    assert set((await spent(database)).values()) == {61}


async def test_moves_and_charges_lose_nothing(database: Database) -> None:
    async def move() -> None:
        async with database.write() as tx:
            await budgets.move_one(tx, "source", "target", NOW)

    both = [of("source", 1000), of("source", 1000, DAY)]
    await charge(database, both)
    await asyncio.gather(*(act for _ in range(30) for act in (charge(database, both), move())))

    counted = await spent(database)
    for window in (3600, 86400):
        assert counted["source", window] + counted["target", window] == 31
        assert counted["target", window] <= 30


async def test_purge_deletes_what_is_over(database: Database) -> None:
    await charge(database, [of("key", 1), of("key", 1, DAY)])
    async with database.write() as tx:
        assert await budgets.purge(tx, NOW + HOUR) == 1

    assert list(await spent(database)) == [("key", 86400)]
