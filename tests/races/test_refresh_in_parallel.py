"""Refresh tokens used in parallel: one living chain, from any worker, and nothing left after an end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from httpx import Response
from sqlalchemy import update
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth.sessions import families
from otp_auth.sessions.models import RefreshToken
from otp_auth.tokens.opaque import digest, seal
from support.scale import FULL
from support.service import API, Json, Service, new_number

PARALLEL = 50
ROUNDS = 30 if FULL else 12
# One number logs in again and again.
WIDE = {f"per_{whose}_{time}": 1000 for whose in ("number", "account") for time in ("hour", "day")}
Workers = tuple[Service, Service]


@pytest_asyncio.fixture
async def workers(new_service: NewService) -> AsyncIterator[Workers]:
    """Two applications on one database, as two workers are. A busy machine doesn't use up their grace."""
    long_grace = {"refresh_grace": 60}
    async with (
        new_service(send=WIDE, tokens=long_grace) as one,
        new_service(send=WIDE, tokens=long_grace) as other,
    ):
        yield one, other


async def refresh(service: Service, token: str) -> Response:
    return await service.post("/auth/token/refresh", {"refresh_token": token})


async def granted(service: Service, token: str) -> Json:
    answer = await refresh(service, token)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def refresh_in_parallel(workers: Workers, token: str) -> list[Response]:
    return await many(PARALLEL, lambda number: refresh(workers[number % 2], token))


async def unspent(service: Service) -> int:
    async with service.database.read() as tx:
        found = await tx.scalars(RefreshToken.__table__.select().where(RefreshToken.spent_at.is_(None)))
        return len(found.all())


class TestOneToken:
    async def test_fifty_uses_are_answered_with_one_successor(self, workers: Workers) -> None:
        tokens = await workers[0].register(new_number())

        answers = await refresh_in_parallel(workers, tokens["refresh_token"])

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        assert await unspent(workers[0]) == 1

    async def test_each_answer_used_once_more_leaves_one_chain(self, workers: Workers) -> None:
        tokens = await workers[0].register(new_number())
        answers = await refresh_in_parallel(workers, tokens["refresh_token"])

        again = await many(
            PARALLEL, lambda number: granted(workers[number % 2], answers[number].json()["refresh_token"])
        )

        assert len({answer["refresh_token"] for answer in again}) == 1
        assert {answer["session_id"] for answer in again} == {tokens["session_id"]}
        assert await unspent(workers[0]) == 1
        await granted(workers[1], again[0]["refresh_token"])

    async def test_tabs_that_each_follow_their_own_answers_are_never_refused(self, workers: Workers) -> None:
        tokens = await workers[0].register(new_number())

        async def tab(number: int) -> str:
            token = str(tokens["refresh_token"])
            for _ in range(10):
                token = (await granted(workers[number % 2], token))["refresh_token"]
            return token

        await many(8, tab)

        assert await unspent(workers[0]) == 1

    async def test_without_the_condition_there_would_be_more_chains(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = await workers[0].register(new_number())
        monkeypatch.setattr(families, "_spend", _spend_again)

        await refresh_in_parallel(workers, tokens["refresh_token"])

        assert await unspent(workers[0]) > 1


def _spend_again(refresh_token: str, successor: str, now: datetime) -> Any:
    """As in `families`, but for whoever comes."""
    known = RefreshToken.digest == digest(refresh_token)
    values = {"spent_at": now, "sealed_successor": seal(successor, under=refresh_token)}
    return update(RefreshToken).where(known).values(values).returning(RefreshToken.session_id)


async def assert_dead(service: Service, tokens: Json) -> None:
    assert (await service.get("/me", tokens["access_token"])).status_code == 401
    assert (await refresh(service, tokens["refresh_token"])).status_code == 401


class TestLogout:
    @pytest.mark.parametrize("everywhere", [False, True], ids=["this session", "everywhere"])
    async def test_after_logout_and_refresh_at_once_nothing_works(
        self, workers: Workers, everywhere: bool
    ) -> None:
        one, other = workers
        number = new_number()
        tokens = await one.register(number)
        for _ in range(ROUNDS):
            ended, *refreshed = await asyncio.gather(
                one.post("/auth/logout", {"everywhere": everywhere}, tokens["access_token"]),
                refresh(other, tokens["refresh_token"]),
                refresh(one, tokens["refresh_token"]),
            )

            assert ended.status_code == 204
            survivors = [answer.json() for answer in refreshed if answer.status_code == 200]
            for left in (tokens, *survivors):
                await assert_dead(other, left)
            tokens = await other.log_in(number)

    async def test_without_the_look_at_the_session_something_would(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(families, "live", lambda _now: ())
        tokens = await workers[0].register(new_number())
        await workers[0].post("/auth/logout", token=tokens["access_token"])

        assert (await refresh(workers[1], tokens["refresh_token"])).status_code == 200


async def sessions_after_parallel_logins(new_service: NewService, allowed: int) -> int:
    """Log in eight times at once, from as many networks; return how many sessions live."""
    logins = 8
    wide: dict[str, Any] = {
        "send": WIDE,
        "sessions": {"per_account": allowed},
        "guesses": {"codes_5_minutes": logins},
        "trusted_proxies": "127.0.0.1/32",
    }
    async with new_service(**wide) as service:
        number = new_number()
        codes = (await service.register(number))["recovery_codes"]
        # Each would close the one before it as soon as it has sent: so none of them sends.
        begun = [await service.start_login(number, method="none") for _ in range(logins)]

        async def prove(index: int) -> Response:
            headers = {
                "Authorization": f"Bearer {begun[index]['pending_token']}",
                "X-Forwarded-For": f"198.51.{index}.1",
            }
            body = {"code": codes[index], "method": "recovery_code"}
            return await service.http.post(f"{API}/auth/otp/verify", json=body, headers=headers)

        answers = await many(logins, prove)
        assert [answer.status_code for answer in answers] == [200] * logins
        seen = [await service.get("/me", answer.json()["access_token"]) for answer in answers]
        return [answer.status_code for answer in seen].count(200)


async def test_parallel_logins_stay_within_the_number_of_sessions(new_service: NewService) -> None:
    assert await sessions_after_parallel_logins(new_service, allowed=3) == 3
