"""Refresh tokens used in parallel: never two living chains."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import update
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth.sessions import repository
from otp_auth.sessions.models import RefreshToken
from otp_auth.tokens.opaque import digest
from support.service import Service, new_number

PARALLEL = 50


async def refresh(service: Service, token: str) -> Response:
    return await service.post("/auth/token/refresh", {"refresh_token": token})


async def refresh_in_parallel(service: Service) -> list[Response]:
    """Return the answers that gave a new token."""
    token = (await service.register(new_number()))["refresh_token"]
    answers = await many(PARALLEL, lambda _: refresh(service, token))
    assert {answer.status_code for answer in answers} <= {200, 401}
    return [answer for answer in answers if answer.status_code == 200]


async def test_fifty_uses_of_one_token_make_one_chain(service: Service) -> None:
    granted = await refresh_in_parallel(service)

    assert len(granted) == 1
    assert (await refresh(service, granted[0].json()["refresh_token"])).status_code == 200


async def test_without_the_condition_there_would_be_more(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_spend", _spend_again)

    assert len(await refresh_in_parallel(service)) > 1


def _spend_again(refresh_token: str, now: datetime) -> Any:
    known = RefreshToken.digest == digest(refresh_token)
    return update(RefreshToken).where(known).values(spent_at=now).returning(RefreshToken.session_id)


@pytest.mark.parametrize("everywhere", [False, True], ids=["this session", "everywhere"])
async def test_after_logout_and_refresh_at_once_nothing_works(
    new_service: NewService, everywhere: bool
) -> None:
    many = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}
    async with new_service(send=many) as service:
        await log_out_and_refresh(service, everywhere)


async def log_out_and_refresh(service: Service, everywhere: bool) -> None:
    number = new_number()
    tokens = await service.register(number)
    for _ in range(10):
        _, refreshed = await asyncio.gather(
            service.post("/auth/logout", {"everywhere": everywhere}, tokens["access_token"]),
            refresh(service, tokens["refresh_token"]),
        )
        survivors = [refreshed.json()] if refreshed.status_code == 200 else []

        for left in (tokens, *survivors):
            assert (await service.get("/me", left["access_token"])).status_code == 401
            assert (await refresh(service, left["refresh_token"])).status_code == 401
        tokens = await service.log_in(number)
