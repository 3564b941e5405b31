"""The one writer of SQLite: transactions take turns in the order in which they came."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from otp_auth import database as module
from otp_auth.database import Database
from otp_auth.errors import OverloadedError


@pytest_asyncio.fixture
async def database(sqlite_database: str) -> AsyncIterator[Database]:
    opened = Database(sqlite_database)
    yield opened
    await opened.close()


async def test_writers_go_in_the_order_in_which_they_came(database: Database) -> None:
    done: list[int] = []

    async def write(number: int) -> None:
        async with database.write():
            done.append(number)

    async with database.write():
        waiting = [asyncio.create_task(write(number)) for number in range(30)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert done == list(range(30))


async def test_who_waits_for_too_long_is_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.01)

    async with database.write():
        with pytest.raises(OverloadedError):
            async with database.write():
                pass

    async with database.write():  # nobody holds the turn any more
        pass


async def test_a_turn_ends_with_a_transaction_that_fails(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with database.write():
                raise ZeroDivisionError
