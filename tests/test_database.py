"""Transactions of SQLite take turns in the order in which they came; those of PostgreSQL try again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from otp_auth import database as module
from otp_auth.database import Database, again_after_conflict
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


class Meeting:
    """Two transactions, each of which waits for what the other one has locked."""

    def __init__(self, database: Database) -> None:
        self.tries = 0
        self._database = database
        self._both = asyncio.Barrier(2)

    async def lock_crosswise(self, mine: int, other: int) -> int:
        self.tries += 1
        meets = self.tries <= 2
        async with self._database.write() as tx:
            await tx.execute(text(f"SELECT pg_advisory_xact_lock({mine})"))
            if meets:
                await self._both.wait()
            await tx.execute(text(f"SELECT pg_advisory_xact_lock({other})"))
        return mine


class TestConflicts:
    @pytest_asyncio.fixture
    async def on_postgres(self, postgres_database: str) -> AsyncIterator[Database]:
        opened = Database(postgres_database)
        yield opened
        await opened.close()

    async def test_whoever_is_given_up_tries_again(self, on_postgres: Database) -> None:
        meeting = Meeting(on_postgres)
        lock = again_after_conflict(meeting.lock_crosswise)

        assert list(await asyncio.gather(lock(1, 2), lock(2, 1))) == [1, 2]
        assert meeting.tries == 3

    async def test_without_it_one_fails(self, on_postgres: Database) -> None:
        meeting = Meeting(on_postgres)

        done = await asyncio.gather(
            meeting.lock_crosswise(1, 2), meeting.lock_crosswise(2, 1), return_exceptions=True
        )

        assert [type(each) for each in done if not isinstance(each, int)] == [DBAPIError]

    @pytest.mark.parametrize(
        ("code", "tries"), [("40001", module.CONFLICT_TRIES), ("40P01", module.CONFLICT_TRIES), ("55P03", 1)]
    )
    async def test_tries_end_and_nothing_else_is_repeated(
        self, on_postgres: Database, code: str, tries: int
    ) -> None:
        tried = 0

        @again_after_conflict
        async def fail() -> None:
            nonlocal tried
            tried += 1
            async with on_postgres.write() as tx:
                await tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"))

        with pytest.raises(DBAPIError):
            await fail()

        assert tried == tries
