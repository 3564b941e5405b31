"""Events reach the application: signed, each at least once, whatever dies or is down meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from listening_application import SECRET, Application, listening_application
from loguru import logger
from sqlalchemy import select

from otp_auth import metrics
from otp_auth.audit.delivery import (
    Delivery,
    deliver_due,
    deliver_regularly,
    open_delivery,
    sign,
    wait_after,
)
from otp_auth.audit.models import OutgoingEvent
from otp_auth.audit.outbox import MOST_AT_ONCE, Outbox
from otp_auth.database import Database
from otp_auth.settings import EventSettings
from support.simulator import PATIENCE

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NewDelivery = Callable[..., Delivery]


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    async with listening_application() as running:
        yield running


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def new_delivery(database: Database, application: Application) -> AsyncIterator[NewDelivery]:
    """As each worker has one of its own."""
    presets = {"url": application.url, "secret": SECRET, "timeout": timedelta(seconds=5)}
    async with open_delivery(database, EventSettings(**presets)) as delivery:

        def new(**settings: Any) -> Delivery:
            return replace(delivery, settings=EventSettings(**presets | settings))

        yield new


async def _add(database: Database, count: int = 1, at: datetime = NOW) -> list[str]:
    ids = [uuid4() for _ in range(count)]
    async with database.write() as tx:
        for each in ids:
            body = f'{{"id":"{each}","detail":{{"name":"\u00e4"}}}}'
            tx.add(OutgoingEvent(id=each, body=body, created_at=at, tries=0, next_try_at=at))
    return [str(each) for each in ids]


async def _waiting(database: Database) -> dict[str, OutgoingEvent]:
    async with database.read() as tx:
        return {str(each.id): each for each in await tx.scalars(select(OutgoingEvent))}


def _counted(outcome: str) -> float:
    name = f'otp_auth_outgoing_events_total{{outcome="{outcome}"}} '
    lines = metrics.exposition().decode().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_a_signature_is_what_openssl_makes_of_it() -> None:
    # printf '%s' 'event.1614265330.{"test": 1}' | openssl dgst -sha256 -hmac "$SECRET" -binary | base64
    assert (
        sign(SECRET, "event", 1614265330, '{"test": 1}') == "v1,JZ4FFCk1VdqabpElGbE+w4X1oAb+iWMUrds3D/ZSH7Y="
    )


async def test_it_is_sent_once_signed_and_fresh(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    [event_id] = await _add(database)
    before = _counted("delivered")
    with time_machine.travel(NOW + HOUR, tick=False):
        sent = [await deliver_due(new_delivery()) for _ in range(2)]

    [taken] = application.taken
    assert sent == [1, 0]
    assert taken.is_signed()
    assert taken.body["id"] == taken.headers["webhook-id"] == event_id
    assert taken.headers["content-type"] == "application/json"
    assert taken.timestamp == int((NOW + HOUR).timestamp())
    assert await _waiting(database) == {}
    assert _counted("delivered") == before + 1


@pytest.mark.parametrize("status", [300, 302, 307, 400, 401, 410, 429, 500, 503])
async def test_anything_but_a_2xx_is_tried_again_and_no_redirect_followed(
    database: Database, application: Application, new_delivery: NewDelivery, status: int
) -> None:
    ids = await _add(database)
    application.status = status
    before = _counted("failed")
    with time_machine.travel(NOW, tick=False):
        await deliver_due(new_delivery())
        waiting = await _waiting(database)
        at_once = await deliver_due(new_delivery())

    assert (len(application.refused), application.elsewhere, at_once) == (1, [], 0)
    assert list(waiting) == ids
    assert waiting[ids[0]].tries == 1
    assert NOW + timedelta(seconds=10) <= waiting[ids[0]].next_try_at <= NOW + timedelta(seconds=15)
    assert _counted("failed") == before + 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_2xx_is_enough(
    database: Database, application: Application, new_delivery: NewDelivery, status: int
) -> None:
    await _add(database)
    application.status = status

    await deliver_due(new_delivery())

    assert await _waiting(database) == {}


async def test_a_receiver_that_is_down_for_a_while_gets_every_event(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    ids = await _add(database, count=MOST_AT_ONCE + 5)
    application.status = 503
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(12):
            await deliver_due(new_delivery())
            clock.shift(HOUR / 2)
        application.status = 204
        for _ in range(12):
            await deliver_due(new_delivery())
            clock.shift(HOUR / 2)

    assert len(application.refused) > len(ids)
    assert sorted(application.ids) == sorted(ids)
    assert all(each.is_signed() for each in application.refused + application.taken)
    fresh = {each.timestamp for each in application.refused}
    assert len(fresh) > 1
    assert min(each.timestamp for each in application.taken) >= int((NOW + 6 * HOUR).timestamp())
    assert await _waiting(database) == {}


async def test_a_receiver_that_nobody_reaches(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    ids = await _add(database)
    with time_machine.travel(NOW, tick=False) as clock:
        await deliver_due(new_delivery(url="http://127.0.0.1:1/"))
        clock.shift(HOUR)
        await deliver_due(new_delivery())

    assert application.ids == ids


async def test_a_receiver_that_does_not_answer_is_not_waited_for(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    ids = await _add(database)
    application.go_on.clear()

    async with asyncio.timeout(PATIENCE):
        await deliver_due(new_delivery(timeout=timedelta(milliseconds=50)))

    assert list(await _waiting(database)) == ids


async def test_two_workers_share_the_events(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    ids = await _add(database, count=MOST_AT_ONCE)

    await asyncio.gather(*(deliver_due(new_delivery()) for _ in range(4)))

    assert sorted(application.ids) == sorted(ids)


async def test_without_the_condition_they_would_not(
    database: Database, application: Application, new_delivery: NewDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_have_looked = asyncio.Barrier(4)
    find = Outbox.find_due

    async def find_together(outbox: Outbox) -> Any:
        found = await find(outbox)
        await all_have_looked.wait()
        return found

    async def take_whatever(_: Outbox, __: OutgoingEvent, ___: timedelta) -> bool:
        return True

    monkeypatch.setattr(Outbox, "find_due", find_together)
    monkeypatch.setattr(Outbox, "take", take_whatever)
    ids = await _add(database, count=5)

    await asyncio.gather(*(deliver_due(new_delivery()) for _ in range(4)))

    assert len(application.ids) == 4 * len(ids)


async def test_who_dies_after_sending_has_it_sent_again_with_the_same_id(
    database: Database, application: Application, new_delivery: NewDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_: Outbox, __: OutgoingEvent) -> None:
        raise asyncio.CancelledError

    [event_id] = await _add(database)
    with time_machine.travel(NOW, tick=False) as clock:
        with monkeypatch.context() as patch:
            patch.setattr(Outbox, "remove", die)
            with pytest.raises(asyncio.CancelledError):
                await deliver_due(new_delivery())
        before_its_time = await deliver_due(new_delivery())
        clock.shift(timedelta(seconds=15))
        await deliver_due(new_delivery())

    assert before_its_time == 0
    assert application.ids == [event_id, event_id]
    assert application.taken[0].content == application.taken[1].content
    assert await _waiting(database) == {}


async def test_who_dies_while_sending_has_lost_nothing(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    [event_id] = await _add(database)
    application.go_on.clear()
    with time_machine.travel(NOW, tick=False) as clock:
        dying = asyncio.create_task(deliver_due(new_delivery()))
        async with asyncio.timeout(PATIENCE):
            await application.asked.wait()
        dying.cancel()
        await asyncio.wait([dying])
        application.go_on.set()
        application.taken.clear()
        clock.shift(timedelta(seconds=15))
        await deliver_due(new_delivery())

    assert application.ids[-1] == event_id
    assert await _waiting(database) == {}


async def test_what_nobody_takes_is_dropped_in_the_end_and_said(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    [event_id] = await _add(database)
    application.status = 500
    before = _counted("dropped")
    said: list[str] = []
    sink = logger.add(said.append, level="ERROR", format="{level} {message} {extra}")
    with time_machine.travel(NOW, tick=False) as clock:
        await deliver_due(new_delivery(keep_trying=2 * HOUR))
        clock.shift(2 * HOUR - timedelta(seconds=1))
        await deliver_due(new_delivery(keep_trying=2 * HOUR))
        still_there = list(await _waiting(database))
        clock.shift(HOUR)
        await deliver_due(new_delivery(keep_trying=2 * HOUR))
    logger.remove(sink)

    assert still_there == [event_id]
    assert await _waiting(database) == {}
    assert _counted("dropped") == before + 1
    [line] = said
    assert event_id in line
    assert SECRET not in line


async def test_what_waited_for_us_too_long_is_tried_once_more(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    ids = await _add(database)
    with time_machine.travel(NOW + 100 * HOUR, tick=False):
        await deliver_due(new_delivery(keep_trying=HOUR))

    assert application.ids == ids


def test_waits_double_up_to_an_hour_and_differ() -> None:
    timeout = timedelta(seconds=5)

    longest = [wait_after(tries, timeout, lambda _, most: most).total_seconds() for tries in range(100)]
    shortest = [wait_after(tries, timeout, lambda least, _: least).total_seconds() for tries in range(100)]

    assert longest[:11] == [10, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    assert set(longest[10:]) == {3600}
    assert shortest[:5] == [10, 10, 10, 20, 40]
    assert set(shortest[10:]) == {1800}


def test_nobody_else_tries_while_a_try_may_be_under_way() -> None:
    assert wait_after(0, timedelta(minutes=2), lambda _, most: most) == timedelta(seconds=125)


async def test_the_backlog_is_counted(
    database: Database, application: Application, new_delivery: NewDelivery
) -> None:
    await _add(database, count=3)
    application.status = 503
    seen = []
    with time_machine.travel(NOW, tick=False) as clock:
        for status in (503, 204):
            application.status = status
            await deliver_due(new_delivery())
            lines = metrics.exposition().decode().splitlines()
            seen += [line for line in lines if line.startswith("otp_auth_outgoing_backlog ")]
            clock.shift(HOUR)

    assert seen == ["otp_auth_outgoing_backlog 3.0", "otp_auth_outgoing_backlog 0.0"]


async def test_it_goes_on_after_the_database_was_away(
    database: Database, application: Application, new_delivery: NewDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Outbox.find_due
    outages = iter([ConnectionError()])

    async def find_or_fail(outbox: Outbox) -> Any:
        for outage in outages:
            raise outage
        return await find(outbox)

    monkeypatch.setattr(Outbox, "find_due", find_or_fail)
    monkeypatch.setattr("otp_auth.audit.delivery.INTERVAL", 0)
    ids = await _add(database)

    task = asyncio.create_task(deliver_regularly(new_delivery()))
    taken = await application.next()
    task.cancel()
    await asyncio.wait([task])

    assert [UUID(taken.headers["webhook-id"])] == [UUID(each) for each in ids]
