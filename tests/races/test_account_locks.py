"""Locked accounts: what runs beside the lock opens nothing that works afterwards."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import test_refresh_in_parallel as in_parallel
from test_password_changes import NEW, another_session, change, do_nothing, prove
from test_refresh_in_parallel import ROUNDS, Workers, assert_dead, refresh

from otp_auth.accounts import lock, repository
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.models import User
from otp_auth.ceremonies.login import start_login
from support.service import Json, Service, new_number

BY = {"by": "operator"}
workers = in_parallel.workers


async def lock_out(service: Service, tokens: Json) -> bool:
    return await lock_account(service.database, UUID(tokens["user"]["id"]), BY)


async def let_in_again(service: Service, tokens: Json) -> bool:
    return await unlock_account(service.database, UUID(tokens["user"]["id"]), BY)


async def test_beside_refreshes_nothing_works_afterwards_nor_after_an_unlock(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        number = new_number()
        tokens = await one.register(number)
        other = await another_session(two, number, tokens["recovery_codes"][0])

        locked, *answers = await asyncio.gather(
            lock_out(one, tokens),
            refresh(two, tokens["refresh_token"]),
            refresh(one, other["refresh_token"]),
        )

        assert locked
        assert {answer.status_code for answer in answers} <= {200, 401}
        survivors = [answer.json() for answer in answers if answer.is_success]
        for left in (tokens, other, *survivors):
            await assert_dead(two, left)
        await let_in_again(two, tokens)
        for left in (tokens, other, *survivors):
            await assert_dead(one, left)


async def test_beside_a_verification_nothing_works_afterwards_nor_after_an_unlock(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        number = new_number()
        tokens = await one.register(number)
        pending = await one.start_login(number, method="none")

        locked, verified = await asyncio.gather(
            lock_out(one, tokens), prove(two, pending, tokens["recovery_codes"][0])
        )

        assert locked
        assert verified.status_code in {200, 410}
        await let_in_again(two, tokens)
        if verified.is_success:
            await assert_dead(two, verified.json())
        assert (await one.get("/auth/otp", pending["pending_token"])).status_code == 410


async def test_beside_a_password_change_the_lock_holds(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        tokens = await one.register(new_number())

        locked, changed = await asyncio.gather(lock_out(one, tokens), change(two, tokens, NEW))

        assert locked
        assert changed.status_code in {204, 400, 401}
        await assert_dead(two, tokens)


async def test_of_parallel_locks_one_is_written_down(workers: Workers) -> None:
    tokens = await workers[0].register(new_number())

    outcomes = await asyncio.gather(*(lock_out(worker, tokens) for worker in (*workers, *workers)))

    assert sorted(outcomes) == [False, False, False, True]


@pytest.mark.parametrize(
    "without", [{"end"}, {"account"}, {"end", "account"}], ids=lambda names: " and ".join(sorted(names))
)
async def test_two_guards_hold_a_session_down_and_either_is_enough(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, without: set[str]
) -> None:
    one, two = workers
    tokens = await one.register(new_number())
    if "end" in without:
        monkeypatch.setattr(lock, "end_sessions", do_nothing)
    if "account" in without:
        monkeypatch.setattr(repository, "still_holds", lambda: ())

    await lock_out(one, tokens)

    works = (await two.get("/me", tokens["access_token"])).status_code == 200
    refreshes = (await refresh(two, tokens["refresh_token"])).status_code == 200
    assert works is refreshes is (without == {"end", "account"})


async def log_in_around_a_lock(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, *, unlock: bool
) -> tuple[int, Json]:
    """Lock the account after the login has proved the password, and before its challenge is written."""
    one, two = workers
    number = new_number()
    tokens = await one.register(number)

    async def begin_late(*arguments: Any) -> Any:
        assert await lock_out(two, tokens)
        return await start_login(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("otp_auth.api.login.start_login", begin_late)
        pending = await one.start_login(number, method="none")
    if unlock:
        await let_in_again(two, tokens)
    answer = await prove(one, pending, tokens["recovery_codes"][0])
    return answer.status_code, answer.json()


@pytest.mark.parametrize("unlock", [False, True], ids=["locked", "unlocked again"])
async def test_a_login_that_began_before_opens_nothing(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, unlock: bool
) -> None:
    status, problem = await log_in_around_a_lock(workers, monkeypatch, unlock=unlock)

    assert (status, problem["code"]) == (410, "challenge_closed")


async def test_without_the_look_at_the_account_it_would(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "holds", lambda _user, _version: True)

    assert (await log_in_around_a_lock(workers, monkeypatch, unlock=True))[0] == 200
