"""RFC 7009: any token of a session ends it; of anything else nothing happens, and nothing is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import time_machine
from api_surface import everything_stored
from sqlalchemy import select

from conftest import NewService
from otp_auth.audit.models import AuditEvent
from support.gateway import CLIENTS, introspected, revoke
from support.service import Json, Service, new_number

ENDS = {"session_revoked", "refresh_reuse", "logout"}


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(service_clients=CLIENTS) as running:
        yield running


async def _refresh(service: Service, tokens: Json) -> Json:
    answer = await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
    return answer.json() if answer.status_code == 200 else {}


async def _lives(service: Service, tokens: Json) -> bool:
    return (await service.get("/me", tokens["access_token"])).status_code == 200


async def _ends(service: Service) -> list[tuple[str, str, Json]]:
    """What the audit trail has of ended sessions: name, session, detail."""
    async with service.database.read() as tx:
        found = await tx.scalars(select(AuditEvent).where(AuditEvent.name.in_(ENDS)))
        return [(event.name, str(event.session_id), event.detail) for event in found]


async def _assert_dead(service: Service, *all_tokens: Json) -> None:
    for tokens in all_tokens:
        assert not await _lives(service, tokens)
        assert await introspected(service, tokens["access_token"]) == {"active": False}
        assert await _refresh(service, tokens) == {}


@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "nonsense"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_token_ends_its_session(service: Service, kind: str, hint: str) -> None:
    tokens = await service.register(new_number())
    other = await service.register(new_number())

    await revoke(service, tokens[kind], token_type_hint=hint)

    assert await _ends(service) == [("session_revoked", tokens["session_id"], {"by": "service_client"})]
    await _assert_dead(service, tokens)
    assert await _lives(service, other)


async def test_other_sessions_of_the_account_go_on(service: Service) -> None:
    number = new_number()
    first = await service.register(number)
    second = await service.log_in(number)

    await revoke(service, second["refresh_token"])

    assert await _lives(service, first)
    await _assert_dead(service, second)


async def test_an_older_access_token_ends_the_refreshed_session(service: Service) -> None:
    tokens = await service.register(new_number())
    refreshed = await _refresh(service, tokens)

    await revoke(service, tokens["access_token"])

    await _assert_dead(service, tokens, refreshed)


async def test_a_token_in_its_grace_ends_its_session_and_is_no_theft(service: Service) -> None:
    tokens = await service.register(new_number())
    refreshed = await _refresh(service, tokens)

    await revoke(service, tokens["refresh_token"])

    assert [name for name, *_ in await _ends(service)] == ["session_revoked"]
    await _assert_dead(service, tokens, refreshed)


async def test_a_token_after_its_grace_is_theft_and_answered_alike(service: Service) -> None:
    tokens = await service.register(new_number())
    refreshed = await _refresh(service, tokens)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=11)):
        await revoke(service, tokens["refresh_token"])
        dead = not await _lives(service, refreshed)

    assert dead
    assert [name for name, *_ in await _ends(service)] == ["refresh_reuse"]


async def test_again_it_changes_nothing(service: Service) -> None:
    tokens = await service.register(new_number())

    for kind in ("access_token", "refresh_token", "access_token", "refresh_token"):
        await revoke(service, tokens[kind])

    assert len(await _ends(service)) == 1


async def test_whatever_is_no_token_of_a_session_changes_nothing(service: Service) -> None:
    tokens = await service.register(new_number())
    pending = await service.start_registration(number := new_number())
    access = tokens["access_token"]
    others = [
        pending["pending_token"],
        access.rpartition(".")[0] + ".",
        f"{access} ",
        tokens["refresh_token"][:-1],
        tokens["session_id"],
        tokens["user"]["id"],
        tokens["recovery_codes"][0],
        "x",
        "a.b.c",
        "a" * 9_000,
        "a\0b",
        "\N{PILE OF POO}",
        "' OR 1=1; --",
    ]
    before = await everything_stored(service.database)

    for other in others:
        await revoke(service, other)

    assert await everything_stored(service.database) == before
    assert await _lives(service, tokens)
    assert (await service.prove(pending, number))["status"] == "authenticated"


async def test_an_expired_access_token_ends_nothing(service: Service) -> None:
    tokens = await service.register(new_number())

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=606)):
        await revoke(service, tokens["access_token"])
        refreshed = await _refresh(service, tokens)

    assert refreshed
    assert await _ends(service) == []
