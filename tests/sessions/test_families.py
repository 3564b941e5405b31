"""Refresh families: what a spent token still gets, and when it is taken for stolen."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import time_machine
from sqlalchemy import select, update

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.audit.models import AuditEvent
from otp_auth.housekeeping import purge
from otp_auth.sessions import families
from otp_auth.sessions.models import RefreshToken, Session
from otp_auth.tokens.opaque import digest, unseal
from support.service import Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)
A_MOMENT = timedelta(milliseconds=1)
Clock = time_machine.Traveller


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest_asyncio.fixture
async def tokens(clock: Clock, service: Service) -> AsyncIterator[Json]:
    assert clock
    yield await service.register(new_number())


async def refresh(service: Service, token: str) -> Json | None:
    """Return the tokens, or None for a refusal."""
    answer = await service.post("/auth/token/refresh", {"refresh_token": token})
    body: Json = answer.json()
    if answer.status_code == 200:
        return body
    assert (answer.status_code, body["code"]) == (401, "invalid_token")
    return None


async def next_of(service: Service, token: str) -> str:
    refreshed = await refresh(service, token)
    assert refreshed is not None
    return str(refreshed["refresh_token"])


async def is_dead(service: Service, *shown: str) -> bool:
    return [await refresh(service, token) for token in shown] == [None] * len(shown)


async def events(service: Service) -> list[tuple[str, str]]:
    """Name and session of what was told of refresh tokens."""
    told = select(AuditEvent).where(AuditEvent.name == "refresh_reuse")
    async with service.database.read() as tx:
        return [(event.name, str(event.session_id)) for event in await tx.scalars(told)]


class TestGrace:
    async def test_a_lost_answer_is_given_again(self, service: Service, tokens: Json, clock: Clock) -> None:
        lost = await next_of(service, tokens["refresh_token"])
        clock.shift(GRACE - A_MOMENT)

        again = await refresh(service, tokens["refresh_token"])

        assert again is not None
        assert again["refresh_token"] == lost
        assert again["session_id"] == tokens["session_id"]
        assert (await service.get("/me", again["access_token"])).status_code == 200

    async def test_it_gets_the_newest_and_not_the_next(self, service: Service, tokens: Json) -> None:
        first = await next_of(service, tokens["refresh_token"])
        second = await next_of(service, first)

        assert await next_of(service, tokens["refresh_token"]) == second
        assert await next_of(service, first) == second

    async def test_the_window_is_that_of_the_token_shown(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        first = await next_of(service, tokens["refresh_token"])
        clock.shift(GRACE - A_MOMENT)
        second = await next_of(service, first)
        assert await next_of(service, tokens["refresh_token"]) == second
        clock.shift(A_MOMENT)

        assert await refresh(service, tokens["refresh_token"]) is None
        assert await is_dead(service, first, second)

    async def test_another_worker_answers_alike(
        self, new_service: NewService, service: Service, tokens: Json
    ) -> None:
        newest = await next_of(service, tokens["refresh_token"])

        async with new_service() as other:
            assert await next_of(other, tokens["refresh_token"]) == newest

    async def test_an_answer_given_again_does_not_prolong_the_session(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        first = await refresh(service, tokens["refresh_token"])
        clock.shift(timedelta(seconds=5))

        again = await refresh(service, tokens["refresh_token"])

        assert first is not None
        assert again is not None
        assert again["refresh_expires_in"] == first["refresh_expires_in"] - 5

    async def test_without_grace_any_second_use_is_theft(self, new_service: NewService) -> None:
        async with new_service(tokens={"refresh_grace": 0}) as service:
            token = (await service.register(new_number()))["refresh_token"]
            newest = await next_of(service, token)

            assert await is_dead(service, token, newest)


class TestTheft:
    async def test_later_the_family_ends(self, service: Service, tokens: Json, clock: Clock) -> None:
        first = await next_of(service, tokens["refresh_token"])
        newest = await refresh(service, first)
        assert newest is not None
        clock.shift(GRACE)

        assert await is_dead(service, tokens["refresh_token"], first, newest["refresh_token"])
        assert (await service.get("/me", newest["access_token"])).status_code == 401
        assert await events(service) == [("refresh_reuse", tokens["session_id"])]

    async def test_other_sessions_of_the_account_go_on(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        other = await service.log_in(tokens["user"]["phone_number"])
        await next_of(service, tokens["refresh_token"])
        clock.shift(GRACE)

        assert await is_dead(service, tokens["refresh_token"])
        assert await refresh(service, other["refresh_token"]) is not None

    async def test_it_is_seen_after_a_restart_too(
        self, new_service: NewService, service: Service, tokens: Json, clock: Clock
    ) -> None:
        newest = await next_of(service, tokens["refresh_token"])
        clock.shift(timedelta(days=3))

        async with new_service() as restarted:
            assert await is_dead(restarted, tokens["refresh_token"], newest)
        async with new_service() as restarted:
            assert await is_dead(restarted, newest)
            assert await events(restarted) == [("refresh_reuse", tokens["session_id"])]

    async def test_a_token_that_nobody_issued_ends_nothing(self, service: Service, tokens: Json) -> None:
        assert await is_dead(service, "unknown", tokens["access_token"][:500], tokens["session_id"])
        assert await refresh(service, tokens["refresh_token"]) is not None
        assert await events(service) == []

    async def test_without_the_clock_a_stolen_token_would_do(
        self, service: Service, tokens: Json, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newest = await next_of(service, tokens["refresh_token"])
        clock.shift(GRACE)
        monkeypatch.setattr(families, "was_spent_long_ago", lambda *_: False)

        assert await next_of(service, tokens["refresh_token"]) == newest


class TestSeals:
    async def rows(self, service: Service) -> dict[str, RefreshToken]:
        async with service.database.read() as tx:
            return {row.digest: row for row in await tx.scalars(select(RefreshToken))}

    async def test_only_the_predecessor_opens_them(self, service: Service, tokens: Json) -> None:
        newest = await next_of(service, tokens["refresh_token"])

        rows = await self.rows(service)
        sealed = rows[digest(tokens["refresh_token"])].sealed_successor

        assert sealed is not None
        assert newest not in repr([vars(row) for row in rows.values()])
        assert unseal(sealed, tokens["refresh_token"]) == newest
        for known_to_the_database in (*rows, sealed, tokens["session_id"], newest):
            assert unseal(sealed, known_to_the_database) is None

    async def test_they_are_forgotten_when_the_grace_is_over(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        first = await next_of(service, tokens["refresh_token"])
        clock.shift(GRACE)
        await next_of(service, first)

        rows = await self.rows(service)

        assert rows[digest(tokens["refresh_token"])].sealed_successor is None
        assert rows[digest(first)].sealed_successor is not None


class TestAccountState:
    """Looked at again with each refresh, also when nobody ended the sessions (a restored backup)."""

    @pytest.mark.parametrize(
        "change", [{"locked_at": START}, {"password_version": 2}], ids=["locked", "another password"]
    )
    async def test_what_the_account_is_now_counts(
        self, service: Service, tokens: Json, change: dict[str, object]
    ) -> None:
        async with service.database.write() as tx:
            await tx.execute(update(User).values(change))

        assert (await service.get("/me", tokens["access_token"])).status_code == 401
        assert await is_dead(service, tokens["refresh_token"])

        async with service.database.write() as tx:
            await tx.execute(update(User).values(locked_at=None, password_version=1))
        assert await is_dead(service, tokens["refresh_token"])  # the session has ended for good

    @pytest.mark.parametrize("change", ["locked_at", "password_version"])
    async def test_a_login_that_began_before_opens_nothing(
        self, service: Service, tokens: Json, change: str
    ) -> None:
        number = tokens["user"]["phone_number"]
        pending = await service.start_login(number)
        async with service.database.write() as tx:
            await tx.execute(update(User).values({change: START if change == "locked_at" else 2}))

        answer = await service.verify(pending, await service.simulator.code(number))

        assert (answer.status_code, answer.json()["code"]) == (410, "challenge_closed")


class TestNumberOfSessions:
    async def test_the_one_used_longest_ago_makes_room(self, new_service: NewService, clock: Clock) -> None:
        async with new_service(sessions={"per_account": 2}, send={"resend_gap": 0}) as service:
            number = new_number()
            first = await service.register(number)
            clock.shift(timedelta(seconds=1))
            second = await service.log_in(number)
            clock.shift(timedelta(seconds=1))
            refreshed = await refresh(service, first["refresh_token"])
            clock.shift(timedelta(seconds=1))

            third = await service.log_in(number)

            assert refreshed is not None
            alive = [
                (await service.get("/me", each["access_token"])).status_code
                for each in (refreshed, second, third)
            ]
            assert alive == [200, 401, 200]
            assert await revoked(service) == [(second["session_id"], {"reason": "too_many_sessions"})]

    async def test_sessions_that_are_over_take_no_room(self, new_service: NewService, clock: Clock) -> None:
        async with new_service(sessions={"per_account": 2}, send={"resend_gap": 0}) as service:
            number = new_number()
            first = await service.register(number)
            ended = await service.log_in(number)
            await service.post("/auth/logout", token=ended["access_token"])
            clock.shift(timedelta(seconds=1))

            await service.log_in(number)

            assert (await service.get("/me", first["access_token"])).status_code == 200


async def revoked(service: Service) -> list[tuple[str, dict[str, object]]]:
    told = select(AuditEvent).where(AuditEvent.name == "session_revoked")
    async with service.database.read() as tx:
        return [(str(event.session_id), event.detail) for event in await tx.scalars(told)]


async def test_what_is_over_is_purged_with_its_tokens(service: Service, tokens: Json, clock: Clock) -> None:
    other = await service.log_in(tokens["user"]["phone_number"])
    await service.post("/auth/logout", token=other["access_token"])
    clock.shift(timedelta(days=1, seconds=1))

    counts = await purge(service.database, service.settings)

    async with service.database.read() as tx:
        sessions = [str(each.id) for each in await tx.scalars(select(Session))]
        left = (await tx.scalars(select(RefreshToken.session_id))).all()
    assert counts["sessions"] == 1
    assert sessions == [str(each) for each in left] == [tokens["session_id"]]
