"""What is written down stands or falls with its transaction, and holds no secret."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select

from otp_auth import logs
from otp_auth.accounts.models import User
from otp_auth.audit import trail
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.audit.trail import AuditTrail, record
from otp_auth.database import Database

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NETWORK = "203.0.113.0/24"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
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


async def _events(database: Database) -> Sequence[AuditEvent]:
    """All events, newest first."""
    async with database.read() as tx:
        return (await tx.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()))).all()


async def _record_and_fail(database: Database, user_id: UUID) -> None:
    async with database.write() as tx:
        record(tx, EventName.CODE_SENT, user_id=user_id)
        await tx.flush()
        raise ZeroDivisionError


async def test_what_happened_is_written_down(database: Database, user_id: UUID) -> None:
    token = logs.request_id.set("a-request")
    try:
        with time_machine.travel(NOW, tick=False):
            async with database.write() as tx:
                detail = {"method": "sms", "country": "SE"}
                record(tx, EventName.CODE_SENT, user_id=user_id, network=NETWORK, detail=detail)
    finally:
        logs.request_id.reset(token)

    [event] = await _events(database)
    assert (event.name, event.at, event.user_id) == ("code_sent", NOW, user_id)
    assert (event.network, event.request_id) == (NETWORK, "a-request")
    assert event.detail == {"method": "sms", "country": "SE"}


async def test_nobody_and_nothing_need_be_known(database: Database) -> None:
    await AuditTrail(database).record_alone(EventName.LOGIN_SUCCEEDED)

    [event] = await _events(database)
    assert (event.user_id, event.network, event.request_id, event.detail) == (None, None, None, {})


async def test_it_is_rolled_back_with_its_transaction(database: Database, user_id: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        await _record_and_fail(database, user_id)

    assert await _events(database) == []


async def test_a_refusal_is_recorded_after_the_rollback(database: Database, user_id: UUID) -> None:
    audit = AuditTrail(database)
    with pytest.raises(ZeroDivisionError):
        await _record_and_fail(database, user_id)
    await audit.record_alone(
        EventName.SEND_REFUSED, user_id=user_id, network=NETWORK, detail={"reasons": ["block", "cost"]}
    )

    [event] = await _events(database)
    assert (event.name, event.user_id, event.network) == ("send_refused", user_id, NETWORK)
    assert event.detail == {"reasons": ["block", "cost"]}


async def test_it_joins_a_transaction_that_makes_the_user(database: Database) -> None:
    user = User(
        id=uuid4(), phone_number="+46700000001", phone_verified_at=NOW, password_hash="x", created_at=NOW
    )
    async with database.write() as tx:
        tx.add(user)
        await tx.flush()
        record(tx, EventName.CODE_SENT, user_id=user.id)

    assert [event.user_id for event in await _events(database)] == [user.id]


async def test_the_newest_comes_first(database: Database) -> None:
    audit = AuditTrail(database)
    names = list(EventName)
    with time_machine.travel(NOW, tick=False) as clock:
        for name in names:
            await audit.record_alone(name)
            clock.shift(timedelta(milliseconds=1))

    assert [event.name for event in await _events(database)] == [name.value for name in reversed(names)]


async def test_what_is_old_goes(database: Database) -> None:
    audit = AuditTrail(database)
    with time_machine.travel(NOW, tick=False) as clock:
        for name in (EventName.CODE_SENT, EventName.SEND_REFUSED, EventName.LOGIN_SUCCEEDED):
            await audit.record_alone(name)
            clock.shift(timedelta(days=1))

    async with database.write() as tx:
        gone = await trail.purge(tx, NOW + timedelta(days=1))
        again = await trail.purge(tx, NOW + timedelta(days=1))

    assert (gone, again) == (1, 0)
    assert [event.name for event in await _events(database)] == ["login_succeeded", "send_refused"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        pytest.param("sms", "sms", id="method"),
        pytest.param("country_budget", "country_budget", id="reason"),
        pytest.param("SE", "SE", id="country"),
        pytest.param("001", "001", id="no country"),
        pytest.param(True, True, id="flag"),
        pytest.param(None, None, id="none"),
        pytest.param(["block", "cost"], ["block", "cost"], id="reasons"),
        pytest.param(EventName.CODE_SENT, "code_sent", id="enum"),
        pytest.param("+46701740605", "***", id="phone number"),
        pytest.param("46701740605", "***", id="phone number without plus"),
        pytest.param("\uff0b\uff14\uff16\uff17\uff10", "***", id="full-width number"),
        pytest.param("123456", "***", id="code"),
        pytest.param(123456, "***", id="code as a number"),
        pytest.param("K7WQZD", "***", id="alphanumeric code"),
        pytest.param("ABCD-EFGH-JKLM-NPQR-STUV-WXYZ", "***", id="recovery code"),
        pytest.param("abcd-efgh-jklm-npqr-stuv-wxyz", "***", id="recovery code in small letters"),
        pytest.param("198.51.100.1", "***", id="address"),
        pytest.param("somebody@example.com", "***", id="e-mail"),
        pytest.param("a" * 41, "***", id="long"),
        pytest.param("sms\n", "***", id="line end"),
        pytest.param(["block", "+46701740605"], ["block", "***"], id="number among reasons"),
        pytest.param({"number": "+46701740605"}, "***", id="object"),
        pytest.param(uuid4(), "***", id="id"),
    ],
)
async def test_a_detail_holds_words_alone(sqlite_database: str, given: object, stored: object) -> None:
    database = Database(sqlite_database)
    await AuditTrail(database).record_alone(EventName.SEND_REFUSED, detail={"given": given})

    [event] = await _events(database)
    await database.close()
    assert event.detail == {"given": stored}
    assert type(event.detail["given"]) is type(stored)
