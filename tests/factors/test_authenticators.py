"""An app in the database: what counts, and what a time step is good for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pyotp
import pytest
import time_machine
from test_factor_failures import new_user

from otp_auth.database import Database
from otp_auth.factors.authenticators import TotpMatch, TotpRepository, confirm, enrol, remove, use_step
from otp_auth.factors.totp import Seeds
from otp_auth.sealing import Sealer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SEED = b"12345678901234567890"
SEEDS = Seeds(Sealer("the-present-secret-0123456789-abcdef"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def ada(database: Database) -> UUID:
    user_id = await new_user(database)
    with time_machine.travel(NOON, tick=False):
        async with database.write() as tx:
            assert await enrol(tx, user_id, SEEDS.seal(SEED, user_id))
    return user_id


def code_at(moment: datetime) -> str:
    return pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").at(moment)


async def matches(database: Database, user_id: UUID) -> bool:
    with time_machine.travel(NOON, tick=False):
        return await TotpRepository(database, SEEDS).match(user_id, code_at(NOON)) is not None


async def uses(database: Database, match: TotpMatch) -> bool:
    async with database.write() as tx:
        return await use_step(tx, match)


async def test_a_right_code_counts_only_once_the_app_is_confirmed(database: Database, ada: UUID) -> None:
    assert not await matches(database, ada)
    assert not await uses(database, TotpMatch(ada, NOON, 7))
    async with database.write() as tx:
        assert await confirm(tx, TotpMatch(ada, NOON, 1)) is not None

    assert await matches(database, ada)
    assert await uses(database, TotpMatch(ada, NOON, 7))


async def test_only_a_newer_step_is_unused(database: Database, ada: UUID) -> None:
    async with database.write() as tx:
        await confirm(tx, TotpMatch(ada, NOON, 4))

    assert [await uses(database, TotpMatch(ada, NOON, step)) for step in (3, 4, 6, 6, 5, 7)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


async def test_what_an_earlier_app_showed_uses_nothing_of_a_later_one(database: Database, ada: UUID) -> None:
    async with database.write() as tx:
        assert await confirm(tx, TotpMatch(ada, NOON, 1)) is not None
        assert await remove(tx, ada)
        assert await enrol(tx, ada, SEEDS.seal(SEED, ada))
        assert await confirm(tx, TotpMatch(ada, NOON, 2)) is None

    assert not await uses(database, TotpMatch(ada, NOON, 9))
