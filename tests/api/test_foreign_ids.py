"""Nobody reaches what is somebody else's: not by an id in the address, and not beside the way.

Routes come from the service's own document. One that neither table knows (`THINGS`, `CALLS`) fails.
"""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
import time_machine
from api_surface import Operation, everything_stored, operations
from legitimate_calls import CALLS, call, effect, new_person, rows_about, stored_rows
from sqlalchemy import select, update

from conftest import NewService
from otp_auth.identifiers import new_id
from otp_auth.sessions.models import Session, TrustedDevice
from support import gateway
from support.devices import ON, WIDE
from support.service import Service
from support.whole_account import WholeAccount, use_everything

# What each parameter of an address names. Its rows have an owner and an end.
THINGS: dict[str, type[Session | TrustedDevice]] = {"session_id": Session, "device_id": TrustedDevice}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON, service_clients=gateway.CLIENTS) as running:
        yield running


def routes_with_ids(service: Service) -> list[tuple[Operation, str]]:
    """Those of a caller whose address names something, and how."""
    return [
        (operation, name)
        for operation in operations(service.app)
        if operation.credential == "AccessToken"
        for name in operation.parameters("path")
    ]


async def ask(service: Service, operation: Operation, caller: WholeAccount, **ids: str) -> httpx.Response:
    body = operation.body if operation.takes_body else None
    return await call(body, caller.token, **ids).send(service, operation)


async def ids_of(service: Service, thing: type[Any], account: WholeAccount) -> list[UUID]:
    """What an account has of it that lives, but for the session that asks."""
    mine = (thing.user_id == account.user_id, thing.ended_at.is_(None))
    async with service.database.read() as tx:
        found = (await tx.scalars(select(thing.id).where(*mine))).all()
    return [each for each in found if str(each) != account.tokens["session_id"]]


async def end(service: Service, thing: type[Any], which: UUID) -> None:
    async with service.database.write() as tx:
        await tx.execute(update(thing).where(thing.id == which).values(ended_at=datetime.now(UTC)))


def told(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """All that an answer says, but which request it answers."""
    own = {"x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    body = {name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}}
    return answer.status_code, headers, body


def test_each_parameter_is_known(service: Service) -> None:
    assert {name for _, name in routes_with_ids(service)} <= THINGS.keys()
    assert "endSession" in {operation.name for operation, _ in routes_with_ids(service)}


async def test_of_what_is_not_ones_own_nothing_is_told_or_changed(service: Service) -> None:
    mine, other = await use_everything(service), await use_everything(service)

    for operation, parameter in routes_with_ids(service):
        thing = THINGS[parameter]
        own, ended, *_ = [*await ids_of(service, thing, mine), *await add_two(service, thing, mine)]
        await end(service, thing, ended)
        (foreign, *_) = await ids_of(service, thing, other)
        tried = [str(foreign), str(ended), str(new_id()), str(mine.user_id), str(other.user_id), "x", "%00"]
        with time_machine.travel(datetime.now(UTC), tick=False):
            before = await everything_stored(service.database)
            answers = [await ask(service, operation, mine, **{parameter: each}) for each in tried]
            after = await everything_stored(service.database)

        assert after == before
        assert (answers[0].status_code, answers[0].json()["code"]) == (404, "not_found")
        assert [told(each) for each in answers] == [told(answers[0])] * len(tried)
        assert (await ask(service, operation, mine, **{parameter: str(own)})).is_success


async def add_two(service: Service, thing: type[Any], account: WholeAccount) -> list[UUID]:
    """Two more like the first one that the account has."""
    (first, *_) = await ids_of(service, thing, account)
    added = [new_id(), new_id()]
    async with service.database.write() as tx:
        row = await tx.get_one(thing, first)
        like = {column.key: getattr(row, column.key) for column in thing.__table__.columns}
        tx.add_all([thing(**like | {"id": each}) for each in added])
    return added


async def test_what_somebody_reads_is_their_own(service: Service) -> None:
    mine, other = await use_everything(service), await use_everything(service)
    ids = {"id": other.user_id, "user_id": other.user_id, "session_id": other.others["session_id"]}
    cursor = urlsafe_b64encode(UUID(other.others["session_id"]).bytes).decode().rstrip("=")
    own = call(token=mine.token)
    readers = [
        each for each in operations(service.app) if each.credential == "AccessToken" and not each.writes
    ]

    with time_machine.travel(datetime.now(UTC), tick=False):
        for operation in readers:
            plain = await own.send(service, operation)
            beside = await own.send(service, operation, urlencode({**ids, "phone_number": other.number}))
            paged = await own.send(service, operation, f"cursor={cursor}")
            assert (plain.status_code, paged.status_code) == (200, 200), operation.name
            assert beside.content == plain.content, operation.name
            shown = plain.text + paged.text
            assert [name for name in other.names if name in shown] == [], operation.name

    assert {"getMe", "listSessions", "listEvents", "exportMe"} <= {each.name for each in readers}


def test_each_route_that_writes_has_a_call(service: Service) -> None:
    assert {each.name for each in operations(service.app) if each.writes} == CALLS.keys()


async def test_what_somebody_may_do_leaves_others_as_they_were(service: Service) -> None:
    other = await use_everything(service)
    changed: dict[str, dict[str, int]] = {}

    with time_machine.travel(datetime.now(UTC), tick=False):  # so that Sinch isn't asked how messages went
        for operation in (each for each in operations(service.app) if each.writes):
            asked = await CALLS[operation.name](service, await new_person(service))
            before = rows_about(await stored_rows(service.database), other)
            answer = await asked.send(service, operation)
            after = rows_about(await stored_rows(service.database), other)
            assert answer.is_success, (operation.name, answer.text)
            if after != before:
                changed[operation.name] = effect(before, after)

    assert changed == {}
    tables = {table for table, _ in before}
    assert {
        "users",
        "sessions",
        "refresh_tokens",
        "challenges",
        "trusted_devices",
        "recovery_codes",
    } <= tables
