"""Nothing is taken but a route's own fields: not a column of a table, nor anything that answers show.

Routes and fields come from the service's own document, columns from the tables: new ones are tried by themselves.
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
from api_surface import JSON_TYPE, Operation, bearer, everything_stored, operations, problem_of, whole_body
from legitimate_calls import CALLS, effect, new_person, rows_about, stored_rows

from conftest import NewService
from otp_auth.api.docs import openapi
from otp_auth.database import Base
from support import gateway
from support.service import Json, Service, new_number
from support.whole_account import WIDE, use_everything

CANARIES: dict[type, object] = {
    UUID: "0190dead-beef-7a0b-9c1d-2e3f4a5b6c7d",
    int: 987_654_321,
    datetime: "2031-12-24T12:34:56Z",
    bool: True,
}
WORD = "canary_7zq"
COLUMNS = {
    column.name: column.type.python_type
    for table in Base.metadata.sorted_tables
    for column in table.columns
}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, service_clients=gateway.CLIENTS) as running:
        yield running


def names(document: Json) -> list[str]:
    """What somebody may try: every column there is, and every field that a body or an answer has."""
    shown = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", ())}
    return sorted(COLUMNS.keys() | shown)


def tempting(name: str) -> object:
    """A value that such a column would hold, and that stands nowhere else."""
    return CANARIES.get(COLUMNS.get(name, str), WORD)


def places(body: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every object in a body, the body itself first."""
    if isinstance(body, dict):
        yield path
        for name, value in body.items():
            yield from places(value, (*path, name))


def with_one_more(body: Json, path: tuple[str, ...], name: str, value: object) -> Json:
    """The body with a field more in the object at this place."""
    if not path:
        return {**body, name: value}
    return {**body, path[0]: with_one_more(body[path[0]], path[1:], name, value)}


async def send(service: Service, operation: Operation, body: Json, tokens: dict[str, str]) -> httpx.Response:
    token = tokens.get(operation.credential or "")
    headers = JSON_TYPE | (bearer(token) if token else {})
    content = json.dumps(body).encode()
    return await service.http.request(operation.method, operation.path, content=content, headers=headers)


def refused_fields(answer: httpx.Response) -> list[tuple[str, str]]:
    if answer.status_code != 422:
        return [(f"status {answer.status_code}", "")]
    return [(each["field"], each["rule"]) for each in problem_of(answer).get("errors", ())]


async def kept(service: Service) -> dict[str, list[str]]:
    stored = await everything_stored(service.database)
    return {table: rows for table, rows in stored.items() if table not in {"budgets", "audit_events"}}


@pytest.fixture
async def tokens(service: Service) -> dict[str, str]:
    pending = await service.start_registration(new_number())
    account = await service.register(new_number())
    return {"PendingToken": pending["pending_token"], "AccessToken": account["access_token"]}


async def test_a_field_that_is_not_its_own_is_refused_by_name(service: Service, tokens: dict[str, str]) -> None:
    wrong: dict[tuple[str, str], list[tuple[str, str]]] = {}
    tried = 0
    with time_machine.travel(datetime.now(UTC), tick=False):  # so that Sinch isn't asked how messages went
        before = await kept(service)
        for operation in (each for each in operations(service.app) if each.takes_body):
            for place in places(operation.body):
                for name in names(openapi(service.app)):
                    body = operation.body
                    for step in place:
                        body = body[step]
                    if name in body:
                        continue
                    tried += 1
                    sent = with_one_more(operation.body, place, name, tempting(name))
                    refused = refused_fields(await send(service, operation, sent, tokens))
                    if refused != [(".".join(("body", *place, name)), "unknown_field")]:
                        wrong[operation.name, ".".join((*place, name))] = refused
        after = await kept(service)

    assert wrong == {}
    assert after == before
    assert tried > 1000


async def test_no_object_passes_for_a_plain_field(service: Service, tokens: dict[str, str]) -> None:
    everything = {name: tempting(name) for name in names(openapi(service.app))}
    wrong: dict[tuple[str, str], list[tuple[str, str]]] = {}
    with time_machine.travel(datetime.now(UTC), tick=False):
        before = await kept(service)
        for operation in (each for each in operations(service.app) if each.takes_body):
            for name, value in operation.body.items():
                inner = value if isinstance(value, dict) else {}
                sent = {**operation.body, name: {**everything, **inner}}
                refused = refused_fields(await send(service, operation, sent, tokens))
                where = f"body.{name}"
                if not refused or not all(field == where or field.startswith(f"{where}.") for field, _ in refused):
                    wrong[operation.name, name] = refused
        after = await kept(service)

    assert wrong == {}
    assert after == before


@pytest.mark.parametrize("name", CALLS)
async def test_in_the_query_string_they_are_without_effect(service: Service, name: str) -> None:
    operation = next(each for each in operations(service.app) if each.name == name)
    other = await use_everything(service)
    own = operation.parameters("query")
    tried = {each: tempting(each) for each in names(openapi(service.app)) if each not in own}
    of_other = {"id": other.user_id, "user_id": other.user_id, "session_id": other.others["session_id"]}
    queries = ["", urlencode(tried), urlencode(tried | of_other | {"phone_number": other.number})]
    effects = []
    with time_machine.travel(datetime.now(UTC), tick=False):
        for query in queries:
            call = await CALLS[name](service, await new_person(service))
            before = await stored_rows(service.database)
            answer = await call.send(service, operation, query)
            after = await stored_rows(service.database)
            assert answer.is_success, answer.text
            assert rows_about(after, other) == rows_about(before, other)
            assert [row for row in map(str, after.values()) if any(word in row for word in _canaries())] == []
            effects.append((answer.status_code, effect(before, after)))

    assert effects == [effects[0]] * len(queries)


def _canaries() -> list[str]:
    return [WORD, str(CANARIES[UUID]), str(CANARIES[int]), "2031, 12, 24"]


def test_an_object_within_a_body_is_a_place_of_its_own() -> None:
    """No body has one yet."""
    proof = {"properties": {"code": {"type": "string", "examples": ["482915"]}}}
    document = {"components": {"schemas": {"Proof": proof}}}
    optional = {"anyOf": [{"$ref": "#/components/schemas/Proof"}, {"type": "null"}]}

    body = whole_body(document, {"properties": {"new": {"type": "boolean"}, "proof": optional}})

    assert body == {"new": False, "proof": {"code": "482915"}}
    assert list(places(body)) == [(), ("proof",)]
    assert with_one_more(body, ("proof",), "acr", 1)["proof"] == {"code": "482915", "acr": 1}
