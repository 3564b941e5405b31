from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from otp_auth.accounts.known_networks import KNOWN_FOR, is_known, note_network, purge
from otp_auth.accounts.models import KnownNetwork, User
from otp_auth.database import Database
from otp_auth.identifiers import new_id
from support.service import new_number

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOME, OFFICE = "192.0.2.0/24", "2001:db8:1:2::/64"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def ada(database: Database) -> UUID:
    user = User(
        id=new_id(), phone_number=new_number(), phone_verified_at=NOW, password_hash="none", created_at=NOW
    )
    async with database.write() as tx:
        tx.add(user)
    return user.id


async def note(database: Database, user_id: UUID, network: str | None, now: datetime) -> None:
    async with database.write() as tx:
        await note_network(tx, user_id, network, now)


async def known(database: Database, user_id: UUID | None, network: str | None, now: datetime) -> bool:
    async with database.read() as tx:
        return await is_known(tx, user_id, network, now)


async def test_known_is_where_the_account_logged_in(database: Database, ada: UUID) -> None:
    await note(database, ada, HOME, NOW)

    assert await known(database, ada, HOME, NOW)
    assert not await known(database, ada, OFFICE, NOW)
    assert not await known(database, ada, None, NOW)
    assert not await known(database, new_id(), HOME, NOW)
    assert not await known(database, None, HOME, NOW)


async def test_each_login_keeps_it_known(database: Database, ada: UUID) -> None:
    await note(database, ada, HOME, NOW)
    await note(database, ada, HOME, NOW + timedelta(days=60))

    assert await known(database, ada, HOME, NOW + timedelta(days=149))
    assert not await known(database, ada, HOME, NOW + timedelta(days=150))


async def test_nowhere_is_never_known(database: Database, ada: UUID) -> None:
    await note(database, ada, None, NOW)

    assert not await known(database, ada, None, NOW)
    assert not await known(database, None, None, NOW)


async def test_what_is_known_no_longer_is_deleted(database: Database, ada: UUID) -> None:
    await note(database, ada, HOME, NOW)
    await note(database, ada, OFFICE, NOW + timedelta(days=1))

    async with database.write() as tx:
        assert await purge(tx, NOW + KNOWN_FOR) == 1
        assert list(await tx.scalars(select(KnownNetwork.network))) == [OFFICE]
