"""Resets beside each other, logins, cancels and changes: each takes effect once, nobody waits in a ring."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select, update
from test_codes_in_parallel import many
from test_password_changes import change
from test_refresh_in_parallel import WIDE, Workers

from conftest import NewService
from otp_auth.accounts import password_renewal, password_resets
from otp_auth.accounts.models import PasswordReset, User
from otp_auth.accounts.password_resets import add_reset
from otp_auth.accounts.repository import lock_user
from otp_auth.api import dependencies
from otp_auth.audit.models import AuditEvent, EventName
from support.resets import NEW_PASSWORD, cancel, forgot, reset, settled
from support.service import PASSWORD, Json, Service, new_number

PARALLEL = 10  # as many as there are recovery codes
ROUNDS = 8
# Each of many parallel proofs is looked at.
LIMITS: dict[str, Any] = {"send": WIDE, "guesses": {"codes_5_minutes": 1000, "codes_hour": 1000}}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "PAD", 0)


@pytest_asyncio.fixture
async def workers(new_service: NewService) -> AsyncIterator[Workers]:
    async with new_service(**LIMITS) as one, new_service(**LIMITS) as other:
        yield one, other


async def grant(service: Service, tokens: Json) -> Json:
    """A reset token, as a proved phone would bring it."""
    async with service.database.write() as tx:
        user = await lock_user(tx, UUID(tokens["user"]["id"]))
        assert user is not None
        return {"reset_token": await add_reset(tx, user, datetime.now(UTC) + timedelta(minutes=15))}


async def hold_until_now(service: Service, tokens: Json) -> None:
    """A held reset, whose hold is over at this moment."""
    assert (await reset(service, await grant(service, tokens))).status_code == 202
    due = {"held_until": datetime.now(UTC) - timedelta(seconds=1)}
    async with service.database.write() as tx:
        mine = PasswordReset.user_id == UUID(tokens["user"]["id"])
        await tx.execute(update(PasswordReset).where(mine).values(due))


async def log_in(service: Service, number: str, password: str) -> httpx.Response:
    body = {"identifier": number, "password": password, "method": "none"}
    return await service.post("/auth/login", body)


async def count(service: Service, tokens: Json, name: EventName) -> int:
    mine = (AuditEvent.user_id == UUID(tokens["user"]["id"]), AuditEvent.name == name.value)
    async with service.database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(AuditEvent).where(*mine)) or 0


async def version(service: Service, tokens: Json) -> int:
    async with service.database.read() as tx:
        found = select(User.password_version).where(User.id == UUID(tokens["user"]["id"]))
        return await tx.scalar(found) or 0


def check(answers: Sequence[httpx.Response]) -> None:
    assert max(answer.status_code for answer in answers) < 500, [answer.text for answer in answers]


async def use_at_once(workers: Workers, tokens: Json) -> list[httpx.Response]:
    """One token, by as many as there are recovery codes."""
    granted, codes = await grant(workers[0], tokens), tokens["recovery_codes"]
    return await many(
        PARALLEL, lambda each: reset(workers[each % 2], granted, method="recovery_code", code=codes[each])
    )


class TestOneToken:
    async def test_sets_one_password(self, workers: Workers) -> None:
        tokens = await workers[0].register(new_number())

        answers = await use_at_once(workers, tokens)

        check(answers)
        refused = [each.json()["code"] for each in answers if not each.is_success]
        assert refused == ["challenge_closed"] * (PARALLEL - 1)
        assert await version(workers[0], tokens) == 2
        assert await count(workers[0], tokens, EventName.PASSWORD_RESET) == 1

    async def test_without_its_guards_it_would_set_several(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def take_any(*_: object) -> bool:
            return True

        monkeypatch.setattr(password_renewal, "use_token", take_any)
        monkeypatch.setattr(User, "holds", lambda *_: True)
        tokens = await workers[0].register(new_number())

        answers = await use_at_once(workers, tokens)

        assert sum(each.is_success for each in answers) > 1

    async def test_is_held_once(self, workers: Workers) -> None:
        tokens = await workers[0].register(new_number())
        granted = await grant(workers[0], tokens)

        answers = await many(PARALLEL, lambda each: reset(workers[each % 2], granted))

        check(answers)
        assert sorted(each.status_code for each in answers) == [202] + [410] * (PARALLEL - 1)
        assert await count(workers[0], tokens, EventName.PASSWORD_RESET_HELD) == 1

    async def test_one_proof_serves_a_login_or_a_reset(self, workers: Workers) -> None:
        one, two = workers
        for each in range(ROUNDS):
            tokens = await one.register(number := new_number())
            login = await two.start_login(number, method="none")
            granted, code = await grant(one, tokens), tokens["recovery_codes"][each]

            answers = await asyncio.gather(
                two.verify(login, code, method="recovery_code"),
                reset(one, granted, method="recovery_code", code=code),
            )

            check(answers)
            assert sum(answer.is_success for answer in answers) == 1


class TestTheHold:
    async def test_parallel_logins_let_it_take_effect_once(self, workers: Workers) -> None:
        tokens = await workers[0].register(number := new_number())
        await hold_until_now(workers[0], tokens)

        answers = await many(PARALLEL, lambda each: log_in(workers[each % 2], number, NEW_PASSWORD))

        assert {each.status_code for each in answers} == {200}
        assert await version(workers[0], tokens) == 2
        assert await count(workers[0], tokens, EventName.PASSWORD_RESET) == 1

    async def test_without_the_row_that_decides_it_would_several_times(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def end_nothing(*_: object, **__: object) -> list[bool]:
            return [True]

        tokens = await workers[0].register(number := new_number())
        await hold_until_now(workers[0], tokens)
        monkeypatch.setattr(password_resets, "_end", end_nothing)
        monkeypatch.setattr(password_resets, "void_resets", end_nothing)
        monkeypatch.setattr(User, "holds", lambda *_: True)

        await many(PARALLEL, lambda each: log_in(workers[each % 2], number, NEW_PASSWORD))

        assert await count(workers[0], tokens, EventName.PASSWORD_RESET) > 1

    async def test_a_cancel_or_the_effect(self, workers: Workers) -> None:
        one, two = workers
        for _ in range(ROUNDS):
            tokens = await one.register(number := new_number())
            await hold_until_now(one, tokens)

            cancelled, entered = await asyncio.gather(cancel(two, tokens), log_in(one, number, NEW_PASSWORD))

            check((cancelled, entered))
            is_cancelled = cancelled.status_code == 204
            assert is_cancelled is not entered.is_success
            for password, opens in ((PASSWORD, is_cancelled), (NEW_PASSWORD, not is_cancelled)):
                assert (await log_in(two, number, password)).is_success is opens
            told = [
                await count(one, tokens, each)
                for each in (EventName.PASSWORD_RESET_CANCELLED, EventName.PASSWORD_RESET)
            ]
            assert told == [is_cancelled, not is_cancelled]


async def test_a_change_or_a_reset(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        tokens = await one.register(new_number())
        granted = await grant(one, tokens)
        code = tokens["recovery_codes"][0]

        answers = await asyncio.gather(
            change(two, tokens, "Copper-Violin-Thicket-77"),
            reset(one, granted, method="recovery_code", code=code),
        )

        check(answers)
        assert sum(answer.is_success for answer in answers) == 1
        assert await version(one, tokens) == 2


async def test_parallel_requests_send_one_message(workers: Workers) -> None:
    tokens = await workers[0].register(number := new_number())
    before = await workers[0].simulator.starts(number)

    await many(PARALLEL, lambda each: forgot(workers[each % 2], number))

    assert await workers[0].simulator.starts(number) == before + 1
    assert await count(workers[0], tokens, EventName.PASSWORD_RESET_REQUESTED) == PARALLEL


async def test_everything_at_once(workers: Workers) -> None:
    """No deadlock and no failure, and in the end one password."""
    one, two = workers
    for _ in range(ROUNDS):
        tokens = await one.register(number := new_number())
        other = await two.log_in(number)
        pending = await forgot(one, number)
        code = await one.simulator.code(number)
        await hold_until_now(one, tokens)
        granted = await grant(two, tokens)
        codes = tokens["recovery_codes"]

        answers = await asyncio.gather(
            one.verify(pending, code),
            two.verify(pending, code),
            two.post("/auth/password/forgot", {"identifier": number}),
            one.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"]),
            reset(one, granted, method="recovery_code", code=codes[0]),
            reset(two, granted, "Copper-Violin-Thicket-77", method="recovery_code", code=codes[1]),
            cancel(one, other),
            log_in(two, number, PASSWORD),
            log_in(one, number, NEW_PASSWORD),
            change(two, tokens, "Walnut-Glacier-Saddle-19"),
        )
        await asyncio.gather(settled(one), settled(two))

        check(answers)
        passwords = (PASSWORD, NEW_PASSWORD, "Copper-Violin-Thicket-77", "Walnut-Glacier-Saddle-19")
        opened = [(await log_in(one, number, each)).is_success for each in passwords]
        assert sum(opened) == 1
