"""Sinch's Node SDK is the simulator's callback URL: its validator checks each event, its parser reads it."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sdk_driver import Driver, Json, node_driver, simulator
from sdk_environments import node_environment
from sdk_expectations import answer_of, error_of, is_refusal

from support.service import new_number
from support.simulator import RunningSimulator

REQUEST, RESULT = "VerificationRequestEvent", "VerificationResultEvent"
DELIVERED = "VerificationSmsDeliveredEvent"
PRICES = {"sms": 0.0453, "callout": 0.1852, "flashcall": 0.0125, "whatsapp": 0.0391}
NAMES = {"sms": "Sms", "callout": "PhoneCall", "flashcall": "FlashCall", "whatsapp": "WhatsApp"}


@pytest.fixture(scope="module")
async def driver() -> AsyncIterator[Driver]:
    async with node_driver(node_environment()) as driver:
        yield driver


@pytest.fixture(scope="module")
async def url(driver: Driver) -> str:
    return str((await driver.ask())["url"])


@pytest.fixture
async def running(driver: Driver, url: str) -> AsyncIterator[RunningSimulator]:
    """A simulator with a callback URL that allows everything."""
    await driver.ask(decide={"action": "allow"})
    async with simulator(callback_url=url) as running:
        yield running


async def _start(
    driver: Driver, running: RunningSimulator, number: str, method: str = "sms", **members: Any
) -> Json:
    name, identity = NAMES[method], {"type": "number", "endpoint": number}
    argument = {f"startVerificationWith{name}RequestBody": {"identity": identity} | members}
    return await driver.ask(
        base_url=running.base_url, api="verifications", call=f"start{name}", argument=argument
    )


async def _report(driver: Driver, running: RunningSimulator, verification_id: str, code: str) -> Json:
    argument = {"id": verification_id, "reportSmsVerificationByIdRequestBody": {"sms": {"code": code}}}
    call = {"api": "verifications", "call": "reportSmsById", "argument": argument}
    return answer_of(await driver.ask(base_url=running.base_url, **call))


async def _next(driver: Driver, *, valid: bool = True) -> Json:
    """The next event that came, checked by the SDK: what was signed is this body at this path."""
    received: Json = (await driver.ask(event=True))["event"]
    checks = ("valid", "valid_with_another_body", "valid_at_another_path")
    assert [received[check] for check in checks] == [valid, False, False], received
    event: Json = received["event"]
    return event


async def test_the_events_of_a_success(driver: Driver, running: RunningSimulator) -> None:
    await driver.ask(decide={"action": "allow", "sms": {"code": "123456"}})
    number, reference = new_number(), "login-7f3a"
    started = answer_of(await _start(driver, running, number, reference=reference, custom="wébb ☎"))
    asked, delivered = await _next(driver), await _next(driver)
    own_code = await running.code(number)
    reported = await _report(driver, running, started["id"], own_code)
    ended = await _next(driver)

    identity = {"type": "number", "endpoint": number}
    common = {"id": started["id"], "method": "sms", "identity": identity}
    common |= {"reference": reference, "custom": "wébb ☎"}
    price = {"currencyId": "EUR", "amount": PRICES["sms"]}
    assert (own_code, reported["status"]) == ("123456", "SUCCESSFUL")
    assert asked == common | {"event": REQUEST, "price": price}
    assert delivered == common | {"event": DELIVERED, "smsResult": "Successful"}
    assert ended == common | {"event": RESULT, "status": "SUCCESSFUL", "source": "manual"}


@pytest.mark.parametrize("method", ["callout", "flashcall", "whatsapp"])
async def test_other_methods_ask_and_tell_too(driver: Driver, running: RunningSimulator, method: str) -> None:
    number = new_number()
    started = answer_of(await _start(driver, running, number, method))
    asked = await _next(driver)
    newer = answer_of(await _start(driver, running, number))
    told = {event["event"]: event for event in [await _next(driver) for _ in range(3)]}

    assert (asked["method"], asked["price"]["amount"]) == (method, PRICES[method])
    assert told.keys() == {REQUEST, RESULT, DELIVERED}
    aborted = told[RESULT]
    assert (aborted["id"], aborted["method"], aborted["status"]) == (started["id"], method, "ABORTED")
    assert told[REQUEST]["id"] == told[DELIVERED]["id"] == newer["id"]


async def test_a_denied_start(driver: Driver, running: RunningSimulator) -> None:
    await driver.ask(decide={"action": "deny"})
    error = error_of(await _start(driver, running, new_number()))
    asked, ended = await _next(driver), await _next(driver)

    assert is_refusal(error, 40303)
    assert asked["event"] == REQUEST
    assert (ended["id"], ended["status"]) == (asked["id"], "DENIED")
    assert ended["reason"] == "Denied by callback"


async def test_a_message_that_was_not_delivered(driver: Driver, running: RunningSimulator) -> None:
    async with running.fault("start", "undelivered", times=1):
        answer_of(await _start(driver, running, new_number()))
    told = {event["event"]: event for event in [await _next(driver) for _ in range(3)]}

    assert told[DELIVERED]["smsResult"] == "Failed"
    assert (told[RESULT]["status"], told[RESULT]["reason"]) == ("ERROR", "SMS delivery failure")


async def test_an_expiry_comes_by_itself_and_in_time(driver: Driver, running: RunningSimulator) -> None:
    began = time.monotonic()
    started = answer_of(await _start(driver, running, new_number(), smsOptions={"expiry": "00:00:01"}))
    told = [await _next(driver) for _ in range(3)]

    assert [event["event"] for event in told] == [REQUEST, DELIVERED, RESULT]
    assert (told[2]["id"], told[2]["status"], told[2]["reason"]) == (started["id"], "FAIL", "Expired")
    assert time.monotonic() - began > 1


async def test_a_simulator_with_another_secret_is_noticed(driver: Driver) -> None:
    async with (
        node_driver(node_environment(), secret="c2l4dGVlbiBieXRlcyAhIQ==") as stranger,
        simulator(callback_url=(await stranger.ask())["url"]) as running,
    ):
        error = error_of(await _start(driver, running, new_number()))
        asked = await _next(stranger, valid=False)

    assert is_refusal(error, 42202)
    assert asked["event"] == REQUEST


async def test_a_body_that_lost_a_byte_is_noticed(driver: Driver, running: RunningSimulator) -> None:
    async with running.fault("callback", "garbage", times=1):
        error = error_of(await _start(driver, running, new_number()))
    asked = await _next(driver, valid=False)
    ended = await _next(driver)

    assert is_refusal(error, 42202)
    assert asked["unreadable"]
    assert ended["reason"] == "Invalid callback"
