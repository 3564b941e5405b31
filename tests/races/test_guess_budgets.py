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
from otp_auth.challenges.errors import TooManyAttemptsError
from otp_auth.challenges.guesses import charge_guess, refund_guess
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.factors.models import FactorKind
from otp_auth.identifiers import new_id
from otp_auth.settings import GuessSettings
from support.authenticator import App, add_app
from support.service import Json, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALLOWED = 5  # in five minutes
SENDS = (
    "per_number_hour",
    "per_number_day",
    "per_account_hour",
    "per_account_day",
    "per_address_hour",
    "per_address_day",
)
NO_COOL_DOWN = {"resend_gap": "0", **dict.fromkeys(SENDS, 1000)}


async def guess(service: Service, pending: Json, number: str) -> Response:
    return await service.verify(pending, wrong(await service.simulator.code(number)))


async def two_guesses_at_each_of(logins: int, service: Service, number: str, app: App) -> list[int]:
    """Log in anew each time, by another channel, with a wrong code for the phone and one of the app.

    No recovery code: those are counted apart, so that these never bar the way back.
    """
    statuses = []
    for which in range(logins):
        pending = await service.start_login(number, method=("sms", "voice")[which % 2])
        statuses.append((await guess(service, pending, number)).status_code)
        other = await service.verify(pending, app.wrong_code(), method="totp")
        statuses.append(other.status_code)
    return statuses


async def test_new_logins_channels_and_factors_give_no_new_guesses(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        app = await add_app(service, await service.register(number))

        statuses = await two_guesses_at_each_of(6, service, number, app)

        assert statuses == [400] * ALLOWED + [429] * (12 - ALLOWED)


async def test_a_spent_budget_refuses_the_right_code_too_and_opens_again(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            app = await add_app(service, await service.register(number))
            await two_guesses_at_each_of(3, service, number, app)
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
        app = await add_app(service, await service.register(number))
        before = await two_guesses_at_each_of(2, service, number, app)
    async with new_service(send=NO_COOL_DOWN) as service:
        after = await two_guesses_at_each_of(2, service, number, app)

    assert (before, after) == ([400] * 4, [400, 429, 429, 429])


async def test_wrong_codes_of_phone_and_app_never_bar_the_way_back(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        tokens = await service.register(number)
        app = await add_app(service, tokens)
        await two_guesses_at_each_of(4, service, number, app)
        login = await service.start_login(number, method="none")
        by_app = await service.verify(login, app.code(), method="totp")
        by_recovery = await service.verify(login, tokens["recovery_codes"][0], method="recovery_code")

    assert (by_app.status_code, by_recovery.status_code) == (429, 200)


async def test_recovery_codes_have_the_same_windows_and_take_nothing_from_the_others(
    new_service: NewService,
) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        number = new_number()
        tokens = await service.register(number)
        logins = [await service.start_login(number, method="none") for _ in range(2)]
        answers = [
            await service.verify(login, "AAAA-BBBB", method="recovery_code")
            for login in logins
            for _ in range(3)
        ]
        right = await service.verify(logins[1], tokens["recovery_codes"][0], method="recovery_code")
        by_phone = await service.log_in(number)

    assert [each.status_code for each in answers] == [400] * ALLOWED + [429]
    assert right.json()["code"] == "too_many_attempts"
    assert by_phone["status"] == "authenticated"


async def test_right_recovery_codes_cost_nothing(new_service: NewService) -> None:
    async with new_service(guesses={"codes_5_minutes": 1}) as service:
        number = new_number()
        tokens = await service.register(number)
        for code in tokens["recovery_codes"][:3]:
            login = await service.start_login(number, method="none")
            answer = await service.verify(login, code, method="recovery_code")
            assert answer.status_code == 200


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
            app = await add_app(service, await service.register(number))
            statuses = await two_guesses_at_each_of(1, service, number, app)
            clock.shift(timedelta(seconds=limit))
            statuses += await two_guesses_at_each_of(1, service, number, app)

        assert statuses == [400, 400, 400, 429]


async def test_registrations_share_a_budget(new_service: NewService) -> None:
    async with new_service(guesses={"passwordless_day": 3}) as service:
        statuses = []
        for _ in range(5):
            number = new_number()
            pending = await service.start_registration(number)
            statuses.append((await guess(service, pending, number)).status_code)

        assert statuses == [400, 400, 400, 429, 429]


def registration(number: str = "") -> Challenge:
    return Challenge(purpose=Purpose.REGISTER, phone_number=number or new_number())


async def charge(
    service: Service, challenge: Challenge, network: str | None = None, **policy: int
) -> TooManyAttemptsError | None:
    """Charge one guess of its own; return the refusal."""
    try:
        async with service.database.write() as tx:
            await charge_guess(tx, challenge, FactorKind.PHONE, GuessSettings(**policy), network)
    except TooManyAttemptsError as refusal:
        return refusal
    return None


async def charges(
    times: int, service: Service, challenge: Challenge, network: str | None = None, **policy: int
) -> int:
    """Charge so many, one after the other; return how many were taken."""
    return [await charge(service, challenge, network, **policy) for _ in range(times)].count(None)


async def spent(service: Service) -> dict[str, int]:
    """What is spent of the widest window of each kind of key."""
    async with service.database.read() as tx:
        rows = await tx.execute(select(Spending.key, Spending.spent).order_by(Spending.window))
        return {key.removeprefix("guesses:").partition(":")[0]: amount for key, amount in rows}


@pytest.mark.parametrize("window", ["codes_day", "codes_30_days"])
async def test_strangers_do_not_bar_a_number_for_long(service: Service, window: str) -> None:
    policy = {"passwordless_address_5_minutes": 100, window: 3}

    assert await charges(5, service, registration(new_number()), "192.0.2.0/24", **policy) == 5


@pytest.mark.parametrize(
    ("window", "length"),
    [
        ("codes_5_minutes", timedelta(minutes=5)),
        ("codes_hour", timedelta(hours=1)),
    ],
)
async def test_a_number_has_the_short_windows_of_an_account(
    service: Service, window: str, length: timedelta
) -> None:
    number = new_number()
    policy = {"passwordless_address_5_minutes": 100, window: 3}
    with time_machine.travel(START, tick=False) as clock:
        assert await charges(5, service, registration(number), "192.0.2.0/24", **policy) == 3
        refusal = await charge(service, registration(number), "198.51.100.0/24", **policy)
        assert await charges(1, service, registration(), "192.0.2.0/24", **policy) == 1
        clock.shift(length)
        assert await charges(1, service, registration(number), "192.0.2.0/24", **policy) == 1

    assert refusal is not None
    assert refusal.retry_after == length.total_seconds()


@pytest.mark.parametrize(
    ("window", "length"),
    [
        ("passwordless_address_5_minutes", timedelta(minutes=5)),
        ("passwordless_address_hour", timedelta(hours=1)),
    ],
)
async def test_a_network_has_windows_over_all_numbers(
    service: Service, window: str, length: timedelta
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        taken = [await charges(1, service, registration(), "192.0.2.0/24", **{window: 3}) for _ in range(5)]
        elsewhere = await charges(1, service, registration(), "198.51.100.0/24", **{window: 3})
        nowhere = await charges(5, service, registration(), None, **{window: 3})
        clock.shift(length)
        later = await charges(1, service, registration(), "192.0.2.0/24", **{window: 3})

    assert (taken, elsewhere, nowhere, later) == ([1, 1, 1, 0, 0], 1, 5, 1)


async def test_whoever_has_used_up_their_own_cant_use_up_everybodys(service: Service) -> None:
    number = new_number()
    policy = {"codes_5_minutes": 3, "passwordless_address_5_minutes": 5, "passwordless_day": 10}
    for network in ("192.0.2.0/24", "198.51.100.0/24"):
        await charges(20, service, registration(number), network, **policy)
    of_one_number = await spent(service)
    await charges(20, service, registration(), "192.0.2.0/24", **policy)
    for _ in range(20):
        await charge(service, registration(), "192.0.2.0/24", **policy)

    assert of_one_number == {"number": 3, "network": 3, "passwordless": 3}
    assert (await spent(service))["passwordless"] == 5
    assert await charges(1, service, registration(), "203.0.113.0/24", **policy) == 1


async def test_a_right_code_gives_back_what_each_budget_gave(service: Service) -> None:
    challenge = registration()
    await charges(3, service, challenge, "192.0.2.0/24")
    async with service.database.write() as tx:
        await refund_guess(tx, challenge, FactorKind.PHONE, "192.0.2.0/24")
        counted = set(await tx.scalars(select(Spending.spent)))

    assert counted == {2}  # one given back, and none of the others forgotten
    assert len(await spent(service)) == 3


async def test_an_account_is_nobodys_network(service: Service) -> None:
    challenge = Challenge(purpose=Purpose.LOGIN, phone_number=new_number(), user_id=new_id())
    await charge(service, challenge, "192.0.2.0/24")

    assert await spent(service) == {str(challenge.user_id): 1}


async def test_parallel_registrations_from_one_network_share_its_budget(service: Service) -> None:
    refusals = await many(20, lambda _: charge(service, registration(), "192.0.2.0/24"))

    assert refusals.count(None) == 10
    assert (await spent(service))["passwordless"] == 10


async def wrong_codes_at_once(service: Service, method: str = "totp") -> int:
    """Try one wrong code at each of twelve open logins at once; return how many were judged."""
    number = new_number()
    app = await add_app(service, await service.register(number))
    logins = [await service.start_login(number, method="none") for _ in range(12)]
    code = app.wrong_code() if method == "totp" else "AAAA-BBBB"
    answers = await many(12, lambda which: service.verify(logins[which], code, method=method))
    return [answer.status_code for answer in answers].count(400)


@pytest.mark.parametrize("method", ["totp", "recovery_code"])
async def test_parallel_logins_give_no_more_guesses(service: Service, method: str) -> None:
    assert await wrong_codes_at_once(service, method) == ALLOWED


async def test_without_the_condition_they_would(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take_whatever(_: object, charges: list[Charge], __: object) -> dict[tuple[str, int], int]:
        return {(each.key, each.budget.seconds): 1 for each in charges}

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
