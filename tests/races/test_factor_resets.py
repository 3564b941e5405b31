"""Support resets the factors: what runs beside it leaves neither a session nor a lost factor behind."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import test_refresh_in_parallel as in_parallel
from httpx import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from test_password_changes import do_nothing, prove
from test_refresh_in_parallel import ROUNDS, Workers, assert_dead, refresh

from otp_auth.accounts import authenticator_app, factor_reset, repository
from otp_auth.accounts.factor_reset import FactorReset, reset_factors
from otp_auth.accounts.models import User
from otp_auth.accounts.repository import lock_owner, lock_user
from otp_auth.ceremonies.login import start_login
from otp_auth.factors.models import RecoveryCode, TotpAuthenticator
from support.authenticator import App, add_app, enrol
from support.service import Json, Service, new_number, wrong

BY = {"by": "operator"}
workers = in_parallel.workers


async def reset(service: Service, tokens: Json) -> FactorReset | None:
    return await reset_factors(service.database, UUID(tokens["user"]["id"]), BY)


async def left_of(service: Service, tokens: Json) -> int:
    """How many rows of lost factors the account has."""
    user_id = UUID(tokens["user"]["id"])
    async with service.database.read() as tx:
        codes = await tx.scalars(select(RecoveryCode.digest).where(RecoveryCode.user_id == user_id))
        apps = await tx.scalars(select(TotpAuthenticator.user_id).where(TotpAuthenticator.user_id == user_id))
        return len([*codes, *apps])


async def test_beside_logins_and_refreshes_nothing_works_afterwards(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        number = new_number()
        tokens = await one.register(number)
        app = await add_app(one, tokens)
        by_phone = await one.start_login(number)
        code = await one.simulator.code(number)
        await one.verify(by_phone, wrong(code))  # one in a row
        waiting = [await one.start_login(number, method="none") for _ in range(2)]

        was_reset, *answers = await asyncio.gather(
            reset(one, tokens),
            prove(two, waiting[0], tokens["recovery_codes"][0]),
            one.verify(waiting[1], app.code(), method="totp"),
            two.verify(by_phone, code),
            refresh(two, tokens["refresh_token"]),
        )

        assert was_reset
        # A factor that is gone is wrong, or none of the methods.
        assert {answer.status_code for answer in answers[:3]} <= {200, 400, 410, 422}
        assert answers[3].status_code in {200, 401}
        for left in (tokens, *(answer.json() for answer in answers if answer.is_success)):
            await assert_dead(two, left)
        assert await left_of(one, tokens) == 0


async def test_of_parallel_resets_one_finds_something(workers: Workers) -> None:
    for _ in range(ROUNDS):
        tokens = await workers[0].register(new_number())

        outcomes = await asyncio.gather(*(reset(worker, tokens) for worker in (*workers, *workers)))

        assert len([each for each in outcomes if each is not None]) == 1


async def confirm_beside(workers: Workers) -> tuple[Response, Json]:
    """Confirm an app while support resets."""
    one, two = workers
    tokens = await one.register(new_number())
    app: App = await enrol(one, tokens)
    body = {"code": app.code()}

    _, answer = await asyncio.gather(
        reset(two, tokens), one.post("/me/factors/totp/confirm", body, tokens["access_token"])
    )
    return answer, tokens


async def test_no_app_comes_beside_it(workers: Workers) -> None:
    for _ in range(ROUNDS):
        answer, tokens = await confirm_beside(workers)

        assert answer.status_code in {200, 401, 409}
        assert await left_of(workers[0], tokens) == 0


async def enrol_late(workers: Workers, monkeypatch: pytest.MonkeyPatch, look: Any) -> Json:
    """Renew an enrolment whose request was let in before the reset, and is carried out after it."""
    one, two = workers
    tokens = await one.register(new_number())

    enrol_app = authenticator_app.enrol_app

    async def begin_late(*arguments: Any) -> Any:
        assert await reset(two, tokens)
        return await enrol_app(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("otp_auth.api.factors.enrol_app", begin_late)
        patch.setattr(authenticator_app, "lock_owner", look)
        await one.post("/me/factors/totp", token=tokens["access_token"])
    return tokens


async def test_no_enrolment_of_before_begins_after_it(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await enrol_late(workers, monkeypatch, lock_owner)

    assert await left_of(workers[0], tokens) == 0


async def test_without_the_look_at_the_session_it_would(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def only_lock(tx: AsyncSession, user_id: UUID, _session_id: UUID) -> object:
        return await lock_user(tx, user_id)

    tokens = await enrol_late(workers, monkeypatch, only_lock)

    assert await left_of(workers[0], tokens) == 1


async def log_in_around_it(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> int:
    """Reset after the login has proved the password, and before its challenge is written."""
    one, two = workers
    number = new_number()
    tokens = await one.register(number)

    async def begin_late(*arguments: Any) -> Any:
        assert await reset(two, tokens)
        return await start_login(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("otp_auth.api.login.start_login", begin_late)
        pending = await one.start_login(number)
    return (await one.verify(pending, await one.simulator.code(number))).status_code


async def test_a_login_that_began_before_opens_nothing(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await log_in_around_it(workers, monkeypatch) == 410


async def test_without_the_look_at_the_account_it_would(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "holds", lambda _user, _version: True)

    assert await log_in_around_it(workers, monkeypatch) == 200


@pytest.mark.parametrize(
    "without", [{"end"}, {"account"}, {"end", "account"}], ids=lambda names: " and ".join(sorted(names))
)
async def test_two_guards_hold_down_what_was_proved_and_either_is_enough(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, without: set[str]
) -> None:
    one, two = workers
    number = new_number()
    tokens = await one.register(number)
    pending = await one.start_login(number)
    if "end" in without:
        monkeypatch.setattr(factor_reset, "end_sessions", do_nothing)
        monkeypatch.setattr(factor_reset, "close", do_nothing)
    if "account" in without:
        monkeypatch.setattr(repository, "still_holds", lambda: ())
        monkeypatch.setattr(User, "holds", lambda _user, _version: True)

    await reset(one, tokens)

    works = (await two.get("/me", tokens["access_token"])).is_success
    refreshes = (await refresh(two, tokens["refresh_token"])).is_success
    lets_in = (await two.verify(pending, await two.simulator.code(number))).is_success
    assert works is refreshes is lets_in is (without == {"end", "account"})
