"""What every answer carries, and what the log says of a request."""

import httpx
import pytest
from api_surface import PARAMETERS, bearer, listening, operations

from conftest import NewService
from support.service import PUBLIC_URL, Service, new_number

API_CSP = "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


async def _one_answer_of_each_kind(service: Service) -> dict[str, httpx.Response]:
    tokens = await service.register(new_number())
    asked = {
        "user": ("GET", "/api/v1/me", bearer(tokens["access_token"])),
        "no content": ("POST", "/api/v1/auth/logout", bearer(tokens["access_token"])),
        "no token": ("GET", "/api/v1/me", {}),
        "no address": ("GET", "/nowhere", {}),
        "no method": ("DELETE", "/api/v1/auth/login", {}),
        "no media type": ("POST", "/api/v1/auth/login", {}),
        "trace": ("TRACE", "/api/v1/me", {}),
        "health": ("GET", "/health", {}),
        "ready": ("GET", "/health/ready", {}),
        "keys": ("GET", "/.well-known/jwks.json", {}),
        "metadata": ("GET", "/.well-known/oauth-authorization-server", {}),
        "problem": ("GET", "/problems/not_found", {}),
        "problem page": ("GET", "/problems/not_found", {"Accept": "text/html"}),
        "document": ("GET", "/openapi.json", {}),
        "docs": ("GET", "/docs", {}),
        "asset": ("GET", "/docs/assets/swagger-ui.css", {}),
    }
    return {
        name: await service.http.request(method, path, headers=headers)
        for name, (method, path, headers) in asked.items()
    }


async def test_every_answer_is_guarded(service: Service) -> None:
    for name, answer in (await _one_answer_of_each_kind(service)).items():
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert answer.headers["referrer-policy"] == "no-referrer", name
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], name
        assert "origin" in answer.headers["vary"].lower(), name
        assert answer.headers["x-request-id"], name
        assert "strict-transport-security" not in answer.headers, name
        assert "server" not in answer.headers, name


async def test_only_what_is_public_may_be_kept(service: Service) -> None:
    answers = await _one_answer_of_each_kind(service)
    kept = {name for name, answer in answers.items() if answer.headers["cache-control"] != "no-store"}

    assert kept == {"keys", "metadata"}


async def test_only_pages_have_a_policy_of_their_own(service: Service) -> None:
    answers = await _one_answer_of_each_kind(service)
    other = {name for name, answer in answers.items() if answer.headers["content-security-policy"] != API_CSP}

    assert other == {"docs", "problem page"}


async def test_production_adds_hsts_and_has_no_docs(new_service: NewService) -> None:
    async with new_service(environment="production") as service:
        answers = await _one_answer_of_each_kind(service)

    assert {answer.headers["strict-transport-security"] for answer in answers.values()} == {
        "max-age=63072000; includeSubDomains"
    }
    hidden = {name for name, answer in answers.items() if answer.status_code == 404}
    assert hidden == {"no address", "document", "docs", "asset"}


@pytest.mark.parametrize(
    "request_id",
    [
        pytest.param("0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071", id="UUID"),
        pytest.param("a", id="one character"),
        pytest.param("x" * 128, id="128 characters"),
        pytest.param("Root=1-67891233-abcdef012345678912345678", id="AWS trace"),
    ],
)
async def test_a_safe_request_id_is_kept(service: Service, request_id: str) -> None:
    answer = await service.http.get("/api/v1/me", headers={"X-Request-ID": request_id})

    assert answer.headers["x-request-id"] == answer.json()["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"x" * 129, id="129 characters"),
        pytest.param(b"a b", id="space"),
        pytest.param(b"a\r\nX-Injected: yes", id="line break"),
        pytest.param(b"a\n", id="line break at the end"),
        pytest.param("é".encode(), id="accent"),
        pytest.param(b"\xff\xfe", id="bytes"),
        pytest.param(b"<script>", id="markup"),
        pytest.param(b'a"b', id="quote"),
        pytest.param(b"\x1b[31m", id="escape sequence"),
    ],
)
async def test_any_other_request_id_is_replaced(service: Service, request_id: bytes) -> None:
    answer = await service.http.get("/api/v1/me", headers=[(b"X-Request-ID", request_id)])

    made = answer.headers["x-request-id"]
    assert made == answer.json()["request_id"]
    assert len(made) == 32
    assert made.isalnum()


async def test_requests_without_an_id_get_different_ones(service: Service) -> None:
    answers = [await service.http.get("/health") for _ in range(5)]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 5


async def test_the_log_names_the_whole_pattern_of_each_route(service: Service) -> None:
    for operation in operations(service.app):
        with listening() as log:
            await service.http.request(operation.method, operation.path)

        pattern = operation.path
        for name, example in PARAMETERS.items():
            pattern = pattern.replace(f"/{example}", f"/{{{name}}}")
        assert f"'route': '{pattern}'" in log.text


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        pytest.param("PUT", "/api/v1/me", "/api/v1/me", id="wrong method"),
        pytest.param("GET", "/problems/somebody-s-name", "/problems/{code}", id="not found"),
        pytest.param("GET", "/somebody-s-name", "unmatched", id="no such address"),
        pytest.param("GET", "/docs/assets/somebody-s-name", "unmatched", id="no such asset"),
        pytest.param("GET", "/docs", "/docs", id="outside the routers"),
    ],
)
async def test_the_log_never_names_the_address_itself(
    service: Service, method: str, path: str, route: str
) -> None:
    with listening() as log:
        await service.http.request(method, path)

    assert f"'route': '{route}'" in log.text
    assert "somebody" not in log.text


async def test_the_line_of_a_request_has_its_status(service: Service) -> None:
    with listening() as log:
        await service.http.get(f"{PUBLIC_URL}/api/v1/me")

    assert "'method': 'GET'" in log.text
    assert "'status': 401" in log.text
