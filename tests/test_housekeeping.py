"""What expired over a day ago goes; the rest stays."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from otp_auth import housekeeping
from otp_auth.accounts.models import KnownNetwork, User
from otp_auth.audit.models import AuditEvent, OutgoingEvent
from otp_auth.budgets import Spending
from otp_auth.challenges.models import Challenge, ProviderEvent, Purpose
from otp_auth.database import Base, Database
from otp_auth.factors.totp import Seeds
from otp_auth.logs import configure_logs
from otp_auth.sealing import new_sealer
from otp_auth.sending.models import Conversion, Cooldown, Lane
from otp_auth.sessions.models import RefreshToken, Session
from otp_auth.settings import Settings, load_settings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOTHING = dict.fromkeys(
    (
        "challenges",
        "sessions",
        "seals",
        "budgets",
        "cooldowns",
        "conversions",
        "known networks",
        "password resets",
        "resets in force",
        "unconfirmed apps",
        "provider events",
        "devices",
        "device seals",
        "audit events",
        "outgoing events",
    ),
    0,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def settings() -> Settings:
    return load_settings()


def _user() -> User:
    now = datetime.now(UTC)
    return User(
        id=uuid4(), phone_number="+46700000000", phone_verified_at=now, password_hash="x", created_at=now
    )


def _challenge(expires_at: datetime, closed_at: datetime | None = None) -> Challenge:
    return Challenge(
        purpose=Purpose.REGISTER,
        phone_number="+46700000001",
        attempts_left=3,
        sends_left=3,
        created_at=expires_at - HOUR,
        expires_at=expires_at,
        pending_until=expires_at,
        closed_at=closed_at,
    )


def _session(user_id: UUID, expires_at: datetime, ended_at: datetime | None = None) -> Session:
    begun = expires_at - 30 * DAY
    return Session(
        id=uuid4(),
        user_id=user_id,
        amr=["pwd"],
        acr="aal2",
        auth_time=begun,
        created_at=begun,
        last_used_at=begun,
        idle_until=expires_at,
        expires_at=expires_at,
        ended_at=ended_at,
    )


def _refresh_token(session: Session) -> RefreshToken:
    return RefreshToken(digest=uuid4().hex, session_id=session.id, created_at=session.created_at)


def _cooldown(phone_number: str, next_send_at: datetime) -> Cooldown:
    return Cooldown(
        phone_number=phone_number,
        lane=Lane.STRANGER,
        sends=1,
        reference=uuid4(),
        last_send_at=next_send_at - HOUR,
        next_send_at=next_send_at,
    )


async def _add(database: Database, *rows: Base) -> None:
    async with database.write() as tx:
        for row in rows:
            tx.add(row)
            await tx.flush()


async def _count(database: Database, table: type[Base]) -> int:
    async with database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(table)) or 0


async def test_what_ended_over_a_day_ago_goes(database: Database, settings: Settings) -> None:
    old = datetime.now(UTC) - DAY - HOUR
    user = _user()
    session = _session(user.id, old)
    await _add(
        database,
        user,
        session,
        _refresh_token(session),
        _challenge(old),
        _challenge(old, closed_at=old),
        _cooldown("+46700000002", old),
        Spending(key="guesses:over", window=300, spent=1, allowed=5, ends_at=old),
    )

    counts = await housekeeping.purge(database, settings)

    assert counts == NOTHING | {"challenges": 2, "sessions": 1, "budgets": 1, "cooldowns": 1}
    for table in (Challenge, Session, RefreshToken, Cooldown):
        assert await _count(database, table) == 0
    assert await _count(database, User) == 1


async def test_a_session_that_was_logged_out_goes_before_its_time(
    database: Database, settings: Settings
) -> None:
    now = datetime.now(UTC)
    user = _user()
    logged_out = _session(user.id, now + DAY, ended_at=now - DAY - HOUR)
    await _add(database, user, logged_out, _refresh_token(logged_out))

    assert await housekeeping.purge(database, settings) == NOTHING | {"sessions": 1}
    assert await _count(database, RefreshToken) == 0


async def test_a_seal_past_its_grace_goes_also_where_nobody_refreshes(
    database: Database, settings: Settings
) -> None:
    now, grace = datetime.now(UTC), settings.session_policy.grace
    user = _user()
    resting = _session(user.id, now + DAY)
    old, fresh = (
        RefreshToken(
            digest=uuid4().hex, session_id=resting.id, created_at=now, spent_at=spent, sealed_successor="ab"
        )
        for spent in (now - grace, now + HOUR)
    )
    await _add(database, user, resting, old, fresh)

    assert await housekeeping.purge(database, settings) == NOTHING | {"seals": 1}

    async with database.read() as tx:
        sealed = RefreshToken.sealed_successor.is_not(None)
        assert (await tx.scalars(select(RefreshToken.digest).where(sealed))).all() == [fresh.digest]


async def test_the_rest_stays(database: Database, settings: Settings) -> None:
    now = datetime.now(UTC)
    user = _user()
    live, recent = _session(user.id, now + DAY), _session(user.id, now - DAY + HOUR)
    logged_out = _session(user.id, now + DAY, ended_at=now - HOUR)
    await _add(database, user, live, recent, logged_out, *map(_refresh_token, (live, recent)))
    await _add(database, _challenge(now + HOUR), _challenge(now - DAY + HOUR), _challenge(now, closed_at=now))
    await _add(database, Spending(key="guesses:runs", window=300, spent=1, allowed=5, ends_at=now + HOUR))
    await _add(database, _cooldown("+46700000002", now + HOUR), _cooldown("+46700000003", now - HOUR))

    counts = await housekeeping.purge(database, settings)

    assert counts == NOTHING
    found = [await _count(database, table) for table in (User, Session, RefreshToken, Challenge, Cooldown)]
    assert found == [1, 3, 2, 3, 2]


async def test_only_the_old_goes_where_both_are(database: Database, settings: Settings) -> None:
    now = datetime.now(UTC)
    old, recent = _cooldown("+46700000002", now - 2 * DAY), _cooldown("+46700000003", now)
    await _add(database, old, recent)

    await housekeeping.purge(database, settings)

    async with database.read() as tx:
        assert (await tx.scalars(select(Cooldown.phone_number))).all() == ["+46700000003"]


async def test_a_second_purge_finds_nothing(database: Database, settings: Settings) -> None:
    await _add(database, _challenge(datetime.now(UTC) - 2 * DAY))

    await housekeeping.purge(database, settings)

    assert set((await housekeeping.purge(database, settings)).values()) == {0}


@pytest.mark.parametrize(
    ("name", "kept_for"),
    [
        ("conversions", DAY),
        ("known networks", 90 * DAY),
        ("provider events", DAY),
        ("audit events", 90 * DAY),
        ("outgoing events", 8 * DAY),  # a day after nobody tries any more
    ],
)
async def test_what_is_remembered_goes_in_the_end(
    database: Database, settings: Settings, name: str, kept_for: timedelta
) -> None:
    user = _user()
    await _add(database, user)
    now = datetime.now(UTC)
    for age in (kept_for - HOUR, kept_for + 2 * HOUR):
        at = now - age
        remembered = {
            "conversions": Conversion(area="SE", begins_at=at, sends=1, proofs=0),
            "known networks": KnownNetwork(user_id=user.id, network=f"{age}", last_used_at=at),
            "provider events": ProviderEvent(verification_id=f"{age}", event="x", received_at=at),
            "audit events": AuditEvent(name="code_sent", at=at, detail={}),
            "outgoing events": OutgoingEvent(body="{}", created_at=at, next_try_at=at),
        }
        await _add(database, remembered[name])

    assert await housekeeping.purge(database, settings) == NOTHING | {name: 1}


async def test_the_audit_trail_is_kept_as_long_as_is_set(database: Database) -> None:
    now = datetime.now(UTC)
    for age in (DAY - HOUR, DAY + HOUR):
        await _add(database, AuditEvent(name="code_sent", at=now - age, detail={}))

    counts = await housekeeping.purge(database, load_settings(audit={"retention": 86_400}))

    assert counts == NOTHING | {"audit events": 1}


async def test_it_goes_on_after_the_database_was_away(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outages: Iterator[Exception] = iter([OperationalError("DELETE", {}, Exception()), ConnectionError()])
    is_back, never = asyncio.Event(), asyncio.Event()

    async def purge(_database: Database, _settings: Settings) -> dict[str, int]:
        for outage in outages:
            raise outage
        is_back.set()
        await never.wait()
        return {}

    monkeypatch.setattr(housekeeping, "purge", purge)
    monkeypatch.setattr(housekeeping, "FIRST_DELAY", timedelta(0))
    monkeypatch.setattr(housekeeping, "INTERVAL", timedelta(0))
    log = io.StringIO()
    configure_logs(settings, log)

    seeds = Seeds(new_sealer(settings))
    task = asyncio.create_task(housekeeping.purge_regularly(database, settings, seeds))
    await asyncio.wait_for(is_back.wait(), 10)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert [json.loads(line)["cause"] for line in log.getvalue().splitlines()] == [
        "OperationalError",
        "ConnectionError",
    ]
