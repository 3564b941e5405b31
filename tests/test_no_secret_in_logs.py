"""Canaries through every flow, in the log of production and at its loudest: none may come out."""

import io
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from loguru import logger

from conftest import NewService
from otp_auth.logs import configure_logs
from otp_auth.settings import Settings
from support.authenticator import enrol
from support.devices import ON, let_in, verify_trusted
from support.gateway import CLIENTS, FORM, INTROSPECT, SECRET, basic, introspected, revoke
from support.resets import allowed, reset
from support.service import API, PASSWORD, Json, Service, new_number, wrong

WRONG_PASSWORD = "Wrong-Canary-Password-11"
NEW_PASSWORD = "New-Canary-Password-22"
RESET_PASSWORD = "Reset-Canary-Password-33"
RECOVERY_CANARY = "CANA-RYCA-NARY-CANA-RYCA-NARY"


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(service_clients=CLIENTS, trusted_devices=ON) as running:
        yield running


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
    logged_in = await verify_trusted(service, login, number)
    by_device = await let_in(service, logged_in)
    await let_in(service, logged_in)
    refreshed = (await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})).json()
    await service.ask("PATCH", "/me", {"display_name": "Canary"}, refreshed["access_token"])
    app = await enrol(service, refreshed)
    for each in (app.wrong_code(), app.code(-1)):
        await service.post("/me/factors/totp/confirm", {"code": each}, refreshed["access_token"])
    step_up = await service.start_step_up(refreshed)
    elevated = await service.prove(step_up, number)
    renewed = (await service.post("/me/recovery-codes", token=elevated["access_token"])).json()
    for current, new in ((WRONG_PASSWORD, NEW_PASSWORD), (PASSWORD, NEW_PASSWORD)):
        body = {"current_password": current, "new_password": new}
        await service.post("/me/password", body, refreshed["access_token"])
    stranger = basic(secret=WRONG_PASSWORD)
    await service.http.post(INTROSPECT, content=b"token=x", headers=stranger | FORM)
    for token in (refreshed["access_token"], refreshed["refresh_token"], pending["pending_token"]):
        await introspected(service, token)
    await revoke(service, refreshed["refresh_token"])
    await service.post("/auth/logout", {"everywhere": True}, refreshed["access_token"])
    granted = await allowed(service, number, "canary@example.com")
    for code in (RECOVERY_CANARY, renewed["recovery_codes"][0]):
        await reset(service, granted, RESET_PASSWORD, method="recovery_code", code=code)
    return [
        number,
        number[1:],
        PASSWORD,
        WRONG_PASSWORD,
        NEW_PASSWORD,
        RESET_PASSWORD,
        RECOVERY_CANARY,
        SECRET,
        app.secret,
        *(header["Authorization"].removeprefix("Basic ") for header in (basic(), stranger)),
        *secrets_of(
            pending, login, tokens, logged_in, by_device, refreshed, step_up, elevated, renewed, granted
        ),
        *(each["device_token"].split(".")[1] for each in (logged_in, by_device)),
    ]


def secrets_of(*answers: Json) -> list[str]:
    names = ("pending_token", "access_token", "refresh_token", "device_token", "reset_token")
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
