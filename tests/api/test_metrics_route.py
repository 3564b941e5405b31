"""`GET /metrics`: off without a token, and open to that token alone."""

import pytest
from api_surface import code_of, listening

from conftest import NewService
from otp_auth import metrics
from support.service import Service

TOKEN = "mM0-8q3VfZ1hKbW5YcFJ0Y2dKd2ZsT3hQ"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


async def test_it_is_off_without_a_token(service: Service) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        answer = await service.http.get("/metrics", headers=headers)

        assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_its_token_opens_it(new_service: NewService) -> None:
    metrics.count_delivery("delivered")
    async with new_service(metrics_token=TOKEN) as service:
        answer = await service.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert 'otp_auth_deliveries_total{outcome="delivered"}' in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([b"Bearer"], id="no token"),
        pytest.param([b"Bearer "], id="empty"),
        pytest.param([b"Bearer wrong"], id="another"),
        pytest.param([f"Bearer {TOKEN}x".encode()], id="longer"),
        pytest.param([f"Bearer {TOKEN[:-1]}".encode()], id="shorter"),
        pytest.param([f"Bearer {TOKEN.lower()}".encode()], id="small letters"),
        pytest.param([f"Basic {TOKEN}".encode()], id="another scheme"),
        pytest.param([TOKEN.encode()], id="no scheme"),
        pytest.param([f"Bearer {TOKEN}".encode(), b"Bearer wrong"], id="two headers"),
        pytest.param([f"Bearer {TOKEN}".encode()] * 2, id="twice"),
        pytest.param([b"Bearer \xff\xfe"], id="bytes"),
    ],
)
async def test_nothing_else_does(new_service: NewService, headers: list[bytes]) -> None:
    async with new_service(metrics_token=TOKEN) as service:
        pairs = [(b"Authorization", value) for value in headers]
        answer = await service.http.get("/metrics", headers=pairs)

    assert (answer.status_code, code_of(answer)) == (401, "invalid_token")
    assert "otp_auth_" not in answer.text


async def test_no_token_of_a_person_opens_it(new_service: NewService) -> None:
    async with new_service(metrics_token=TOKEN) as service:
        pending = await service.start_registration("+46701740605")
        headers = {"Authorization": f"Bearer {pending['pending_token']}"}
        answer = await service.http.get("/metrics", headers=headers)

    assert code_of(answer) == "invalid_token"


async def test_a_token_beyond_ascii(new_service: NewService) -> None:
    async with new_service(metrics_token="Schlüssel-für-alle") as service:
        value = "Bearer Schlüssel-für-alle"
        answers = [
            await service.http.get("/metrics", headers=[(b"Authorization", value.encode(encoding))])
            for encoding in ("utf-8", "latin-1")
        ]

    assert [answer.status_code for answer in answers] == [200, 401]


async def test_it_is_never_limited(new_service: NewService) -> None:
    tight = dict.fromkeys(("credentials", "codes", "tokens", "account"), "1/minute")
    async with new_service(metrics_token=TOKEN, rate_limits={"enabled": True, **tight}) as service:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        statuses = [(await service.http.get("/metrics", headers=headers)).status_code for _ in range(20)]

    assert statuses == [200] * 20


async def test_it_takes_no_other_method(new_service: NewService) -> None:
    async with new_service(metrics_token=TOKEN) as service:
        answer = await service.http.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.headers["allow"], code_of(answer)) == ("GET", "method_not_allowed")


async def test_the_log_knows_the_route_and_not_the_token(new_service: NewService) -> None:
    async with new_service(metrics_token=TOKEN) as service:
        with listening() as log:
            await service.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert "'route': '/metrics'" in log.text
    assert TOKEN not in log.text
