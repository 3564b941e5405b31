"""Password changes beside refreshes, logins and each other: nothing of the old password works afterwards."""

import asyncio
from typing import Any

import pytest
import test_refresh_in_parallel as in_parallel
from httpx import Response
from sqlalchemy import ColumnElement
from test_refresh_in_parallel import ROUNDS, Workers, assert_dead, granted, refresh

from conftest import NewService
from otp_auth.accounts import password_change, repository
from otp_auth.accounts.models import User
from otp_auth.ceremonies import refresh as refreshing
from otp_auth.sessions.families import rotate
from otp_auth.sessions.models import Session
from support.service import PASSWORD, Json, Service, new_number

NEW = "Amber-Meadow-Compass-31"
workers = in_parallel.workers


async def change(service: Service, tokens: Json, new: str = NEW, current: str = PASSWORD) -> Response:
    body = {"current_password": current, "new_password": new}
    return await service.post("/me/password", body, tokens["access_token"])


async def prove(service: Service, pending: Json, recovery_code: str) -> Response:
    return await service.verify(pending, recovery_code, method="recovery_code")


async def another_session(service: Service, number: str, recovery_code: str) -> Json:
    answer = await prove(service, await service.start_login(number, method="none"), recovery_code)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def assert_alive(service: Service, tokens: Json) -> None:
    assert (await service.get("/me", tokens["access_token"])).status_code == 200
    refreshed = await granted(service, tokens["refresh_token"])
    assert (await service.get("/me", refreshed["access_token"])).status_code == 200


async def do_nothing(*_: object, **__: object) -> None:
    """In the place of a guard."""


class TestRefresh:
    async def test_no_token_of_another_session_works_and_the_own_ones_do(self, workers: Workers) -> None:
        one, two = workers
        for _ in range(ROUNDS):
            number = new_number()
            mine = await one.register(number)
            other = await another_session(two, number, mine["recovery_codes"][0])

            changed, theirs, ours = await asyncio.gather(
                change(one, mine),
                refresh(two, other["refresh_token"]),
                refresh(two, mine["refresh_token"]),
            )

            assert (changed.status_code, ours.status_code) == (204, 200)
            assert theirs.status_code in {200, 401}
            for left in (other, *([theirs.json()] if theirs.is_success else [])):
                await assert_dead(two, left)
            assert (await one.get("/me", mine["access_token"])).status_code == 200
            await assert_alive(two, ours.json())

    @pytest.mark.parametrize(
        "without", [{"end"}, {"version"}, {"end", "version"}], ids=lambda names: " and ".join(sorted(names))
    )
    async def test_two_guards_hold_that_and_either_is_enough(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch, without: set[str]
    ) -> None:
        one, two = workers
        number = new_number()
        mine = await one.register(number)
        other = await another_session(two, number, mine["recovery_codes"][0])
        if "end" in without:
            monkeypatch.setattr(password_change, "end_sessions", do_nothing)
        if "version" in without:
            monkeypatch.setattr(repository, "still_holds", lambda: ())

        await change(one, mine)

        works = (await two.get("/me", other["access_token"])).status_code == 200
        refreshes = (await refresh(two, other["refresh_token"])).status_code == 200
        assert works is refreshes is (without == {"end", "version"})


async def refresh_around_a_change(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the password while a second tab of the same session is led to its newest token."""
    one, two = workers
    mine = await one.register(new_number())
    newest = await granted(one, mine["refresh_token"])

    async def rotate_slowly(*arguments: Any) -> Any:
        opened = await rotate(*arguments)
        assert (await change(two, mine)).status_code == 204
        return opened

    with monkeypatch.context() as patch:
        patch.setattr(refreshing, "rotate", rotate_slowly)
        again = await granted(one, mine["refresh_token"])
    assert again["refresh_token"] == newest["refresh_token"]
    await assert_alive(one, again)


class TestAChangeInTheMiddleOfARefresh:
    @pytest.fixture
    def database_url(self, postgres_database: str) -> str:
        """SQLite has one writer: there the change waits."""
        return postgres_database

    async def test_the_session_that_changed_it_goes_on(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await refresh_around_a_change(workers, monkeypatch)

    async def test_account_and_session_of_two_moments_would_end_it(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look_twice(tx: Any, session_id: Any) -> User | None:
            session = await tx.get(Session, session_id)
            user: User | None = await tx.get(User, session.user_id)
            return user if user and user.holds(session.password_version) else None

        monkeypatch.setattr(refreshing, "find_owner", look_twice)

        with pytest.raises(AssertionError, match="invalid_token"):
            await refresh_around_a_change(workers, monkeypatch)


class TestVerify:
    @pytest.mark.parametrize("proof", ["recovery code", "text message"])
    async def test_a_login_with_the_old_password_opens_nothing_that_lasts(
        self, workers: Workers, proof: str
    ) -> None:
        one, two = workers
        seen = set()
        for _ in range(ROUNDS):
            number = new_number()
            mine = await one.register(number)
            pending, verifying = await self.login(two, number, mine["recovery_codes"][0], proof)

            changed, verified = await asyncio.gather(change(one, mine), verifying)

            assert changed.status_code == 204
            seen.add(verified.status_code)
            if verified.is_success:
                await assert_dead(two, verified.json())
            assert (await one.get("/auth/otp", pending["pending_token"])).status_code == 410
            await assert_alive(two, mine)
        assert seen <= {200, 410}

    async def login(self, service: Service, number: str, recovery_code: str, proof: str) -> tuple[Json, Any]:
        if proof == "recovery code":
            pending = await service.start_login(number, method="none")
            return pending, prove(service, pending, recovery_code)
        pending = await service.start_login(number)
        return pending, service.verify(pending, await service.simulator.code(number))

    async def test_without_the_guards_it_would(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two = workers
        number = new_number()
        mine = await one.register(number)
        pending = await two.start_login(number, method="none")
        monkeypatch.setattr(password_change, "close", do_nothing)
        monkeypatch.setattr(User, "holds", lambda _user, _version: True)

        await change(one, mine)
        opened = await prove(two, pending, mine["recovery_codes"][0])

        assert (await one.get("/me", opened.json()["access_token"])).status_code == 200


async def works(service: Service, number: str, password: str) -> bool:
    body = {"identifier": number, "password": password, "method": "none"}
    return (await service.post("/auth/login", body)).status_code == 200


class TestChange:
    @pytest.mark.parametrize("sessions", [1, 2], ids=["one session", "two sessions"])
    async def test_exactly_one_wins(self, workers: Workers, sessions: int) -> None:
        one, two = workers
        for _ in range(ROUNDS):
            number = new_number()
            mine = await one.register(number)
            other = mine
            if sessions > 1:
                other = await another_session(two, number, mine["recovery_codes"][0])

            answers = await asyncio.gather(change(one, mine, f"{NEW}-0"), change(two, other, f"{NEW}-1"))

            statuses = [answer.status_code for answer in answers]
            assert statuses.count(204) == 1
            # Somebody else's change may have ended the session before it was asked for.
            assert set(statuses) <= ({204, 400} if sessions == 1 else {204, 400, 401})
            assert [await works(two, number, f"{NEW}-{which}") for which in range(2)] == [
                status == 204 for status in statuses
            ]
            assert not await works(one, number, PASSWORD)
            await assert_alive(two, (mine, other)[statuses.index(204)])

    async def test_without_the_condition_more_would(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def whoever(user: User) -> tuple[ColumnElement[bool], ...]:
            return (User.id == user.id,)

        monkeypatch.setattr(password_change, "_as_it_was", whoever)
        mine = await workers[0].register(new_number())

        answers = await asyncio.gather(*(change(worker, mine, f"{NEW}-x") for worker in workers))

        assert [answer.status_code for answer in answers] == [204, 204]


async def test_all_that_ends_sessions_at_once_ends_in_order(new_service: NewService) -> None:
    """No deadlock: all lock challenges, account and sessions in one order."""
    wide: dict[str, Any] = {"send": in_parallel.WIDE, "guesses": {"codes_5_minutes": 100}}
    async with new_service(**wide) as one, new_service(**wide) as two:
        for _ in range(ROUNDS):
            number = new_number()
            first = await one.register(number)
            codes = first["recovery_codes"]
            second, third = [await another_session(one, number, code) for code in codes[:2]]
            silent = [await two.start_login(number, method="none") for _ in range(2)]

            answers = await asyncio.gather(
                change(one, first),
                one.post("/auth/logout", {"everywhere": True}, second["access_token"]),
                two.ask("DELETE", "/me/sessions", token=third["access_token"]),
                prove(two, silent[0], codes[2]),
                prove(one, silent[1], codes[3]),
                one.post("/auth/login", {"identifier": number, "password": PASSWORD}),
                refresh(two, first["refresh_token"]),
                refresh(two, second["refresh_token"]),
            )

            assert {answer.status_code for answer in answers} <= {200, 204, 400, 401, 410}
