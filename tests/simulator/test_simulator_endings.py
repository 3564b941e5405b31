"""An open verification can be ended in every way that Sinch knows."""

from collections.abc import Callable
from typing import Any

import event_receiver
import pytest
import simulator_fixtures as fixtures
from event_receiver import Receiver
from simulator_client import NUMBER, OTHER_NUMBER, Simulator, assert_refused

from otp_auth.simulator.event_bodies import DELIVERED, RESULT

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators
receiver = event_receiver.receiver

Simulators = Callable[..., Simulator]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("DENIED", "Fraud"),
        ("DENIED", "Not enough credit"),
        ("DENIED", "Blocked"),
        ("DENIED", "Destination denied"),
        ("FAIL", "Hung up without entering valid code"),
        ("FAIL", "Failed pending"),
        ("ERROR", "Internal error"),
        ("ABORTED", None),
        ("ERROR", "a reason that Sinch has yet to invent"),
    ],
)
async def test_an_open_verification_ends_as_it_is_told(
    simulators: Simulators, receiver: Receiver, status: str, reason: str | None
) -> None:
    simulator = simulators(callback_url=receiver.url)
    verification_id = await simulator.open()
    await receiver.next_of(DELIVERED)
    ending = {"to": NUMBER, "status": status, "reason": reason}

    answer = await simulator.http.put("/endings", json=ending)

    state = await simulator.status(verification_id)
    ended = await receiver.next_of(RESULT)
    assert (answer.status_code, answer.json()["id"]) == (200, verification_id)
    for told in (state, ended):
        assert (told["status"], told.get("reason")) == (status, reason)
    assert ("price" in state) == (status in {"FAIL", "ABORTED"})
    assert_refused(await simulator.report(verification_id), 40003)


async def test_the_result_of_a_call(simulator: Simulator) -> None:
    verification_id = await simulator.open(method="callout")
    ending = {"status": "FAIL", "reason": "Expired", "call_result": "COMPLETED"}

    await simulator.http.put("/endings", json={"verification_id": verification_id} | ending)

    assert (await simulator.status(verification_id))["callResult"] == "COMPLETED"


async def test_only_what_is_open_can_end(simulator: Simulator) -> None:
    ended = await simulator.open()
    await simulator.report(ended)

    for key in ({"to": NUMBER}, {"to": OTHER_NUMBER}, {"verification_id": ended}):
        answer = await simulator.http.put("/endings", json=key | {"status": "ERROR"})
        assert (answer.status_code, answer.json()) == (404, {"detail": "nothing is open there"})
    assert (await simulator.status(ended))["status"] == "SUCCESSFUL"


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param({"to": NUMBER}, id="no status"),
        pytest.param({"to": NUMBER, "status": "SUCCESSFUL"}, id="a success, which only a report brings"),
        pytest.param({"to": NUMBER, "status": "PENDING"}, id="no ending"),
        pytest.param({"status": "FAIL"}, id="of what"),
        pytest.param({"to": NUMBER, "verification_id": "x", "status": "FAIL"}, id="of two"),
        pytest.param({"to": NUMBER, "status": "FAIL", "call_result": "SHRUG"}, id="unknown result"),
        pytest.param({"to": NUMBER, "status": "FAIL", "new": 1}, id="unknown member"),
    ],
)
async def test_endings_that_are_none(simulator: Simulator, ending: dict[str, Any]) -> None:
    verification_id = await simulator.open()

    answer = await simulator.http.put("/endings", json=ending)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["problem"]
    assert (await simulator.status(verification_id))["status"] == "PENDING"
