"""RFC 7662: an access token that holds is active, with its claims; of anything else nothing is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
import pytest_asyncio
import time_machine
from sqlalchemy import update

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.accounts.repository import UserRepository
from support.gateway import CLIENTS, INTROSPECT, REVOKE, ask, introspected
from support.service import Json, Service, new_number

INACTIVE = {"active": False}


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(service_clients=CLIENTS) as running:
        yield running


def _claims(token: str) -> Json:
    claims: Json = jwt.decode(token, options={"verify_signature": False})
    return claims


async def _change_account(service: Service, account: Json, **values: object) -> None:
    of_account = User.id == UUID(account["user"]["id"])
    async with service.database.write() as tx:
        await tx.execute(update(User).where(of_account).values(**values))


async def test_an_access_token_is_active_with_all_its_claims(service: Service) -> None:
    account = await service.register(new_number())
    token = account["access_token"]

    told = await introspected(service, token)

    assert told == {"active": True, "token_type": "Bearer", **_claims(token)}
    assert (told["sub"], told["sid"]) == (account["user"]["id"], account["session_id"])
    assert told["amr"] == ["pwd", "sms", "mfa"]
    assert account["user"]["phone_number"] not in str(told)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
async def test_a_hint_changes_nothing(service: Service, hint: str) -> None:
    account = await service.register(new_number())

    access = await introspected(service, account["access_token"], token_type_hint=hint)
    refresh = await introspected(service, account["refresh_token"], token_type_hint=hint)

    assert (access["active"], refresh) == (True, INACTIVE)


async def test_a_refresh_token_is_never_active_and_stays_as_it_is(service: Service) -> None:
    account = await service.register(new_number())

    assert await introspected(service, account["refresh_token"]) == INACTIVE
    refreshed = await service.post("/auth/token/refresh", {"refresh_token": account["refresh_token"]})

    assert refreshed.status_code == 200
    for spent in (account["refresh_token"], refreshed.json()["refresh_token"]):
        assert await introspected(service, spent) == INACTIVE
    assert (await introspected(service, refreshed.json()["access_token"]))["active"]


async def test_whatever_is_no_access_token_is_inactive(service: Service) -> None:
    access = (await service.register(new_number()))["access_token"]
    pending = (await service.start_registration(new_number()))["pending_token"]
    header, payload, signature = access.split(".")
    others = {
        "pending": pending,
        "unsigned": jwt.encode(_claims(access), "", algorithm="none"),
        "signature cut": f"{header}.{payload}.",
        "claims changed": f"{header}.{pending.split('.')[1]}.{signature}",
        "with a scheme": f"Bearer {access}",
        "twice": f"{access} {access}",
        "space behind": f"{access} ",
        "one character": "x",
        "dots": "a.b.c",
        "9 kB": "a" * 9_000,
        "9 kB in three parts": ".".join(["a" * 3_000] * 3),
        "NUL": "a\0b",
        "other letters": "\N{FULLWIDTH LATIN SMALL LETTER A}.\N{PILE OF POO}.c",
    }

    assert {name: await introspected(service, token) for name, token in others.items()} == dict.fromkeys(
        others, INACTIVE
    )


async def test_an_expired_token_is_inactive(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]
    end = datetime.fromtimestamp(_claims(token)["exp"], UTC)

    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        before = await introspected(service, token)
    with time_machine.travel(end + timedelta(seconds=5), tick=False):
        after = await introspected(service, token)

    assert (before["active"], after) == (True, INACTIVE)


async def test_a_token_of_nobody_is_inactive(service: Service) -> None:
    token = service.app.state.tokens.issue_access(
        user_id=uuid4(), session_id=uuid4(), auth_time=datetime.now(UTC), amr=["pwd"], acr="aal2"
    )

    assert await introspected(service, token) == INACTIVE


@pytest.mark.parametrize("everywhere", [False, True])
async def test_after_a_logout_a_token_is_inactive_at_once(service: Service, everywhere: bool) -> None:
    token = (await service.register(new_number()))["access_token"]
    assert (await introspected(service, token))["active"]

    await service.post("/auth/logout", {"everywhere": everywhere}, token)

    assert await introspected(service, token) == INACTIVE


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"locked_at": datetime(2026, 1, 1, tzinfo=UTC)}, id="locked"),
        pytest.param({"password_version": 2}, id="password changed"),
    ],
)
async def test_of_an_account_that_has_changed_a_token_is_inactive(
    service: Service, values: dict[str, object]
) -> None:
    account = await service.register(new_number())
    await _change_account(service, account, **values)

    assert await introspected(service, account["access_token"]) == INACTIVE


async def test_a_session_that_idled_away_is_inactive(new_service: NewService) -> None:
    short = {"access_lifetime": 600, "refresh_idle": 60}
    async with new_service(service_clients=CLIENTS, tokens=short) as service:
        token = (await service.register(new_number()))["access_token"]
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            told = await introspected(service, token)

    assert told == INACTIVE


async def test_without_the_look_at_the_session_a_logout_would_not_show(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await service.register(new_number())
    found = await UserRepository(service.database).find_by_live_session(
        UUID(account["session_id"]), UUID(account["user"]["id"])
    )

    async def find_any(*_asked: object) -> object:
        return found

    await service.post("/auth/logout", token=account["access_token"])
    monkeypatch.setattr(UserRepository, "find_by_live_session", find_any)

    assert (await introspected(service, account["access_token"]))["active"]


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
async def test_without_a_database_nothing_is_said_of_a_token(
    service: Service, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    token = (await service.register(new_number()))["access_token"]
    monkeypatch.setattr(service.app.state, "database", _Gone())

    answer = await ask(service, path, token)

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"]


class _Gone:
    def read(self) -> None:
        raise ConnectionRefusedError

    write = read
