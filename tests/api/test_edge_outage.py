"""What goes on, and what is said, when the database or Redis is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from api_surface import bearer, code_of, listening, operations, problem_of, token_of_each_kind

from conftest import NewService
from otp_auth.database import Database
from support.postgres import PostgresServer
from support.service import PASSWORD, Service, new_number

ORDINARY: dict[str, dict[str, object]] = {
    "register": {"phone_number": "+46709999998", "password": PASSWORD},
    "logIn": {"identifier": "+46709999998", "password": PASSWORD},
    "sendCode": {"method": "sms"},
    "verifyCode": {"code": "000000"},
    "refreshTokens": {"refresh_token": "none"},
    "logOut": {"everywhere": True},
    "changeMe": {"display_name": "Ada"},
    "forgotPassword": {"identifier": "nobody@example.com"},
    "changePassword": {"current_password": PASSWORD, "new_password": "Amber-Meadow-Compass-31"},
}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
async def credentials(service: Service) -> dict[str | None, dict[str, str]]:
    tokens = await token_of_each_kind(service)
    return {None: {}} | {kind: bearer(token) for kind, token in tokens.items()}


async def _ask_every_route(
    service: Service, credentials: dict[str | None, dict[str, str]]
) -> dict[str, httpx.Response]:
    """Ask each route below /api/v1 for its ordinary work."""
    return {
        each.name: await service.http.request(
            each.method, each.path, json=ORDINARY.get(each.name), headers=credentials[each.credential]
        )
        for each in operations(service.app)
        if each.path.startswith("/api/")
    }


@asynccontextmanager
async def _with_database(service: Service, url: str) -> AsyncIterator[None]:
    """Let the service look for its database elsewhere until the block ends."""
    database, elsewhere = service.app.state.database, Database(url)
    service.app.state.database = elsewhere
    try:
        yield
    finally:
        service.app.state.database = database
        await elsewhere.close()


@pytest.fixture(params=["no file", "no server", "no socket", "no such database", "no such role"])
def lost_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that isn't there, in one of the ways it can be gone."""
    if request.param == "no file":
        return f"sqlite+aiosqlite:///{tmp_path}/nowhere/otp-auth.sqlite3"
    if request.param == "no server":
        return "postgresql+asyncpg://nobody@127.0.0.1:1/otp_auth"
    if request.param == "no socket":
        return f"postgresql+asyncpg://nobody@/otp_auth?host={tmp_path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    if request.param == "no such database":
        return server.url("never_created")
    return server.base_url.set(username="never_created").render_as_string(hide_password=False)


async def test_without_its_database_every_route_says_not_ready(
    service: Service, credentials: dict[str | None, dict[str, str]], lost_database: str
) -> None:
    async with _with_database(service, lost_database):
        answers = await _ask_every_route(service, credentials)
        alive = [await service.http.get(path) for path in ("/health", "/health/live")]
        ready = await service.http.get("/health/ready")
    back = await service.http.get("/health/ready")

    assert {name: code_of(answer) for name, answer in answers.items()} == dict.fromkeys(answers, "not_ready")
    assert answers.keys() > ORDINARY.keys()
    assert [answer.status_code for answer in alive] == [200, 200]
    assert problem_of(ready)["code"] == "not_ready"
    assert problem_of(ready)["missing"] == ["database", "migrations"]
    assert back.status_code == 200


async def test_a_token_is_judged_before_the_database_is_asked(service: Service, lost_database: str) -> None:
    async with _with_database(service, lost_database):
        answer = await service.get("/me", "garbage")

    assert code_of(answer) == "invalid_token"


async def test_without_redis_the_routes_go_on(new_service: NewService) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    async with new_service(redis_url=nowhere, rate_limits={"enabled": True}) as service:
        with listening() as log:
            tokens = await service.register(new_number())
            me = await service.get("/me", tokens["access_token"])
            alive = await service.http.get("/health")
            ready = await service.http.get("/health/ready")

    assert [me.status_code, alive.status_code] == [200, 200]
    assert problem_of(ready)["missing"] == ["redis"]
    assert "falling back to in-memory storage" in log.text
