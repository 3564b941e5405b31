"""The guess budget of an account: counted at the judge, over resends, new logins, channels and restarts."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from httpx import Response
from sqlalchemy import select
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth import budgets
from otp_auth.budgets import Budget, Charge, Spending
from support.service import Json, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALLOWED = 5  # in five minutes
NO_COOL_DOWN = {"resend_gap": "0"}


async def guess(service: Service, pending: Json, number: str) -> Response:
    return await service.verify(pending, wrong(await service.simulator.code(number)))


async def two_guesses_at_each_of(logins: int, service: Service, number: str) -> list[int]:
    """Log in anew each time, by another channel, with a wrong code for the phone and one that is no code."""
    statuses = []
    for which in range(logins):
        pending = await service.start_login(number, method=("sms", "voice")[which % 2])
        statuses.append((await guess(service, pending, number)).status_code)
        other = await service.verify(pending, "AAAA-BBBB", method="recovery_code")
        statuses.append(other.status_code)
    return statuses


async def test_new_logins_channels_and_factors_give_no_new_guesses(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        await service.register(number)

        statuses = await two_guesses_at_each_of(6, service, number)

        assert statuses == [400] * ALLOWED + [429] * (12 - ALLOWED)


async def test_a_spent_budget_refuses_the_right_code_too_and_opens_again(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.register(number)
            await two_guesses_at_each_of(3, service, number)
            reports = await service.simulator.reports(number)
            pending = await service.start_login(number)
            refused = await service.verify(pending, await service.simulator.code(number))
            shown = (await service.get("/auth/otp", pending["pending_token"])).json()
            clock.shift(timedelta(seconds=300))
            late = await service.start_login(number)
            let_in = await service.verify(late, await service.simulator.code(number))

        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert refused.headers["Retry-After"] == "300"
        assert shown["challenge"]["attempts_left"] == 3  # a guess that isn't looked at takes no try
        assert await service.simulator.reports(number) == reports + 1
        assert let_in.status_code == 200


async def test_a_restart_gives_no_new_guesses(new_service: NewService) -> None:
    number = new_number()
    async with new_service(send=NO_COOL_DOWN) as service:
        await service.register(number)
        before = await two_guesses_at_each_of(2, service, number)
    async with new_service(send=NO_COOL_DOWN) as service:
        after = await two_guesses_at_each_of(2, service, number)

    assert (before, after) == ([400] * 4, [400, 429, 429, 429])


async def test_right_codes_cost_nothing(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        await service.register(number)
        for _ in range(ALLOWED + 3):
            assert (await service.log_in(number))["status"] == "authenticated"


@pytest.mark.parametrize(
    ("window", "limit"),
    [("codes_hour", 300), ("codes_day", 3600), ("codes_30_days", 86_400)],
    ids=["hour", "day", "30 days"],
)
async def test_each_window_counts(new_service: NewService, window: str, limit: int) -> None:
    async with new_service(send=NO_COOL_DOWN, guesses={window: 3}) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.register(number)
            statuses = await two_guesses_at_each_of(1, service, number)
            clock.shift(timedelta(seconds=limit))
            statuses += await two_guesses_at_each_of(1, service, number)

        assert statuses == [400, 400, 400, 429]


async def test_registrations_share_a_budget(new_service: NewService) -> None:
    async with new_service(guesses={"passwordless_day": 3}) as service:
        statuses = []
        for _ in range(5):
            number = new_number()
            pending = await service.start_registration(number)
            statuses.append((await guess(service, pending, number)).status_code)

        assert statuses == [400, 400, 400, 429, 429]


async def wrong_codes_at_once(service: Service) -> int:
    """Try one wrong code at each of twelve open logins at once; return how many were judged."""
    number = new_number()
    await service.register(number)
    logins = await many(12, lambda _: service.start_login(number, method="none"))
    answers = await many(12, lambda which: service.verify(logins[which], "AAAA-BBBB", method="recovery_code"))
    return [answer.status_code for answer in answers].count(400)


async def test_parallel_logins_give_no_more_guesses(service: Service) -> None:
    assert await wrong_codes_at_once(service) == ALLOWED


async def test_without_the_condition_they_would(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take_whatever(_: object, charges: list[Charge], __: object) -> set[tuple[str, int]]:
        return {(each.key, each.budget.seconds) for each in charges}

    monkeypatch.setattr(budgets, "_take", take_whatever)

    assert await wrong_codes_at_once(service) > ALLOWED


async def test_a_registration_without_a_message_costs_nobodys_guess(new_service: NewService) -> None:
    async with new_service(guesses={"passwordless_day": 1}) as service:
        number = new_number()
        pending = await service.start_registration(number)
        silent = await service.start_registration(number)  # within the cool-down: nothing is sent
        statuses = [(await service.verify(silent, "0000")).status_code for _ in range(3)]
        proved = await service.prove(pending, number)

    assert silent["challenge"]["delivery"] == "not_sent"
    assert statuses == [400, 400, 400]
    assert proved["status"] == "authenticated"


async def test_charges_and_refunds_lock_in_one_order(service: Service) -> None:
    """Rows lie in the table against that order, and a charge dawdles between them: else they'd deadlock."""
    windows = [Budget(timedelta(seconds=seconds), 1000) for seconds in (10, 20, 30, 40)]

    async def charge(in_order: list[Budget], pause: float) -> None:
        async with service.database.write() as tx:
            for budget in in_order:
                await budgets.charge(tx, [Charge("key", budget)], datetime.now(UTC))
                await asyncio.sleep(pause)

    async def refund() -> None:
        async with service.database.write() as tx:
            await budgets.refund(tx, "key", datetime.now(UTC))

    await charge(windows[::-1], 0)
    await asyncio.gather(*(act for _ in range(6) for act in (charge(windows, 0.02), refund())))

    async with service.database.read() as tx:
        assert set(await tx.scalars(select(Spending.spent))) <= set(range(8))
