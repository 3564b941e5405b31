"""What only a setting or a control shows: levels, limits, prices, late reports, seamless."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import event_receiver
import pytest
import simulator_fixtures as fixtures
import time_machine
from event_receiver import Receiver
from simulator_client import CODE, KEY, NUMBER, OTHER_NUMBER, SECRET, WRONG, Simulator, assert_refused

from otp_auth.simulator import numbers
from otp_auth.simulator.app import random_code
from otp_auth.simulator.event_bodies import RESULT

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators
receiver = event_receiver.receiver

Simulators = Callable[..., Simulator]
PUBLIC = {"Authorization": f"Application {KEY}"}
BASIC = {"Authorization": f"Basic {base64.b64encode(f'{KEY}:{SECRET}'.encode()).decode()}"}
LEVEL = "Authorization requirement not met."
BY_BEHAVIOUR = {built_in.behaviour.value: built_in.number for built_in in numbers.NUMBERS}


class TestLevels:
    async def test_a_signed_application_refuses_weaker_requests(self, simulators: Simulators) -> None:
        simulator = simulators(minimum_level="signed")

        assert_refused(await simulator.start(headers=BASIC), 40303, LEVEL)
        wrong = {"Authorization": BASIC["Authorization"].replace("Basic ", "Basic AAAA")}
        assert_refused(await simulator.start(headers=wrong), 40107)
        assert (await simulator.start()).status_code == 200

    async def test_a_public_application_lets_devices_start_and_report(
        self, simulators: Simulators, receiver: Receiver
    ) -> None:
        simulator = simulators(minimum_level="public", callback_url=receiver.url)

        started = (await simulator.start(headers=PUBLIC)).json()
        body = {"method": "sms", "sms": {"code": CODE}}
        reported = await simulator.call("PUT", f"/id/{started['id']}", body, headers=PUBLIC)

        assert reported.json()["status"] == "SUCCESSFUL"
        assert_refused(await simulator.call("GET", f"/id/{started['id']}", headers=PUBLIC), 40303, LEVEL)
        assert (await simulator.call("GET", f"/id/{started['id']}", headers=BASIC)).status_code == 200
        assert (await simulator.start(headers=BASIC)).status_code == 200

    async def test_who_is_public_needs_the_right_key(
        self, simulators: Simulators, receiver: Receiver
    ) -> None:
        simulator = simulators(minimum_level="public", callback_url=receiver.url)

        assert_refused(await simulator.start(headers={"Authorization": "Application other"}), 40107)

    async def test_public_starts_need_a_callback(self, simulators: Simulators) -> None:
        simulator = simulators(minimum_level="public")

        expected = "Callback URL must be set when using public authorization method."
        assert_refused(await simulator.start(headers=PUBLIC), 40303, expected)


async def test_the_window_of_timestamps_is_a_setting(
    simulators: Simulators, clock: time_machine.Traveller
) -> None:
    simulator = simulators(timestamp_window=30)
    early = (await simulator.start()).request.headers
    clock.shift(timedelta(seconds=31))

    answer = await simulator.start(headers={"x-timestamp": early["x-timestamp"]})
    assert_refused(answer, 40101, "X-Timestamp is too old or in the future: check the clock")


async def test_the_application_has_a_capacity(simulators: Simulators, clock: time_machine.Traveller) -> None:
    simulator = simulators(starts_per_minute=2)
    await simulator.open()
    clock.shift(30)
    await simulator.open(OTHER_NUMBER)

    third = "+46701740630"
    assert_refused(await simulator.start(third, reference="one"), 42900, "Request capacity exceeded")
    assert len(await simulator.get("/messages")) == 2
    clock.shift(29.9)
    assert_refused(await simulator.start(third), 42900)
    clock.shift(0.1)
    await simulator.open(third, reference="one")
    assert_refused(await simulator.start(third), 42900)


@pytest.mark.parametrize("length", [4, 6, 10])
async def test_the_length_of_codes_is_a_setting(simulators: Simulators, length: int) -> None:
    simulator = simulators(code_length=length, new_code=None)
    await simulator.open()
    assert len(await simulator.code()) == length

    await simulator.open(method="flashcall")
    assert len(await simulator.code()) == len("+15005550000")


def test_codes_have_the_length_that_is_asked_for() -> None:
    assert {len(random_code(alphabet, 6)) for alphabet in ("01", "AB")} == {6}


class TestPrices:
    async def test_they_come_late(self, simulators: Simulators, clock: time_machine.Traveller) -> None:
        simulator = simulators(price_delay=20)
        verification_id = await simulator.open()
        clock.shift(10)
        await simulator.report(verification_id)

        clock.shift(19.9)
        assert "price" not in await simulator.status(verification_id)
        clock.shift(0.1)
        price = (await simulator.status(verification_id))["price"]
        assert price == {"verificationPrice": {"currencyId": "EUR", "amount": 0.0453}}

    @pytest.mark.parametrize(
        ("method", "termination"),
        [
            pytest.param(
                "callout",
                {"terminationPrice": {"currencyId": "EUR", "amount": 0.0072}, "billableDuration": 18},
                id="answered",
            ),
            pytest.param(
                "flashcall",
                {"terminationPrice": {"currencyId": "EUR", "amount": 0.0}, "billableDuration": 0},
                id="hung up while it rings",
            ),
            pytest.param("sms", {}, id="no call"),
        ],
    )
    async def test_calls_can_cost_minutes(
        self, simulators: Simulators, method: str, termination: dict[str, Any]
    ) -> None:
        simulator = simulators(termination_debiting=True)
        verification_id = await simulator.open(method=method)
        assert "price" not in await simulator.status(verification_id)
        await simulator.report(verification_id, await simulator.code(), method)

        price = (await simulator.status(verification_id))["price"]
        del price["verificationPrice"]
        assert price == termination


class TestReportsAfterTheEnd:
    @pytest.mark.parametrize(
        ("ending", "path"),
        [
            *((ending, None) for ending in ("Expired", "Invalid code", "ABORTED", "SUCCESSFUL")),
            *((ending, f"/number/{NUMBER}") for ending in ("Expired", "Invalid code", "SUCCESSFUL")),
        ],
    )
    @pytest.mark.parametrize(
        ("play", "error_code"), [("error", 40003), ("not_found", 40400), ("answer", None)]
    )
    async def test_plays(
        self,
        simulators: Simulators,
        clock: time_machine.Traveller,
        play: str,
        error_code: int | None,
        ending: str,
        path: str | None,
    ) -> None:
        simulator = simulators(late_report=play, wrong_tries=1)
        verification_id = await simulator.open()
        if ending == "Expired":
            clock.shift(300)
        elif ending == "Invalid code":
            await simulator.report(verification_id, WRONG)
        elif ending == "SUCCESSFUL":
            await simulator.report(verification_id)
        else:
            await simulator.open()

        answer = await simulator.report(verification_id, path=path)

        # Whoever reports again is never told of a success that isn't theirs.
        if error_code or ending == "SUCCESSFUL":
            assert_refused(answer, error_code or 40003)
        else:
            told = answer.json()
            assert (answer.status_code, told["id"]) == (200, verification_id)
            assert told.get("reason", told["status"]) == ending


async def test_looking_up_by_number_has_an_end(simulators: Simulators, clock: time_machine.Traveller) -> None:
    simulator = simulators(look_up_by_number=60)
    verification_id = await simulator.open()
    clock.shift(59.9)
    assert (await simulator.call("GET", f"/sms/number/{NUMBER}")).json()["id"] == verification_id
    clock.shift(0.1)

    assert_refused(await simulator.call("GET", f"/sms/number/{NUMBER}"), 40400)
    assert (await simulator.status(verification_id))["status"] == "PENDING"
    assert (await simulator.report("", path=f"/number/{NUMBER}")).json()["status"] == "SUCCESSFUL"


class TestSeamless:
    @pytest.fixture
    def seamless(self, simulators: Simulators, receiver: Receiver) -> Simulator:
        return simulators(seamless=True, callback_url=receiver.url)

    async def test_from_start_to_end(self, seamless: Simulator, receiver: Receiver) -> None:
        started = (await seamless.start(method="seamless", reference="one")).json()
        uri = started["seamless"]["targetUri"]
        before = await seamless.status(started["id"])
        opened = await seamless.http.get(uri)
        after = (await seamless.call("GET", f"/seamless/number/{NUMBER}")).json()

        assert set(started) == {"id", "method", "seamless", "_links"}
        assert uri.startswith("http://sinch.test/verification/v1/")
        assert (before["status"], opened.status_code, after["status"]) == ("PENDING", 200, "SUCCESSFUL")
        assert after["method"] == "seamless"
        assert after["price"]["verificationPrice"]["amount"] == 0.02
        assert await seamless.get("/messages") == []
        ended = await receiver.next_of(RESULT)
        assert (ended["method"], ended["status"]) == ("seamless", "SUCCESSFUL")

    async def test_the_address_is_a_secret_and_works_once(
        self, seamless: Simulator, clock: time_machine.Traveller
    ) -> None:
        uri = (await seamless.start(method="seamless")).json()["seamless"]["targetUri"]
        other = (await seamless.start(OTHER_NUMBER, method="seamless")).json()["seamless"]["targetUri"]
        forged = "/".join([*uri.split("/")[:-1], other.split("/")[-1]])

        assert_refused(await seamless.http.get(forged), 40400)
        assert_refused(await seamless.http.get(f"{uri}x"), 40400)
        assert (await seamless.http.get(uri)).status_code == 200
        assert_refused(await seamless.http.get(uri), 40400)
        clock.shift(300)
        assert_refused(await seamless.http.get(other), 40400)

    async def test_it_cannot_be_reported(self, seamless: Simulator) -> None:
        verification_id = await seamless.open(method="seamless")

        assert_refused(await seamless.report(verification_id, method="seamless"), 40001)
        assert_refused(await seamless.report(verification_id), 40003)
        assert (await seamless.status(verification_id))["status"] == "PENDING"

    async def test_a_text_message_has_no_such_address(self, seamless: Simulator) -> None:
        verification_id = await seamless.open()

        path = f"/verification/v1/seamless/{verification_id}/{CODE}"
        assert_refused(await seamless.http.get(path), 40400)


class TestNumbersWithoutRoute:
    @pytest.mark.parametrize(
        ("behaviour", "error_code", "message"),
        [
            ("no_route", 42201, "No route to destination."),
            ("blacklisted", 40300, "Identity is blacklisted."),
            ("internal_error", 50000, "Internal server error."),
        ],
    )
    @pytest.mark.parametrize("method", ["sms", "callout"])
    async def test_starts_that_are_refused(
        self, simulator: Simulator, behaviour: str, method: str, error_code: int, message: str
    ) -> None:
        assert_refused(await simulator.start(BY_BEHAVIOUR[behaviour], method), error_code, message)
        assert await simulator.get("/messages") == []

    @pytest.mark.parametrize(("behaviour", "result"), [("no_answer", "NO_ANSWER"), ("busy", "BUSY")])
    @pytest.mark.parametrize("method", ["callout", "flashcall"])
    async def test_calls_that_nobody_takes(
        self, simulator: Simulator, behaviour: str, result: str, method: str
    ) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR[behaviour], method)

        state = await simulator.status(verification_id)
        assert (state["status"], state["reason"]) == ("ERROR", "Network error or number unreachable")
        assert (state["callResult"], state["callComplete"]) == (result, True)
        assert (await simulator.get("/messages"))[0]["status"] == "failed"

    @pytest.mark.parametrize("behaviour", ["no_answer", "busy"])
    async def test_texts_arrive_there(self, simulator: Simulator, behaviour: str) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR[behaviour])

        assert (await simulator.get("/messages"))[0]["status"] == "delivered"
        assert (await simulator.report(verification_id)).json()["status"] == "SUCCESSFUL"


async def test_a_phone_call_has_its_own_wish_for_a_language(simulator: Simulator) -> None:
    await simulator.open(method="callout", headers={"Accept-Language": "sv"})

    assert (await simulator.get("/messages"))[0]["text"].startswith("Hello. ")  # as Sinch: en-US
