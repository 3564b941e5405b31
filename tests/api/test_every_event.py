"""Each name of the contract's list is written once by what causes it: with who, where and why, no secret."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from api_surface import operations
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.audit.models import AuditEvent, EventName
from support.service import PASSWORD, Json, Service, new_number, wrong

NETWORK = "127.0.0.0/24"
NEW_PASSWORD = "Amber-Meadow-Compass-31"
BY_OPERATOR = {"by": "operator"}
TESTS = Path(__file__).resolve().parents[1]
NO_SESSION = ""
SAME_SESSION = "the one of the tokens"

Cause = Callable[[Service, Json, str], Awaitable[str]]  # returns the session that the event names


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    limits = {"per_number_hour": 100, "per_account_hour": 2, "resend_gap": "0"}
    async with new_service(send=limits, guesses={"consecutive": 2}, tokens={"refresh_grace": 0}) as running:
        yield running


async def _nothing_more(_service: Service, _tokens: Json, _number: str) -> str:
    return SAME_SESSION


async def _start_login(service: Service, _tokens: Json, number: str) -> str:
    await service.start_login(number)
    return NO_SESSION


async def _log_in(service: Service, _tokens: Json, number: str) -> str:
    return str((await service.log_in(number))["session_id"])


async def _name_a_wrong_password(service: Service, _tokens: Json, number: str) -> str:
    answer = await service.post("/auth/login", {"identifier": number, "password": f"not {PASSWORD}"})
    assert answer.status_code == 401
    return NO_SESSION


async def _start_too_many_logins(service: Service, _tokens: Json, number: str) -> str:
    for _ in range(3):
        await service.start_login(number)
    return NO_SESSION


async def _guess_once(service: Service, tokens: Json, number: str) -> str:
    pending = await service.start_step_up(tokens)
    await service.verify(pending, wrong(await service.simulator.code(number)))
    return SAME_SESSION


async def _guess_twice(service: Service, tokens: Json, number: str) -> str:
    pending = await service.start_step_up(tokens)
    for _ in range(2):
        await service.verify(pending, wrong(await service.simulator.code(number)))
    return SAME_SESSION


async def _log_out(service: Service, tokens: Json, _number: str) -> str:
    await service.post("/auth/logout", token=tokens["access_token"])
    return SAME_SESSION


async def _end_another_session(service: Service, tokens: Json, number: str) -> str:
    other = str((await service.log_in(number))["session_id"])
    await service.ask("DELETE", f"/me/sessions/{other}", token=tokens["access_token"])
    return other


async def _show_a_spent_token(service: Service, tokens: Json, _number: str) -> str:
    for _ in range(2):
        await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
    return SAME_SESSION


async def _change_the_password(service: Service, tokens: Json, _number: str) -> str:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = await service.post("/me/password", body, tokens["access_token"])
    assert answer.status_code == 204
    return SAME_SESSION


async def _renew_recovery_codes(service: Service, tokens: Json, _number: str) -> str:
    answer = await service.post("/me/recovery-codes", token=tokens["access_token"])
    assert answer.status_code == 200
    return SAME_SESSION


CAUSES: dict[EventName, Cause] = {
    EventName.ACCOUNT_CREATED: _nothing_more,
    EventName.CODE_SENT: _start_login,
    EventName.LOGIN_SUCCEEDED: _log_in,
    EventName.LOGIN_FAILED: _name_a_wrong_password,
    EventName.SEND_REFUSED: _start_too_many_logins,
    EventName.SECOND_FACTOR_FAILED: _guess_once,
    EventName.FACTOR_DISABLED: _guess_twice,
    EventName.LOGOUT: _log_out,
    EventName.SESSION_REVOKED: _end_another_session,
    EventName.REFRESH_REUSE: _show_a_spent_token,
    EventName.PASSWORD_CHANGED: _change_the_password,
    EventName.RECOVERY_CODES_REGENERATED: _renew_recovery_codes,
}
OF_OPERATORS = {EventName.ACCOUNT_LOCKED, EventName.ACCOUNT_UNLOCKED}
# Caused by routes with tests of their own: where there is the route, a test must speak of its event.
ELSEWHERE = {
    EventName.PASSWORD_RESET_REQUESTED: "POST /api/v1/auth/password/forgot",
    EventName.PASSWORD_RESET_HELD: "POST /api/v1/auth/password/reset",
    EventName.PASSWORD_RESET: "POST /api/v1/auth/password/reset",
    EventName.PASSWORD_RESET_CANCELLED: "DELETE /api/v1/me/password-reset",
    EventName.PHONE_CHANGED: "POST /api/v1/me/phone",
    EventName.FACTOR_ADDED: "POST /api/v1/me/factors/totp/confirm",
    EventName.FACTOR_REMOVED: "DELETE /api/v1/me/factors/totp",
    EventName.DEVICE_TRUSTED: "GET /api/v1/me/devices",
    EventName.DEVICE_REVOKED: "GET /api/v1/me/devices",
    EventName.DEVICE_THEFT: "GET /api/v1/me/devices",
    EventName.ACCOUNT_DELETED: "DELETE /api/v1/me",
}


async def _written(service: Service, name: EventName, user_id: str) -> Sequence[AuditEvent]:
    mine = (AuditEvent.name == name.value, AuditEvent.user_id == UUID(user_id))
    async with service.database.read() as tx:
        return (await tx.scalars(select(AuditEvent).where(*mine))).all()


def test_every_name_has_its_cause() -> None:
    assert CAUSES.keys() | OF_OPERATORS | ELSEWHERE.keys() == set(EventName)


@pytest.mark.parametrize(("name", "cause"), CAUSES.items(), ids=list(CAUSES))
async def test_it_is_written_once(service: Service, name: EventName, cause: Cause) -> None:
    number = new_number()
    tokens = await service.register(number)

    session = await cause(service, tokens, number)

    [event] = await _written(service, name, tokens["user"]["id"])
    expected = tokens["session_id"] if session == SAME_SESSION else session
    assert str(event.session_id or "") == expected
    assert event.network == NETWORK
    assert event.request_id
    secrets = [number, number[1:], PASSWORD, NEW_PASSWORD, tokens["refresh_token"], *tokens["recovery_codes"]]
    secrets += [message["code"] for message in await service.simulator.messages(number)]
    assert [secret for secret in secrets if secret in str(event.detail)] == []


async def test_the_operator_is_named(service: Service) -> None:
    user_id = (await service.register(new_number()))["user"]["id"]

    await lock_account(service.database, UUID(user_id), BY_OPERATOR)
    await unlock_account(service.database, UUID(user_id), BY_OPERATOR)

    for name in OF_OPERATORS:
        [event] = await _written(service, name, user_id)
        assert (event.detail, event.network) == (BY_OPERATOR, None)


def test_where_a_route_is_a_test_speaks_of_its_event(service: Service) -> None:
    routes = {f"{each.method} {each.path}" for each in operations(service.app)}
    others = [path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    spoken_of = "".join(text for text in others if "ALWAYS_TOLD" not in text)

    wanted = [name for name, route in ELSEWHERE.items() if route in routes]

    assert [name for name in wanted if name.value not in spoken_of and name.name not in spoken_of] == []
