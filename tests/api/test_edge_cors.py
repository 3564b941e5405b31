"""Who may read answers in a browser: the listed origins, letter by letter, and nobody else."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from conftest import NewService
from support.service import Service

OURS = "https://app.example.com"
ALSO_OURS = "http://localhost:5173"
HOSTILE = {
    "stranger": "https://evil.example",
    "null": "null",
    "suffix": "https://app.example.com.evil.example",
    "prefix": "https://evil-app.example.com",
    "subdomain": "https://a.app.example.com",
    "parent": "https://example.com",
    "other scheme": "http://app.example.com",
    "other port": "https://app.example.com:8443",
    "default port": "https://app.example.com:443",
    "capitals": "https://APP.example.com",
    "slash": "https://app.example.com/",
    "user": "https://app.example.com@evil.example",
    "two": f"{OURS} https://evil.example",
    "underscore": "https://app_example.com",
    "any": "*",
    "ourselves": "https://auth.example.com",
}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(cors_origins=f"{OURS},{ALSO_OURS}") as running:
        yield running


def _preflight(method: str, headers: str = "authorization,content-type") -> dict[str, str]:
    return {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


@pytest.mark.parametrize("origin", [OURS, ALSO_OURS])
async def test_a_listed_origin_may_read_answers(service: Service, origin: str) -> None:
    answer = await service.http.get("/health", headers={"Origin": origin})

    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")} == {
        "X-Request-ID",
        "Retry-After",
        "WWW-Authenticate",
    }
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [pytest.param(origin, id=name) for name, origin in HOSTILE.items()])
async def test_any_other_origin_may_not(service: Service, origin: str) -> None:
    plain = await service.http.get("/health", headers={"Origin": origin})
    preflight = await service.http.options("/api/v1/me", headers=_preflight("GET") | {"Origin": origin})

    for answer in (plain, preflight):
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]
        assert origin == "*" or origin not in answer.text
    assert preflight.status_code == 400


async def test_without_a_list_nobody_may(new_service: NewService) -> None:
    async with new_service() as closed:
        answer = await closed.http.get("/health", headers={"Origin": OURS})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_listed_origin_may_ask_before(service: Service, method: str) -> None:
    asked = _preflight(method, "authorization,content-type,x-request-id,x-token-transport")

    answer = await service.http.options("/api/v1/me", headers=asked | {"Origin": OURS})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert method in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(_preflight("PUT"), id="method"),
        pytest.param(_preflight("TRACE"), id="TRACE"),
        pytest.param(_preflight("POST", "x-forwarded-for"), id="header"),
    ],
)
async def test_not_everything_may_be_asked_for(service: Service, asked: dict[str, str]) -> None:
    answer = await service.http.options("/api/v1/me", headers=asked | {"Origin": OURS})

    assert answer.status_code == 400


async def test_a_refusal_can_be_read_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = await service.http.get("/api/v1/me", headers={"Origin": OURS})
    missing = await service.http.get("/nowhere", headers={"Origin": OURS})
    monkeypatch.setattr(service.app.state, "tokens", None)
    failed = await service.http.get("/.well-known/jwks.json", headers={"Origin": OURS})

    answers: list[httpx.Response] = [refused, missing, failed]
    assert [answer.status_code for answer in answers] == [401, 404, 500]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {OURS}
    assert all("WWW-Authenticate" in answer.headers["access-control-expose-headers"] for answer in answers)
