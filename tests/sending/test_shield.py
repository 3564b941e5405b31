"""The shield's decisions one at a time; see test_shield_races for many at once."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import time_machine
from loguru import logger
from shield_policy import NOW, number, opened, policy, send, spent

from otp_auth.database import Database
from otp_auth.sending import prices, shield
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import DestinationRefusedError, TooManySendsError
from otp_auth.sending.models import Lane
from otp_auth.sending.shield import Charged, Reason, Refusal, Send
from otp_auth.settings import SendSettings

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALICE = UUID(int=1)
ABROAD = "+4915123456789"
CENTS_10 = 100_000  # the usual price, in millionths


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as running:
        yield running


@pytest.fixture
def warnings() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    sink = logger.add(lambda message: heard.append(message.record["extra"]), level="WARNING")
    yield heard
    logger.remove(sink)


async def charge(database: Database, one: Send, rules: SendSettings, at: datetime = NOW) -> Charged:
    """Charge as callers must: a refusal rolls back."""
    async with database.write() as tx:
        charged = await shield.charge(tx, one, rules, at)
        if charged.refusals and rules.mode == "enforce":
            await tx.rollback()
        return charged


async def look(database: Database, one: Send, rules: SendSettings, at: datetime = NOW) -> list[Refusal]:
    async with database.read() as tx:
        return await shield.look(tx, one, rules, at)


# What is scarce, two messages that share it, and one that doesn't.
BUDGETS: dict[str, tuple[Reason, Callable[[int], Send], Send]] = {
    "per_number": (Reason.NUMBER, lambda _: send(), send(number(1))),
    "per_account": (
        Reason.ACCOUNT,
        lambda which: send(number(which), lane=Lane.ACCOUNT, user_id=ALICE),
        send(lane=Lane.ACCOUNT, user_id=UUID(int=2)),
    ),
    "per_address": (Reason.ADDRESS, lambda which: send(number(which)), send(network="198.51.100.0/24")),
    "per_block": (Reason.BLOCK, lambda which: send(number(which)), send(number(block=1))),
    "per_country": (Reason.COUNTRY_BUDGET, lambda which: send(number(block=which)), send(ABROAD)),
}


@pytest.mark.parametrize("window", [HOUR, DAY], ids=["hour", "day"])
@pytest.mark.parametrize("name", BUDGETS)
async def test_each_budget_by_itself(database: Database, name: str, window: timedelta) -> None:
    reason, same, other = BUDGETS[name]
    rules = policy(**{f"{name}_{'hour' if window == HOUR else 'day'}": 2})

    first, second, third = [await charge(database, same(which), rules) for which in range(3)]
    looked = await look(database, same(2), rules)
    free = await charge(database, other, rules)
    anew = await charge(database, same(2), rules, NOW + window)

    assert (first, second) == (Charged(CENTS_10, []), Charged(CENTS_10, []))
    assert third.refusals == looked == [Refusal(reason, NOW + window)]
    assert (free.refusals, anew.refusals) == ([], [])


async def test_all_messages_of_a_lane_share_a_budget(database: Database) -> None:
    rules = policy(global_hour=2)
    different = [send(), send(ABROAD, network=None), send(number(3, 3))]

    refusals = [(await charge(database, one, rules)).refusals for one in different]
    owner = await charge(database, send(lane=Lane.ACCOUNT, user_id=ALICE), rules)

    assert refusals == [[], [], [Refusal(Reason.GLOBAL, NOW + HOUR)]]
    assert owner.refusals == []


async def test_strangers_leave_a_fifth_of_the_money(database: Database) -> None:
    rules = policy(daily_cost="1.00")
    strangers = [(await charge(database, send(number(which)), rules)).refusals for which in range(10)]
    owners = [
        (await charge(database, send(lane=Lane.ACCOUNT, user_id=ALICE), rules)).refusals for _ in range(3)
    ]

    assert [bool(refusals) for refusals in strangers] == [False] * 8 + [True] * 2
    assert [bool(refusals) for refusals in owners] == [False] * 2 + [True]
    assert (await spent(database))[shield.COST, 86400] == 10 * CENTS_10


@pytest.mark.parametrize(
    ("name", "reason"),
    [(name, reason) for name, (reason, *_) in BUDGETS.items()] + [("global", Reason.GLOBAL)],
)
async def test_a_limit_of_none_lets_nothing_through(database: Database, name: str, reason: Reason) -> None:
    rules = policy(**{f"{name}_hour": 0})
    one = send(lane=Lane.ACCOUNT, user_id=ALICE)

    assert await look(database, one, rules) == [Refusal(reason, NOW + HOUR)]
    assert (await charge(database, one, rules)).refusals == [Refusal(reason, NOW + HOUR)]


@pytest.mark.parametrize("price", ["0.10", "0"], ids=["paid", "free"])
async def test_without_money_nothing_goes(database: Database, price: str) -> None:
    rules = policy(daily_cost="0", price=price)

    assert (await charge(database, send(), rules)).refusals == [Refusal(Reason.COST, NOW + DAY)]


async def test_the_money_of_a_day(database: Database) -> None:
    rules = policy(daily_cost="0.25")

    refusals = [(await charge(database, send(number(which)), rules)).refusals for which in range(3)]

    assert refusals == [[], [], [Refusal(Reason.COST, NOW + DAY)]]
    assert (await spent(database))[shield.COST, 86400] == 2 * CENTS_10
    assert (await charge(database, send(), rules, NOW + DAY)).refusals == []


async def test_the_price_that_sinch_named_is_charged(database: Database) -> None:
    async with database.write() as tx:
        await prices.note_price(tx, "SE", Channel.SMS, "EUR", Decimal(1), NOW)

    assert await charge(database, send(), policy()) == Charged(1_000_000, [])
    assert await charge(database, send(channel=Channel.VOICE), policy()) == Charged(CENTS_10, [])


async def test_strangers_cannot_use_up_what_belongs_to_an_account(database: Database) -> None:
    rules = policy(per_number_hour=1, per_block_hour=1, per_country_hour=1)
    owner = send(lane=Lane.ACCOUNT, user_id=ALICE)

    await charge(database, send(), rules)
    stranger = await charge(database, send(), rules)

    assert {each.reason for each in stranger.refusals} == {Reason.NUMBER, Reason.BLOCK, Reason.COUNTRY_BUDGET}
    assert (await charge(database, owner, rules)).refusals == []
    assert (await charge(database, owner, rules)).refusals != []


async def test_a_refused_charge_leaves_nothing_behind(database: Database) -> None:
    rules = policy(daily_cost="0.10", breaker_minimum=2)
    await charge(database, send(), rules)
    before = await spent(database)

    for which in range(1, 5):
        assert [each.reason for each in (await charge(database, send(number(which)), rules)).refusals] == [
            Reason.COST
        ]

    assert await spent(database) == before
    generous = policy(breaker_minimum=2)
    assert await look(database, send(), generous) == []  # the breaker heard of one message, too


async def test_looking_takes_nothing(database: Database) -> None:
    for _ in range(3):
        assert await look(database, send(), policy(per_number_hour=1)) == []

    assert await spent(database) == {}


async def test_destinations_are_judged_first(database: Database) -> None:
    premium, rules = send("+469001234567"), policy(per_number_hour=0)

    assert await look(database, premium, rules) == [Refusal(Reason.NUMBER_TYPE, None)]
    assert (await charge(database, premium, rules)).refusals[0] == Refusal(Reason.NUMBER_TYPE, None)
    assert await spent(database) == {}


async def test_the_breaker_judges_strangers_alone(database: Database) -> None:
    rules = policy(breaker_minimum=3)
    owner: dict[str, Any] = {"lane": Lane.ACCOUNT, "user_id": ALICE}
    for which in range(5):
        assert (await charge(database, send(number(which), **owner), rules)).refusals == []
    refusals = [(await charge(database, send(number(which)), rules)).refusals for which in range(4)]

    assert refusals[:3] == [[], [], []]
    assert [each.reason for each in refusals[3]] == [Reason.BLOCK_CONVERSION]
    assert await look(database, send(), rules) == refusals[3]
    assert (await charge(database, send(**owner), rules)).refusals == []


async def test_watching_counts_and_refuses_nothing(database: Database) -> None:
    rules = policy(mode="watch", per_number_hour=1, breaker_minimum=2, countries=("DE",))

    charges = [await charge(database, send(), rules) for _ in range(3)]

    assert [[each.reason for each in charged.refusals] for charged in charges] == [
        [Reason.COUNTRY],
        [Reason.COUNTRY, Reason.NUMBER],
        [Reason.COUNTRY, Reason.NUMBER, Reason.BLOCK_CONVERSION],
    ]
    assert (await spent(database))[f"{shield.EVERYTHING}:stranger", 3600] == 3


async def test_registering_and_logging_in_share_the_budget_of_a_number(database: Database) -> None:
    rules = policy(per_number_hour=3)
    owner = send(lane=Lane.ACCOUNT, user_id=ALICE)
    await charge(database, send(), rules)
    await charge(database, send(), rules)  # somebody else's, or one that never arrived
    async with database.write() as tx:
        await shield.note_account(tx, number(), NOW)
    logins = [(await charge(database, owner, rules, NOW + HOUR / 2)).refusals for _ in range(3)]

    assert logins == [[], [], [Refusal(Reason.NUMBER, NOW + HOUR)]]


async def test_a_proof_of_a_stranger_counts_for_the_breaker_and_one_of_an_account_does_not(
    database: Database,
) -> None:
    rules = policy(breaker_minimum=4)
    for which in range(4):
        await charge(database, send(number(which)), rules)
    async with database.write() as tx:
        for which in range(4):
            await shield.note_proof(tx, number(which), Lane.ACCOUNT, NOW)
    before = await look(database, send(), rules)
    async with database.write() as tx:
        for which in range(2):
            await shield.note_proof(tx, number(which), Lane.STRANGER, NOW)

    assert [each.reason for each in before] == [Reason.BLOCK_CONVERSION]
    assert await look(database, send(), rules) == []


@pytest.mark.parametrize(
    ("actual", "mode", "allowed", "total"),
    [
        pytest.param(CENTS_10, "enforce", True, 200_000, id="as expected"),
        pytest.param(40_000, "enforce", True, 140_000, id="cheaper"),
        pytest.param(0, "enforce", True, 100_000, id="free"),
        pytest.param(150_000, "enforce", True, 250_000, id="up to the cap"),
        pytest.param(150_001, "enforce", False, 200_000, id="past the cap"),
        pytest.param(150_001, "watch", True, 200_000, id="past the cap while watching"),
        pytest.param(10**9, "enforce", False, 200_000, id="more than the cap"),
    ],
)
async def test_the_real_price_corrects_the_money(
    database: Database, actual: int, mode: str, allowed: bool, total: int
) -> None:
    rules = policy(daily_cost="0.25", mode=mode)
    for which in range(2):
        await charge(database, send(number(which)), rules)
    async with database.write() as tx:
        answer = await shield.settle_cost(
            tx, lane=Lane.ACCOUNT, reserved=CENTS_10, actual=actual, policy=rules, now=NOW
        )

    assert answer is allowed
    assert (await spent(database))[shield.COST, 86400] == total


async def test_half_of_a_budget_is_told_once(database: Database, warnings: list[dict[str, Any]]) -> None:
    rules = policy(global_hour=4, daily_cost="0.50")
    for which in range(4):
        await charge(database, send(number(which)), rules)
    async with database.write() as tx:
        await shield.settle_cost(tx, lane=Lane.ACCOUNT, reserved=0, actual=100_000, policy=rules, now=NOW)

    told = [(each["budget"], each["window"], each["spent"], each["limit"]) for each in warnings]
    assert told == [("send:all:stranger", 3600, 2, 4), ("send:cost", 86400, 200_000, 400_000)]


async def test_a_refused_message_spends_no_half(database: Database, warnings: list[dict[str, Any]]) -> None:
    assert (await charge(database, send(), policy(global_hour=2, per_number_hour=0))).refusals != []
    assert warnings == []


@time_machine.travel(NOW, tick=False)
def test_the_caller_waits_for_the_last_reason() -> None:
    soon = Refusal(Reason.NUMBER, NOW + timedelta(seconds=10))
    late = Refusal(Reason.BLOCK, NOW + timedelta(seconds=90.2))
    over = Refusal(Reason.BLOCK, NOW - timedelta(seconds=1))
    never = Refusal(Reason.COUNTRY, None)

    waiting = shield.to_error([soon, late])

    assert isinstance(waiting, TooManySendsError)
    assert waiting.retry_after == 91
    assert shield.to_error([over]).__dict__["retry_after"] == 1
    assert isinstance(shield.to_error([soon, never]), DestinationRefusedError)
