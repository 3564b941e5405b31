"""Wrong codes in a row for one factor: counted exactly, kept apart, there after a restart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from otp_auth.accounts.models import User
from otp_auth.database import Database
from otp_auth.factors.failures import clear_failures, disabled_factors, enable_others, note_failure
from otp_auth.factors.models import FactorFailures, FactorKind
from otp_auth.identifiers import new_id
from support.service import new_number

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PHONE, RECOVERY_CODE = FactorKind.PHONE, FactorKind.RECOVERY_CODE


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def ada(database: Database) -> UUID:
    return await new_user(database)


async def new_user(database: Database) -> UUID:
    user = User(
        id=new_id(), phone_number=new_number(), phone_verified_at=NOW, password_hash="none", created_at=NOW
    )
    async with database.write() as tx:
        tx.add(user)
    return user.id


async def fail(database: Database, user_id: UUID, factor: FactorKind = PHONE, cap: int = 3) -> bool:
    async with database.write() as tx:
        return await note_failure(tx, user_id, factor, cap, NOW)


async def disabled(database: Database, user_id: UUID) -> set[FactorKind]:
    async with database.read() as tx:
        return await disabled_factors(tx, user_id)


async def in_a_row(database: Database, user_id: UUID) -> int | None:
    counted = FactorFailures.user_id == user_id, FactorFailures.factor == PHONE
    async with database.read() as tx:
        return await tx.scalar(select(FactorFailures.in_a_row).where(*counted))


async def test_the_one_that_reaches_the_cap_shuts_the_factor_off(database: Database, ada: UUID) -> None:
    assert [await fail(database, ada) for _ in range(5)] == [False, False, True, False, False]
    assert await disabled(database, ada) == {PHONE}


async def test_a_cap_of_one(database: Database, ada: UUID) -> None:
    assert [await fail(database, ada, cap=1) for _ in range(2)] == [True, False]
    assert await disabled(database, ada) == {PHONE}


async def test_factors_and_accounts_are_counted_apart(database: Database, ada: UUID) -> None:
    bob = await new_user(database)
    for user_id, factor in ((ada, PHONE), (ada, PHONE), (ada, RECOVERY_CODE), (bob, PHONE)):
        await fail(database, user_id, factor)

    assert await disabled(database, ada) == set()
    assert await fail(database, ada)
    assert await disabled(database, ada) == {PHONE}
    assert await disabled(database, bob) == set()


async def test_only_a_success_of_the_same_factor_clears_its_count(database: Database, ada: UUID) -> None:
    await fail(database, ada)
    await fail(database, ada)
    async with database.write() as tx:
        await clear_failures(tx, ada, RECOVERY_CODE)
        await enable_others(tx, ada, RECOVERY_CODE)
    assert await in_a_row(database, ada) == 2

    async with database.write() as tx:
        await clear_failures(tx, ada, PHONE)
    assert [await fail(database, ada) for _ in range(3)] == [False, False, True]


async def test_another_factor_brings_one_that_is_off_back(database: Database, ada: UUID) -> None:
    for _ in range(3):
        await fail(database, ada)
        await fail(database, ada, RECOVERY_CODE)
    async with database.write() as tx:
        await enable_others(tx, ada, RECOVERY_CODE)

    assert await disabled(database, ada) == {RECOVERY_CODE}
    assert [await fail(database, ada) for _ in range(3)] == [False, False, True]


async def test_the_try_that_reached_the_cap_may_prove_right(database: Database, ada: UUID) -> None:
    for _ in range(3):
        await fail(database, ada)
    async with database.write() as tx:
        await clear_failures(tx, ada, PHONE)

    assert await disabled(database, ada) == set()


async def test_a_lower_cap_holds_at_once(database: Database, ada: UUID) -> None:
    for _ in range(5):
        await fail(database, ada, cap=50)

    assert await fail(database, ada, cap=3)


async def test_fifty_at_once_are_fifty(database: Database, ada: UUID) -> None:
    shut_off = await asyncio.gather(*(fail(database, ada, cap=50) for _ in range(50)))

    assert shut_off.count(True) == 1
    assert await in_a_row(database, ada) == 50
    assert await disabled(database, ada) == {PHONE}


async def test_counted_by_reading_first_they_would_be_fewer(database: Database, ada: UUID) -> None:
    everybody_has_read = asyncio.Barrier(20)

    async def read_then_write() -> None:
        seen = await in_a_row(database, ada) or 0
        await everybody_has_read.wait()
        async with database.write() as tx:
            await tx.merge(FactorFailures(user_id=ada, factor=PHONE, in_a_row=seen + 1, disabled_at=None))

    await fail(database, ada)
    await asyncio.gather(*(read_then_write() for _ in range(20)))

    assert (await in_a_row(database, ada) or 0) < 21


async def test_a_restart_forgets_nothing(database_url: str) -> None:
    before = Database(database_url)
    ada = await new_user(before)
    for _ in range(2):
        await fail(before, ada)
    await before.close()

    after = Database(database_url)
    assert await fail(after, ada)
    await after.close()
