"""Revocations and refreshes of one session at once: afterwards nothing of it works."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from httpx import Response
from sqlalchemy import func, select
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth.audit.models import AuditEvent
from otp_auth.sessions import families
from support.gateway import CLIENTS, REVOKE, ask, introspected, revoke
from support.service import Json, Service, new_number

PARALLEL = 50
ROUNDS = 5
Workers = tuple[Service, Service]


@pytest_asyncio.fixture
async def workers(new_service: NewService) -> AsyncIterator[Workers]:
    """Two applications on one database, as two workers are."""
    settings = {"service_clients": CLIENTS, "send": {"per_account_hour": 100, "per_account_day": 100}}
    async with new_service(**settings) as one, new_service(**settings) as other:
        yield one, other


async def _refresh(service: Service, tokens: Json) -> Response:
    return await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})


async def _revocations(service: Service) -> int:
    ended = select(func.count()).where(AuditEvent.name == "session_revoked")
    async with service.database.read() as tx:
        return await tx.scalar(ended) or 0


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_after_revocations_and_refreshes_at_once_nothing_works(workers: Workers, kind: str) -> None:
    for round_ in range(ROUNDS):
        tokens = await workers[0].register(new_number())

        async def act(number: int, tokens: Json = tokens) -> Response:
            service = workers[number // 2 % 2]
            return await (ask(service, REVOKE, tokens[kind]) if number % 2 else _refresh(service, tokens))

        answers = await many(PARALLEL, act)

        refreshed = [answer.json() for answer in answers[::2] if answer.status_code == 200]
        assert {answer.status_code for answer in answers[1::2]} == {200}
        assert await _revocations(workers[0]) == round_ + 1
        for left in (tokens, *refreshed):
            assert (await workers[1].get("/me", left["access_token"])).status_code == 401
            assert await introspected(workers[0], left["access_token"]) == {"active": False}
            assert (await _refresh(workers[1], left)).status_code == 401


async def test_without_the_look_at_the_session_something_would(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await workers[0].register(new_number())
    await revoke(workers[0], tokens["refresh_token"])
    monkeypatch.setattr(families, "live", lambda _now: ())

    assert (await _refresh(workers[1], tokens)).status_code == 200
