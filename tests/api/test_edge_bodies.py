"""Media types, and bodies that are too large, come too slowly or never end."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest
from api_surface import (
    JSON_TYPE,
    TEXT,
    TOO_LARGE,
    WRONG_FIELDS,
    bearer,
    code_of,
    listening,
    operations,
    token_of_each_kind,
)

from otp_auth.api import contract_route
from otp_auth.api.body_errors import LARGEST_BODY
from support.service import Service, new_number


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
async def access(service: Service) -> dict[str, str]:
    """The Authorization header of somebody who is logged in."""
    return bearer((await service.register(new_number()))["access_token"])


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 8_192):
        yield body[start : start + 8_192]


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/json", id="plain"),
        pytest.param("application/json; charset=utf-8", id="charset"),
        pytest.param("Application/JSON;charset=UTF-8", id="capitals"),
    ],
)
async def test_json_is_taken(service: Service, content_type: str) -> None:
    body = b'{"identifier": "nobody", "password": "wrong"}'

    answer = await service.http.post(
        "/api/v1/auth/login", content=body, headers={"Content-Type": content_type}
    )

    assert code_of(answer) == "invalid_credentials"


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("text/plain", id="text"),
        pytest.param("application/x-www-form-urlencoded", id="form"),
        pytest.param("multipart/form-data; boundary=x", id="multipart"),
        pytest.param("text/plain; application/json", id="JSON as a parameter"),
        pytest.param("application/json, text/plain", id="two"),
        pytest.param("application/problem+json", id="relative of JSON"),
        pytest.param("application/jsonx", id="longer name"),
        pytest.param("json", id="no type"),
        pytest.param("", id="empty"),
        pytest.param(None, id="none"),
    ],
)
async def test_every_route_refuses_other_media_types(service: Service, content_type: str | None) -> None:
    tokens = await token_of_each_kind(service)
    credentials: dict[str | None, dict[str, str]] = {None: {}}
    credentials |= {kind: bearer(token) for kind, token in tokens.items()}
    kind = {} if content_type is None else {"Content-Type": content_type}

    answers = {
        each.name: await service.http.request(
            each.method, each.path, content=b"{}", headers=credentials[each.credential] | kind
        )
        for each in operations(service.app)
        if each.takes_body
    }

    assert {code_of(answer) for answer in answers.values()} == {"unsupported_media_type"}


async def test_an_optional_body_may_be_left_out_without_a_media_type(
    service: Service, access: dict[str, str]
) -> None:
    changed = await service.http.patch("/api/v1/me", headers=access)
    left = await service.http.post("/api/v1/auth/logout", headers=access)

    assert [changed.status_code, left.status_code] == [200, 204]


@pytest.mark.parametrize("route", ["PATCH /api/v1/me", "POST /api/v1/auth/logout"])
async def test_an_optional_body_in_pieces_is_judged_like_any_other(
    service: Service, access: dict[str, str], route: str
) -> None:
    method, path = route.split()

    text = await service.http.request(method, path, content=_in_pieces(b"{}"), headers=access | TEXT)
    fields = await service.http.request(
        method, path, content=_in_pieces(WRONG_FIELDS), headers=access | JSON_TYPE
    )

    assert [code_of(text), code_of(fields)] == ["unsupported_media_type", "validation_failed"]


async def test_every_route_refuses_a_body_over_64_kb(service: Service) -> None:
    tokens = await token_of_each_kind(service)
    credentials: dict[str | None, dict[str, str]] = {None: {}}
    credentials |= {kind: bearer(token) for kind, token in tokens.items()}
    answers: list[httpx.Response] = []

    for each in operations(service.app):
        if each.takes_body:
            bodies: list[Any] = [TOO_LARGE, _in_pieces(TOO_LARGE)]
            headers = credentials[each.credential] | JSON_TYPE
            answers += [
                await service.http.request(each.method, each.path, content=body, headers=headers)
                for body in bodies
            ]

    assert len(answers) >= 14
    assert {code_of(answer) for answer in answers} == {"payload_too_large"}


class _Connection:
    """A client whose messages arrive only when they are asked for."""

    def __init__(self, messages: AsyncIterator[dict[str, Any]]) -> None:
        self._messages = messages
        self.read = 0
        self.sent: list[MutableMapping[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        self.read += 1
        return await anext(self._messages)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def log_in(self, service: Service) -> tuple[int, str]:
        """Send a login and return the status and the code of the answer."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": "/api/v1/auth/login",
            "raw_path": b"/api/v1/auth/login",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")],
            "client": ("127.0.0.1", 1),
            "server": ("auth.example.com", 443),
        }
        await service.app(scope, self.receive, self.send)
        return self.sent[0]["status"], json.loads(self.sent[1]["body"])["code"]


async def _without_end() -> AsyncIterator[dict[str, Any]]:
    while True:
        yield {"type": "http.request", "body": b" " * 1_024, "more_body": True}


async def _cut_off() -> AsyncIterator[dict[str, Any]]:
    yield {"type": "http.request", "body": b"{", "more_body": True}
    yield {"type": "http.disconnect"}


async def _stuck() -> AsyncIterator[dict[str, Any]]:
    yield {"type": "http.request", "body": b"{", "more_body": True}
    await asyncio.Event().wait()


async def test_a_body_without_end_is_read_no_further_than_the_limit(service: Service) -> None:
    client = _Connection(_without_end())

    assert await client.log_in(service) == (413, "payload_too_large")
    assert client.read == LARGEST_BODY // 1_024 + 1


async def test_a_body_that_does_not_come_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_route, "SLOWEST_BODY", 0.01)

    assert await _Connection(_stuck()).log_in(service) == (400, "malformed_request")


async def test_a_client_that_hangs_up_is_no_error_of_ours(service: Service) -> None:
    with listening() as log:
        answer = await _Connection(_cut_off()).log_in(service)

    assert answer == (400, "malformed_request")
    assert "ERROR" not in log.text


async def test_two_media_types_are_none(service: Service) -> None:
    headers = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]

    answer = await service.http.post("/api/v1/auth/login", content=b"{}", headers=headers)

    assert code_of(answer) == "unsupported_media_type"
