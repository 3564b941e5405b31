"""Canaries through every flow, in the log of production and at its loudest: none may come out."""

import io
from collections.abc import Iterator

import pytest
from loguru import logger

from otp_auth.logs import configure_logs
from otp_auth.settings import Settings
from support.service import API, PASSWORD, Json, Service, new_number, wrong

WRONG_PASSWORD = "Wrong-Canary-Password-11"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs(Settings(environment="production", log_level="DEBUG"), stream)
    yield stream
    logger.remove()


async def walk(service: Service, number: str) -> list[str]:
    """Go through all that can be done, right and wrong; return every secret that was touched."""
    pending = await service.start_registration(number, email="canary@example.com", display_name="Canary")
    code = await service.simulator.code(number)
    await service.verify(pending, wrong(code))
    tokens = await service.prove(pending, number)
    await service.post("/auth/login", {"identifier": number, "password": WRONG_PASSWORD})
    await service.post("/auth/login", {"identifier": number, "password": [WRONG_PASSWORD]})
    login = await service.start_login("canary@example.com")
    logged_in = await service.prove(login, number)
    refreshed = (await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})).json()
    await service.ask("PATCH", "/me", {"display_name": "Canary"}, refreshed["access_token"])
    await service.post("/auth/logout", {"everywhere": True}, refreshed["access_token"])
    return [
        number,
        number[1:],
        PASSWORD,
        WRONG_PASSWORD,
        *secrets_of(pending, login, tokens, logged_in, refreshed),
    ]


def secrets_of(*answers: Json) -> list[str]:
    names = ("pending_token", "access_token", "refresh_token")
    found = [answer[name] for answer in answers for name in names if name in answer]
    return found + [code for answer in answers for code in answer.get("recovery_codes", [])]


async def test_no_flow_writes_a_secret(service: Service, log: io.StringIO) -> None:
    secrets = await walk(service, new_number())

    written = log.getvalue()
    assert written.count('"message": "request"') >= 10
    assert [secret for secret in secrets if secret in written] == []


@pytest.mark.parametrize("part", ["sinch", "hasher", "database"])
async def test_no_unexpected_failure_writes_one(
    service: Service, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    number = new_number()
    monkeypatch.setattr(service.app.state, part, None)

    answer = await service.http.post(
        f"{API}/auth/register", json={"phone_number": number, "password": PASSWORD}
    )

    assert answer.status_code == 500
    assert "AttributeError" in log.getvalue()
    assert all(secret not in log.getvalue() + answer.text for secret in (number, number[1:], PASSWORD))
