"""The outbox: which events are told, and that each stands or falls with its change."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select

from otp_auth.accounts.models import User
from otp_auth.audit.models import AuditEvent, EventName, OutgoingEvent
from otp_auth.audit.outbox import open_database
from otp_auth.audit.trail import AuditTrail, record
from otp_auth.database import Database
from otp_auth.settings import load_settings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NETWORK = "203.0.113.0/24"
NOT_TOLD = {
    EventName.CODE_SENT,
    EventName.SEND_REFUSED,
    EventName.LOGIN_FAILED,
    EventName.LOGOUT,
    EventName.SESSION_REVOKED,
    EventName.PASSWORD_RESET_REQUESTED,
}
SOMETIMES = {EventName.LOGIN_SUCCEEDED: "new_network", EventName.SECOND_FACTOR_FAILED: "repeated"}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    settings = load_settings(database_url=database_url, events={"url": "https://app.example.com/events"})
    database = open_database(settings)
    yield database
    await database.close()


@pytest.fixture
async def user_id(database: Database) -> UUID:
    user = User(
        id=uuid4(), phone_number="+46700000000", phone_verified_at=NOW, password_hash="x", created_at=NOW
    )
    async with database.write() as tx:
        tx.add(user)
    return user.id


async def _outbox(database: Database) -> Sequence[OutgoingEvent]:
    async with database.read() as tx:
        return (await tx.scalars(select(OutgoingEvent).order_by(OutgoingEvent.id))).all()


async def test_an_event_says_what_happened_and_to_whom(database: Database, user_id: UUID) -> None:
    session_id = uuid4()
    with time_machine.travel(NOW, tick=False):
        async with database.write() as tx:
            detail = {"method": "totp", "number": "+46700000000"}
            event = record(
                tx,
                EventName.FACTOR_ADDED,
                user_id=user_id,
                session_id=session_id,
                network=NETWORK,
                detail=detail,
            )

    [outgoing] = await _outbox(database)
    assert (outgoing.id, outgoing.created_at, outgoing.next_try_at) == (event.id, NOW, NOW)
    assert json.loads(outgoing.body) == {
        "id": str(event.id),
        "name": "factor_added",
        "at": "2026-11-24T12:00:00.000Z",
        "user_id": str(user_id),
        "session_id": str(session_id),
        "detail": {"method": "totp", "number": "***"},
    }


@pytest.mark.parametrize("name", EventName)
async def test_what_an_owner_should_hear_is_told(database: Database, user_id: UUID, name: EventName) -> None:
    async with database.write() as tx:
        record(tx, name, user_id=user_id)
    told = len(await _outbox(database))

    assert told == (0 if name in NOT_TOLD or name in SOMETIMES else 1)


@pytest.mark.parametrize(("name", "word"), SOMETIMES.items())
@pytest.mark.parametrize(("value", "told"), [(True, 1), (False, 0), (None, 0), ("true", 0)])
async def test_some_are_told_where_it_matters(
    database: Database, user_id: UUID, name: EventName, word: str, value: object, told: int
) -> None:
    async with database.write() as tx:
        record(tx, name, user_id=user_id, detail={word: value})

    assert len(await _outbox(database)) == told


async def test_it_is_rolled_back_with_its_change(database: Database, user_id: UUID) -> None:
    async def record_and_fail() -> None:
        async with database.write() as tx:
            record(tx, EventName.PASSWORD_CHANGED, user_id=user_id)
            await tx.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await record_and_fail()

    assert await _outbox(database) == []


async def test_of_nobody_nothing_is_told(database: Database) -> None:
    await AuditTrail(database).record_alone(EventName.ACCOUNT_CREATED)

    assert await _outbox(database) == []


async def test_a_deletion_is_told_of_an_account_that_is_gone(database: Database, user_id: UUID) -> None:
    async with database.write() as tx:
        record(tx, EventName.ACCOUNT_DELETED, user_id=user_id)
        await tx.flush()
        await tx.delete(await tx.get_one(User, user_id))

    [outgoing] = await _outbox(database)
    assert json.loads(outgoing.body)["user_id"] == str(user_id)


async def test_where_nobody_listens_only_the_trail_is_written(database_url: str) -> None:
    database = open_database(load_settings(database_url=database_url))
    user = User(
        id=uuid4(), phone_number="+46700000000", phone_verified_at=NOW, password_hash="x", created_at=NOW
    )
    async with database.write() as tx:
        tx.add(user)
        await tx.flush()
        record(tx, EventName.ACCOUNT_CREATED, user_id=user.id)

    assert await _outbox(database) == []
    async with database.read() as tx:
        assert len((await tx.scalars(select(AuditEvent))).all()) == 1
    await database.close()
