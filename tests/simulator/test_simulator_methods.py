from collections.abc import Callable
from datetime import timedelta
from typing import Any

import phonenumbers
import pytest
import simulator_fixtures as fixtures
import time_machine
from simulator_client import CODE, NUMBER, Simulator, assert_refused

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

Simulators = Callable[..., Simulator]
CALLER = f"+1500555{CODE}"
OTHER_CALLER = "+15005550000"


class TestFlashCall:
    async def test_what_a_start_answers(self, simulator: Simulator) -> None:
        content = (await simulator.start(method="flashCall")).json()
        (message,) = await simulator.get("/messages")

        assert content["method"] == "flashcall"
        assert content["flashCall"] == {
            "cliFilter": "(.*)500555(.*)",
            "interceptionTimeout": 45,
            "reportTimeout": 75,
            "denyCallAfter": 0,
        }
        assert (message["method"], message["code"]) == ("flashcall", CALLER)
        assert message["text"] == f"Missed call from {CALLER}."
        assert phonenumbers.is_valid_number(phonenumbers.parse(CALLER))

    @pytest.mark.parametrize("code", [CALLER, CALLER[1:]], ids=["E.164", "without plus"])
    @pytest.mark.parametrize("key", ["flashCall", "flashcall"])
    async def test_the_caller_is_the_code(self, simulator: Simulator, key: str, code: str) -> None:
        verification_id = await simulator.open(method="flashcall")
        before = await simulator.status(verification_id)
        body = {"method": "flashCall", "source": "log", key: {"cli": code}}
        reported = (await simulator.call("PUT", f"/id/{verification_id}", body)).json()
        after = await simulator.status(verification_id)

        assert (before["callComplete"], "callResult" in before) == (False, False)
        assert reported == {
            "id": verification_id,
            "method": "flashcall",
            "status": "SUCCESSFUL",
            "callComplete": True,
        }
        assert (after["callComplete"], after["callResult"], after["source"]) == (
            True,
            "CANCEL",
            "intercepted",
        )

    async def test_another_caller(self, simulators: Simulators) -> None:
        simulator = simulators(wrong_tries=1)
        verification_id = await simulator.open(method="flashcall")

        answer = await simulator.report(verification_id, OTHER_CALLER, "flashcall")

        assert (answer.status_code, answer.json()["reason"]) == (200, "Invalid CLI")

    async def test_it_lives_as_long_as_its_setting_says(
        self, simulators: Simulators, clock: time_machine.Traveller
    ) -> None:
        simulator = simulators(flash_call_lifetime=30)
        started = (await simulator.start(method="flashcall")).json()
        assert started["flashCall"]["interceptionTimeout"] == started["flashCall"]["reportTimeout"] == 30

        clock.shift(timedelta(seconds=29.9))
        assert (await simulator.status(started["id"]))["status"] == "PENDING"
        clock.shift(timedelta(seconds=0.1))

        late = (await simulator.report(started["id"], CALLER, "flashcall")).json()
        assert late == {
            "id": started["id"],
            "method": "flashcall",
            "status": "FAIL",
            "reason": "Expired",
            "callComplete": True,
        }

    @pytest.mark.parametrize(("seconds", "reportable"), [(5, 75), (120, 120)])
    async def test_options(self, simulator: Simulator, seconds: int, reportable: int) -> None:
        options = {"interceptionTimeout": seconds, "dialTimeout": 120, "new": 1}
        details = (await simulator.start(method="flashcall", flashCallOptions=options)).json()["flashCall"]

        assert (details["interceptionTimeout"], details["reportTimeout"]) == (seconds, reportable)


class TestWhatsApp:
    async def test_from_start_to_end(self, simulator: Simulator) -> None:
        started = (await simulator.start(method="whatsapp", headers={"Accept-Language": "sv"})).json()
        (message,) = await simulator.get("/messages")
        await simulator.report(started["id"], method="whatsapp")
        state = await simulator.status(started["id"])

        assert set(started) == {"id", "method", "whatsapp", "_links"}
        assert started["whatsapp"] == {"codeType": "Numeric"}
        assert (message["method"], message["text"]) == ("whatsapp", f"Din verifieringskod är {CODE}.")
        assert (state["status"], state["source"]) == ("SUCCESSFUL", "manual")

    async def test_code_type(self, simulators: Simulators) -> None:
        simulator = simulators(new_code=lambda alphabet: alphabet[-1])
        answer = await simulator.start(method="whatsapp", whatsappOptions={"codeType": "ALPHA"})

        assert answer.json()["whatsapp"] == {"codeType": "Alpha"}
        assert await simulator.code() == "Z"


@pytest.mark.parametrize(
    ("number", "method", "amount"),
    [
        pytest.param(NUMBER, "sms", 0.0453, id="Europe"),
        pytest.param(NUMBER, "flashcall", 0.0125, id="flash call"),
        pytest.param("+12025550142", "sms", 0.0085, id="North America"),
        pytest.param("+919876543210", "sms", 0.115, id="elsewhere"),
        pytest.param("+80012345678", "callout", 0.31, id="of no country"),
    ],
)
async def test_prices(simulator: Simulator, number: str, method: str, amount: float) -> None:
    verification_id = await simulator.open(number, method)
    assert "price" not in await simulator.status(verification_id)
    await simulator.open(number, method)

    state = await simulator.status(verification_id)
    assert state["status"] == "ABORTED"
    assert state["price"] == {"verificationPrice": {"currencyId": "EUR", "amount": amount}}


@pytest.mark.parametrize("path", [None, f"/number/{NUMBER}"], ids=["by id", "by number"])
@pytest.mark.parametrize(
    ("settings", "still_open"),
    [
        pytest.param({"wrong_tries": 1}, 0, id="first wrong code final"),
        pytest.param({"wrong_tries": 4}, 3, id="several tries"),
    ],
)
@pytest.mark.parametrize("last", ["fail", "error"])
async def test_what_sinch_does_not_publish(
    simulators: Simulators, settings: dict[str, Any], still_open: int, last: str, path: str | None
) -> None:
    simulator = simulators(last_wrong_answer=last, **settings)
    verification_id = await simulator.open()
    for _ in range(still_open):
        assert_refused(await simulator.report(verification_id, "0000", path=path), 40003)
        assert (await simulator.status(verification_id))["status"] == "PENDING"

    answer = await simulator.report(verification_id, "0000", path=path)

    if last == "error":
        assert_refused(answer, 40003)
    else:
        assert (answer.status_code, answer.json()["status"]) == (200, "FAIL")
    state = await simulator.status(verification_id)
    assert (state["status"], state["reason"]) == ("FAIL", "Invalid code")
    assert_refused(await simulator.report(verification_id, path=path), 40003)
