"""Refusals as problem documents, and what happens when something behind the edge breaks."""

import sqlite3
from typing import Any

import pytest
from api_surface import code_of, listening, operations, problem_of
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as CheckoutTimeoutError

from support.service import Service, new_number

SECRET = "Canary7Zq"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


class _Failing:
    """A part of the service that fails whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        pytest.param("PUT", "/api/v1/me", "DELETE, GET, PATCH", id="two routes"),
        pytest.param("POST", "/api/v1/me", "DELETE, GET, PATCH", id="a method of others"),
        pytest.param("HEAD", "/api/v1/me", "DELETE, GET, PATCH", id="HEAD"),
        pytest.param("TRACE", "/api/v1/me", "DELETE, GET, PATCH", id="TRACE"),
        pytest.param("OPTIONS", "/api/v1/me", "DELETE, GET, PATCH", id="OPTIONS without an origin"),
        pytest.param("BREW", "/api/v1/me", "DELETE, GET, PATCH", id="made up"),
        pytest.param("GET", "/api/v1/auth/login", "POST", id="only POST"),
        pytest.param("POST", "/api/v1/auth/otp", "GET", id="only GET"),
        pytest.param("POST", "/problems/not_found", "GET", id="with a parameter"),
        pytest.param("POST", "/health", "GET", id="health"),
        pytest.param("POST", "/docs", "GET", id="docs"),
    ],
)
async def test_another_method_is_told_all_that_are_allowed(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = await service.http.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert method == "HEAD" or code_of(answer) == "method_not_allowed"


async def test_every_route_is_spelled_out_in_allow(service: Service) -> None:
    everything = operations(service.app)
    for path in {each.path for each in everything}:
        answer = await service.http.put(path)

        allowed = {method.strip() for method in answer.headers["allow"].split(",")}
        # HEAD comes with GET on some, and the document doesn't say so.
        assert allowed - {"HEAD"} == {each.method for each in everything if each.path == path}
        assert ("HEAD" in allowed) == ((await service.http.head(path)).status_code != 405)


async def test_a_failure_inside_is_logged_and_not_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.app.state, "tokens", _Failing(RuntimeError(f"reason {SECRET}")))

    with listening() as log:
        answer = await service.http.get("/.well-known/jwks.json")

    assert problem_of(answer)["code"] == "internal_error"
    assert "reason" not in answer.text
    assert "RuntimeError" not in answer.text
    assert f"RuntimeError: reason {SECRET}" in log.text
    assert "unhandled exception" in log.text
    assert answer.headers["cache-control"] == "no-store"


async def test_our_own_mistake_in_the_database_is_an_internal_error(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake = IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE"))
    monkeypatch.setattr(service.app.state, "tokens", _Failing(mistake))

    answer = await service.http.get("/.well-known/jwks.json")

    assert code_of(answer) == "internal_error"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(
            OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error")), "not_ready", id="disk"
        ),
        pytest.param(
            OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
            "not_ready",
            id="full",
        ),
        pytest.param(
            DBAPIError("SELECT", {}, ConnectionResetError("gone"), connection_invalidated=True),
            "not_ready",
            id="connection lost",
        ),
        pytest.param(ConnectionRefusedError("no"), "not_ready", id="connection refused"),
        pytest.param(TimeoutError(), "not_ready", id="connection too slow"),
        pytest.param(CheckoutTimeoutError("pool"), "overloaded", id="pool exhausted"),
    ],
)
async def test_a_database_in_trouble_is_no_error_of_ours(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    tokens = (await service.register(new_number()))["access_token"]
    monkeypatch.setattr(service.app.state, "database", _Failing(error))

    with listening() as log:
        answer = await service.get("/me", tokens)

    assert code_of(answer) == code
    assert "ERROR" in log.text
