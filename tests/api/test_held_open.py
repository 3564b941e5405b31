"""A request whose body comes slowly: what its token opened may have ended before it is carried out."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from api_surface import JSON_TYPE, Operation, bearer, code_of, everything_stored, operations
from sqlalchemy.ext.asyncio import AsyncSession

from conftest import NewService
from otp_auth.accounts import recovery
from otp_auth.accounts.lock import lock_account
from otp_auth.accounts.repository import lock_user
from support.authenticator import enrol
from support.service import PASSWORD, Json, Service, new_number

NEW_PASSWORD = "Amber-Meadow-Compass-31"
# What the body of each would do, were its session still alive.
BODIES: dict[str, Json] = {
    "changeMe": {"email": "thief@example.com", "preferred_method": "totp"},
    "changePhone": {"phone_number": "+46709999996"},
    "changePassword": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "confirmTotp": {},  # a right code, made then
    "renewRecoveryCodes": {},
    "stepUp": {"method": "sms"},
}
End = Callable[[Service, Json, Json], Awaitable[None]]  # of the victim's session, by its owner
# Ends no more than the owner has ended already.
HARMLESS = {"logOut"}


def routes(service: Service) -> list[Operation]:
    """Those that an access token opens and that wait for a body."""
    found = [each for each in operations(service.app) if each.credential == "AccessToken" and each.takes_body]
    assert {each.name for each in found} == set(BODIES) | HARMLESS
    return [each for each in found if each.name not in HARMLESS]


async def revoke(service: Service, victim: Json, owner: Json) -> None:
    path = f"/me/sessions/{victim['session_id']}"
    assert (await service.ask("DELETE", path, token=owner["access_token"])).status_code == 204


async def change_password(service: Service, _victim: Json, owner: Json) -> None:
    body = {"current_password": PASSWORD, "new_password": "Copper-Violin-Thicket-77"}
    assert (await service.post("/me/password", body, owner["access_token"])).status_code == 204


async def lock(service: Service, victim: Json, _owner: Json) -> None:
    assert await lock_account(service.database, UUID(victim["user"]["id"]), {"by": "operator"})


async def hold_open(service: Service, route: Operation, victim: Json, owner: Json, end: End) -> str:
    """Show the token and the first octet; end the session; send the rest. Returns the code of the refusal."""
    body = dict(BODIES[route.name])
    if route.name == "confirmTotp":
        body["code"] = (await enrol(service, owner)).code()

    async def slowly() -> AsyncIterator[bytes]:
        text = json.dumps(body).encode()
        yield text[:1]
        await end(service, victim, owner)
        before.update(await everything_stored(service.database))
        yield text[1:]

    before: dict[str, list[str]] = {}
    headers = {**bearer(victim["access_token"]), **JSON_TYPE, "Transfer-Encoding": "chunked"}
    answer: httpx.Response = await service.http.request(
        route.method, route.path, content=slowly(), headers=headers
    )
    after = await everything_stored(service.database)
    changed = {table for table in after if after[table] != before[table]}
    # A guess that was taken, and a refusal written down, are no more than the owner's own mistakes are.
    assert changed <= {"budgets", "audit_events", "factor_failures"}, route.name
    assert not answer.is_success, route.name
    return code_of(answer)


@pytest.mark.parametrize("end", [revoke, change_password, lock], ids=lambda end: end.__name__)
async def test_nothing_is_done_for_a_session_that_ended_meanwhile(service: Service, end: End) -> None:
    refused = {}
    for route in routes(service):
        number = new_number()
        owner, victim = await service.register(number), await service.log_in(number)
        refused[route.name] = await hold_open(service, route, victim, owner, end)

    compared = {"changePassword": refused.pop("changePassword")}
    assert set(refused.values()) == {"invalid_token"}
    # The password is compared first; the session is looked at where it would be written.
    assert compared["changePassword"] in {"invalid_token", "wrong_password"}


async def test_without_the_look_it_would_be(new_service: NewService, monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_lock(tx: AsyncSession, user_id: UUID, _session_id: UUID) -> object:
        return await lock_user(tx, user_id)

    async with new_service() as service:
        monkeypatch.setattr(recovery, "lock_owner", only_lock)
        number = new_number()
        owner, victim = await service.register(number), await service.log_in(number)
        renewal = next(each for each in routes(service) if each.name == "renewRecoveryCodes")

        with pytest.raises(AssertionError, match="renewRecoveryCodes"):
            await hold_open(service, renewal, victim, owner, revoke)
