"""The breaker on unproved messages: `play` tells a story, minute by minute, and asks in the end."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from shield_policy import NOW, number, opened, policy

from otp_auth.database import Database
from otp_auth.sending import conversions
from otp_auth.sending.reasons import Reason, Refusal
from otp_auth.settings import SendSettings

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SHARP = policy(breaker_minimum=10, breaker_ratio=3)
HERE = number()
ELSEWHERE = number(block=999)  # another block of the same country
ABROAD = "+4915123456789"
BUCKET_OF_NOW = NOW - MINUTE


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as running:
        yield running


async def sends(database: Database, count: int, at: datetime = NOW, **where: Any) -> None:
    async with database.write() as tx:
        for which in range(count):
            await conversions.note_send(tx, number(which, **where), at)


async def spread_sends(database: Database, count: int, at: datetime = NOW) -> None:
    async with database.write() as tx:
        for which in range(count):
            await conversions.note_send(tx, number(block=which), at)


async def proofs(database: Database, count: int, at: datetime = NOW, **where: Any) -> None:
    async with database.write() as tx:
        for which in range(count):
            await conversions.note_proof(tx, number(which, **where), at)


async def suspicion(
    database: Database, phone_number: str = HERE, at: datetime = NOW, rules: SendSettings = SHARP
) -> Refusal | None:
    async with database.read() as tx:
        return await conversions.suspicion(tx, phone_number, rules, at)


async def reason(database: Database, phone_number: str = HERE, at: datetime = NOW) -> Reason | None:
    found = await suspicion(database, phone_number, at)
    return found.reason if found else None


async def test_nothing_is_suspicious_in_a_fresh_database(database: Database) -> None:
    assert await suspicion(database) is None


@pytest.mark.parametrize(("count", "expected"), [(9, None), (10, Reason.BLOCK_CONVERSION)])
async def test_unproved_messages_to_a_block_open_it(
    database: Database, count: int, expected: Reason | None
) -> None:
    await sends(database, count)

    assert await reason(database) is expected


@pytest.mark.parametrize(("count", "expected"), [(9, None), (10, Reason.COUNTRY_CONVERSION)])
async def test_unproved_messages_all_over_a_country_open_it(
    database: Database, count: int, expected: Reason | None
) -> None:
    await spread_sends(database, count)

    assert await reason(database, ELSEWHERE) is expected
    assert await reason(database, ABROAD) is None


@pytest.mark.parametrize(("proved", "expected"), [(4, None), (3, Reason.BLOCK_CONVERSION)])
async def test_three_messages_for_a_proof_are_normal(
    database: Database, proved: int, expected: Reason | None
) -> None:
    await sends(database, 12)
    await proofs(database, proved)

    assert await reason(database) is expected


async def test_one_block_does_not_close_its_country_and_five_do(database: Database) -> None:
    seen = []
    for block in range(5):
        await sends(database, 50, block=block)
        seen.append(await reason(database, ELSEWHERE))

    assert seen == [None, None, None, None, Reason.COUNTRY_CONVERSION]


async def test_the_proofs_of_a_suspicious_block_do_not_help_its_country(database: Database) -> None:
    await sends(database, 40, block=500)
    await proofs(database, 10, block=500)
    await spread_sends(database, 9)

    # Nine and a share of two, of which the ten proofs forgive one.
    assert await reason(database, ELSEWHERE) is Reason.COUNTRY_CONVERSION


async def test_it_closes_by_itself_when_messages_leave_the_hour(database: Database) -> None:
    await sends(database, 5, NOW - 20 * MINUTE)
    await sends(database, 6)

    found = await suspicion(database)

    end = BUCKET_OF_NOW - 20 * MINUTE + HOUR
    assert found == Refusal(Reason.BLOCK_CONVERSION, end)
    assert await suspicion(database, at=end - timedelta(seconds=1)) is not None
    assert await suspicion(database, at=end) is None


async def test_it_stays_while_enough_of_them_are_left(database: Database) -> None:
    await sends(database, 5, NOW - 20 * MINUTE)
    await sends(database, 10)

    assert await suspicion(database) == Refusal(Reason.BLOCK_CONVERSION, BUCKET_OF_NOW + HOUR)


async def test_it_closes_when_proofs_arrive(database: Database) -> None:
    await sends(database, 12)
    await proofs(database, 3, NOW + MINUTE)
    before = await reason(database, at=NOW + MINUTE)
    await proofs(database, 1, NOW + MINUTE)

    assert before is Reason.BLOCK_CONVERSION
    assert await reason(database, at=NOW + MINUTE) is None


async def test_a_country_that_converts_is_forgiven_young_messages(database: Database) -> None:
    await proofs(database, 80, NOW - 5 * HOUR)
    await spread_sends(database, 19)
    before = await reason(database, ELSEWHERE)
    await sends(database, 1, block=777)

    assert before is None
    assert await reason(database, ELSEWHERE) is Reason.COUNTRY_CONVERSION  # 10 beyond the 10 forgiven


async def test_messages_that_grew_old_are_not_forgiven(database: Database) -> None:
    await proofs(database, 80, NOW - 5 * HOUR)
    await spread_sends(database, 19)

    assert await reason(database, ELSEWHERE, NOW + 8 * MINUTE) is None
    assert await reason(database, ELSEWHERE, NOW + 9 * MINUTE) is Reason.COUNTRY_CONVERSION


async def test_a_day_later_the_proofs_are_forgotten(database: Database) -> None:
    await proofs(database, 80, BUCKET_OF_NOW - 24 * HOUR)
    await spread_sends(database, 19, NOW)

    assert await reason(database, ELSEWHERE, NOW) is Reason.COUNTRY_CONVERSION


async def test_normal_traffic_is_spared(database: Database) -> None:
    """Half of the messages are proved, two minutes later, hour after hour, and a rush in the morning."""
    for minute in range(0, 180, 3):
        at = NOW + minute * MINUTE
        await sends(database, 4, at, block=minute)
        assert await reason(database, ELSEWHERE, at) is None
        await proofs(database, 2, at + 2 * MINUTE, block=minute)
    rush = NOW + 180 * MINUTE
    for block in range(4):
        await sends(database, 8, rush, block=500 + block)

    assert await reason(database, ELSEWHERE, rush) is None


async def test_purge_keeps_a_day(database: Database) -> None:
    await sends(database, 1, NOW - 25 * HOUR)
    await sends(database, 1, NOW - 23 * HOUR)
    async with database.write() as tx:
        assert await conversions.purge(tx, NOW) == 2
        assert await conversions.purge(tx, NOW) == 0
