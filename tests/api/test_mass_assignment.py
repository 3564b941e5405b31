"""Nothing is taken but a route's own fields: not a column of a table, nor anything that answers show.

Routes and fields come from the service's own document, columns from the tables: so new ones are tried too.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
import time_machine
from api_surface import (
    JSON_TYPE,
    Operation,
    bearer,
    everything_stored,
    operations,
    problem_of,
    token_of_each_kind,
    whole_body,
)
from legitimate_calls import CALLS, effect, new_person, rows_about, stored_rows

from conftest import NewService
from otp_auth.api.openapi import openapi
from otp_auth.database import Base
from support import gateway
from support.devices import ON, WIDE
from support.service import Json, Service
from support.whole_account import WholeAccount, use_everything

# Values that such a column would hold, and that stand nowhere else.
WORD = "canary_7zq"
CANARIES: dict[type, object] = {
    UUID: "0190dead-beef-7a0b-9c1d-2e3f4a5b6c7d",
    int: 987_654_321,
    datetime: "2031-12-24T12:34:56Z",
    bool: True,
}
AS_STORED = [WORD, str(CANARIES[UUID]), str(CANARIES[int]), "2031, 12, 24"]
COLUMNS = {
    column.name: column.type.python_type for table in Base.metadata.sorted_tables for column in table.columns
}
# What was refused, and what was only counted or written down.
UNIMPORTANT = frozenset({"budgets", "audit_events"})

Path = tuple[str, ...]  # of names, from the body inwards
Refused = list[tuple[str, str]]  # fields, and the rules that they break


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    """Of one database alone: what is refused here never gets there."""
    return sqlite_database


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON, service_clients=gateway.CLIENTS) as running:
        yield running


@pytest.fixture
async def tokens(service: Service) -> dict[str | None, str]:
    return await token_of_each_kind(service)


def routes(service: Service) -> list[Operation]:
    return [each for each in operations(service.app) if each.takes_body]


def what_may_be_tried(service: Service) -> dict[str, object]:
    """Every column there is, and every field that a body or an answer has, with a value for it."""
    schemas = openapi(service.app)["components"]["schemas"].values()
    shown = {name for schema in schemas for name in schema.get("properties", ())}
    return {name: CANARIES.get(COLUMNS.get(name, str), WORD) for name in sorted(COLUMNS.keys() | shown)}


def places(body: Any, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every object in a body, the body itself first."""
    if isinstance(body, dict):
        yield path, body
        for name, value in body.items():
            yield from places(value, (*path, name))


def with_one_more(body: Json, path: Path, name: str, value: object) -> Json:
    """The body with a field more in the object at this place."""
    if not path:
        return {**body, name: value}
    return {**body, path[0]: with_one_more(body[path[0]], path[1:], name, value)}


def told_as(path: Path) -> str:
    """How a refusal names a field: inside another one its name is a part of what was sent there."""
    *outer, name = path
    return ".".join(("body", *outer, "?" if outer else name))


async def refused(
    service: Service, operation: Operation, tokens: dict[str | None, str], body: Json
) -> Refused:
    token = tokens.get(operation.credential)
    headers = JSON_TYPE | (bearer(token) if token else {})
    answer: httpx.Response = await service.http.request(
        operation.method, operation.path, content=json.dumps(body).encode(), headers=headers
    )
    if answer.status_code != 422:
        return [(f"status {answer.status_code}", "")]
    return [(each["field"], each["rule"]) for each in problem_of(answer).get("errors", ())]


async def stored(service: Service) -> dict[str, list[str]]:
    rows = await everything_stored(service.database)
    return {table: rows[table] for table in rows.keys() - UNIMPORTANT}


async def test_a_field_that_is_not_its_own_is_refused_by_name(
    service: Service, tokens: dict[str | None, str]
) -> None:
    tried = [
        (operation, (*path, name), with_one_more(operation.body, path, name, value))
        for operation in routes(service)
        for path, inside in places(operation.body)
        for name, value in what_may_be_tried(service).items()
        if name not in inside
    ]
    wrong: dict[tuple[str, Path], Refused] = {}

    with time_machine.travel(datetime.now(UTC), tick=False):  # so that Sinch isn't asked how messages went
        before = await stored(service)
        for operation, path, body in tried:
            said = await refused(service, operation, tokens, body)
            if said != [(told_as(path), "unknown_field")]:
                wrong[operation.name, path] = said
        after = await stored(service)

    assert wrong == {}
    assert after == before
    assert {("logIn", ("user_id",)), ("changeMe", ("password_version",)), ("verifyCode", ("acr",))} <= {
        (operation.name, path) for operation, path, _ in tried
    }


async def test_no_object_passes_for_a_field(service: Service, tokens: dict[str | None, str]) -> None:
    everything = what_may_be_tried(service)
    wrong: dict[tuple[str, str], Refused] = {}

    with time_machine.travel(datetime.now(UTC), tick=False):
        before = await stored(service)
        for operation in routes(service):
            for name in operation.body:
                said = await refused(service, operation, tokens, {**operation.body, name: everything})
                if {field.split(".")[1] for field, _ in said if "." in field} != {name}:
                    wrong[operation.name, name] = said
        after = await stored(service)

    assert wrong == {}
    assert after == before


async def test_in_the_query_string_they_are_without_effect(service: Service) -> None:
    other = await use_everything(service)
    wrong = {}

    with time_machine.travel(datetime.now(UTC), tick=False):
        for operation in (each for each in operations(service.app) if each.writes):
            query = _query(service, operation, other)
            without, beside = [await _ask(service, operation, each, other) for each in ("", query)]
            if beside != without:
                wrong[operation.name] = (without, beside)

    assert wrong == {}


def _query(service: Service, operation: Operation, other: WholeAccount) -> str:
    """All names at once, some of them with what is somebody else's."""
    own = operation.parameters("query")
    tried = {name: value for name, value in what_may_be_tried(service).items() if name not in own}
    foreign = {
        "id": other.user_id,
        "user_id": other.user_id,
        "session_id": other.others["session_id"],
        "phone_number": other.number,
        "email": other.email,
    }
    return urlencode(tried | foreign)


async def _ask(
    service: Service, operation: Operation, query: str, other: WholeAccount
) -> tuple[int, dict[str, int]]:
    """Make a call that its caller may make. Returns its status, and what it has changed."""
    call = await CALLS[operation.name](service, await new_person(service))
    before = await stored_rows(service.database)
    answer = await call.send(service, operation, query)
    after = await stored_rows(service.database)
    assert answer.is_success, (operation.name, answer.text)
    assert rows_about(after, other) == rows_about(before, other), operation.name
    found = [row for row in map(str, after.values()) if any(canary in row for canary in AS_STORED)]
    assert found == [], operation.name
    return answer.status_code, effect(before, after)


def test_an_object_within_a_body_is_a_place_of_its_own() -> None:
    proof = {"properties": {"code": {"type": "string", "examples": ["482915"]}}}
    document = {"components": {"schemas": {"Proof": proof}}}
    optional = {"anyOf": [{"$ref": "#/components/schemas/Proof"}, {"type": "null"}]}

    body = whole_body(document, {"properties": {"new": {"type": "boolean"}, "proof": optional}})

    assert body == {"new": False, "proof": {"code": "482915"}}
    assert list(places(body)) == [((), body), (("proof",), {"code": "482915"})]
    assert with_one_more(body, ("proof",), "acr", 1)["proof"] == {"code": "482915", "acr": 1}
