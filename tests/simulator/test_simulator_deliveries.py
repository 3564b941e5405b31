"""What becomes of a message: by itself, by its number, and by a fault."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import event_receiver
import phonenumbers
import pytest
import simulator_fixtures as fixtures
import time_machine
from event_receiver import Receiver
from simulator_client import CODE, NUMBER, Simulator, assert_refused

from otp_auth import phone_numbers
from otp_auth.simulator import numbers
from otp_auth.simulator.event_bodies import DELIVERED, REQUEST, RESULT
from support.simulator import PATIENCE

clock, simulators, receiver = fixtures.clock, fixtures.simulators, event_receiver.receiver

Simulators = Callable[..., Simulator]
BY_BEHAVIOUR = {built_in.behaviour.value: built_in.number for built_in in numbers.NUMBERS}


class Pause:
    """Stands for a sleep: a test sees how long it would be, and ends it."""

    def __init__(self) -> None:
        self.seconds: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.put_nowait(seconds)
        await self.over.wait()

    async def begun(self) -> float:
        async with asyncio.timeout(PATIENCE):
            return await self.seconds.get()


@pytest.fixture
async def simulator(simulators: Simulators, receiver: Receiver) -> Simulator:
    return simulators(callback_url=receiver.url)


@pytest.fixture
async def pause(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pause]:
    pause = Pause()
    for module in ("deliveries", "starts", "events"):
        monkeypatch.setattr(f"otp_auth.simulator.{module}.asyncio", _Asyncio(pause))
    yield pause
    pause.over.set()


class _Asyncio:
    """asyncio with another sleep, for one module."""

    def __init__(self, pause: Pause) -> None:
        self.sleep = pause.sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


async def _statuses(simulator: Simulator) -> list[str]:
    return [message["status"] for message in await simulator.get("/messages")]


async def test_the_news_comes_after_a_delay(simulators: Simulators, receiver: Receiver, pause: Pause) -> None:
    simulator = simulators(callback_url=receiver.url, delivery_delay=1.5)

    verification_id = await simulator.open()

    assert await pause.begun() == 1.5
    assert await _statuses(simulator) == ["sent"]
    assert await simulator.code() == CODE
    pause.over.set()
    receipt = await receiver.next_of(DELIVERED)
    assert (receipt["id"], receipt["smsResult"]) == (verification_id, "Successful")
    assert await _statuses(simulator) == ["delivered"]


async def test_an_emptied_inbox_gets_nothing_back(simulators: Simulators, pause: Pause) -> None:
    simulator = simulators(delivery_delay=1)
    await simulator.open()
    await pause.begun()
    await simulator.http.delete("/messages")
    pause.over.set()
    await simulator.app.state.simulation.background.idle()

    assert await simulator.get("/messages") == []


async def test_what_is_under_way_ends_with_the_simulator(simulators: Simulators) -> None:
    simulator = simulators(delivery_delay=600)
    await simulator.open()
    before = asyncio.all_tasks()

    await simulator.app.state.simulation.close()

    assert len(asyncio.all_tasks()) == len(before) - 1
    assert await _statuses(simulator) == ["sent"]


@pytest.mark.parametrize("method", ["sms", "callout", "flashcall", "whatsapp"])
async def test_a_message_that_is_not_delivered(simulator: Simulator, receiver: Receiver, method: str) -> None:
    await simulator.put_fault(on="start", kind="undelivered", times=1)

    verification_id = await simulator.open(method=method)

    is_text = method == "sms"
    if is_text:
        assert (await receiver.next_of(DELIVERED))["smsResult"] == "Failed"
    reason = "SMS delivery failure" if is_text else "Network error or number unreachable"
    ended = await receiver.next_of(RESULT)
    state = await simulator.status(verification_id)
    assert [(end["status"], end["reason"]) for end in (ended, state)] == [("ERROR", reason)] * 2
    assert "price" not in state
    assert state.get("callResult") == ("FAILED" if method in {"callout", "flashcall"} else None)
    assert await _statuses(simulator) == ["failed"]
    assert_refused(await simulator.report(verification_id, await simulator.code(), method), 40003)
    await simulator.open(method=method)
    assert await _statuses(simulator) == ["delivered", "failed"]


async def test_a_delivery_that_fails_too_late_changes_no_result(simulators: Simulators, pause: Pause) -> None:
    simulator = simulators(delivery_delay=1)
    await simulator.put_fault(on="start", kind="undelivered")
    verification_id = await simulator.open()
    await pause.begun()
    await simulator.report(verification_id)
    pause.over.set()
    await simulator.app.state.simulation.background.idle()

    assert (await simulator.status(verification_id))["status"] == "SUCCESSFUL"
    assert await _statuses(simulator) == ["failed"]


async def test_a_spoiled_answer_does_not_stop_the_delivery(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.put_fault(on="start", kind="garbage")

    await simulator.start()

    assert (await receiver.next_of(DELIVERED))["smsResult"] == "Successful"


class TestNumbers:
    async def test_the_list(self, simulators: Simulators) -> None:
        listed = await simulators().get("/numbers")

        assert {entry["behaviour"] for entry in listed} == {
            "never_delivered",
            "delivered_late",
            "refused_by_operator",
            "no_credit",
            "slow_start",
            "provider_down",
            "voice_only",
            "no_route",
            "blacklisted",
            "internal_error",
            "no_answer",
            "busy",
        }
        for entry in listed:
            assert set(entry) == {"number", "behaviour", "description"}
            number = phonenumbers.parse(entry["number"])
            assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
            assert phone_numbers.parse(entry["number"]) == entry["number"]
        assert len({entry["number"][-2:] for entry in listed}) == len(listed)

    async def test_never_delivered(
        self, simulator: Simulator, receiver: Receiver, clock: time_machine.Traveller
    ) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR["never_delivered"])
        await simulator.app.state.simulation.events.idle()

        assert await simulator.get("/messages") == []
        assert (await receiver.next()).body["event"] == REQUEST
        assert receiver.queue.empty()
        assert (await simulator.status(verification_id))["status"] == "PENDING"
        clock.shift(300)
        assert (await receiver.next()).body["reason"] == "Expired"

    async def test_delivered_late(self, simulator: Simulator, receiver: Receiver, pause: Pause) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR["delivered_late"])

        assert await pause.begun() == 20
        assert await simulator.get("/messages") == []
        pause.over.set()
        assert (await receiver.next_of(DELIVERED))["smsResult"] == "Successful"
        assert await _statuses(simulator) == ["delivered"]
        assert (await simulator.report(verification_id)).json()["status"] == "SUCCESSFUL"

    async def test_refused_by_the_operator(self, simulator: Simulator, receiver: Receiver) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR["refused_by_operator"])

        assert (await receiver.next_of(DELIVERED))["smsResult"] == "Failed"
        state = await simulator.status(verification_id)
        assert (state["status"], state["reason"]) == ("ERROR", "SMS delivery failure")
        assert await _statuses(simulator) == ["failed"]

    @pytest.mark.parametrize(
        ("behaviour", "method", "error_code", "message"),
        [
            ("no_credit", "sms", 40200, "Not enough credit"),
            (
                "provider_down",
                "callout",
                50300,
                "Service is temporarily unavailable, please try again later.",
            ),
            ("voice_only", "sms", 42201, "No route to destination."),
            ("voice_only", "whatsapp", 42201, "No route to destination."),
        ],
    )
    async def test_starts_that_are_refused(
        self,
        simulator: Simulator,
        receiver: Receiver,
        behaviour: str,
        method: str,
        error_code: int,
        message: str,
    ) -> None:
        number = BY_BEHAVIOUR[behaviour]

        assert_refused(await simulator.start(number, method, reference="one"), error_code, message)

        assert await simulator.get("/messages") == []
        assert (await simulator.get("/stats"))["by_number"][number]["starts"] == 1
        assert_refused(await simulator.call("GET", "/reference/one"), 40400)
        assert receiver.queue.empty()

    @pytest.mark.parametrize("method", ["callout", "flashcall"])
    async def test_voice_only(self, simulator: Simulator, method: str) -> None:
        verification_id = await simulator.open(BY_BEHAVIOUR["voice_only"], method)

        report = await simulator.report(verification_id, await simulator.code(), method)
        assert report.json()["status"] == "SUCCESSFUL"

    async def test_slow_start(self, simulator: Simulator, pause: Pause) -> None:
        start = asyncio.create_task(simulator.start(BY_BEHAVIOUR["slow_start"]))

        assert await pause.begun() == 5
        assert await simulator.get("/messages") == []
        pause.over.set()
        assert (await start).status_code == 200
        assert len(await simulator.get("/messages")) == 1


class TestFaultsOfCallbacks:
    async def test_a_delay(self, simulator: Simulator, receiver: Receiver, pause: Pause) -> None:
        await simulator.put_fault(on="callback", kind="delay", value=7, times=1)
        start = asyncio.create_task(simulator.start())

        assert await pause.begun() == 7
        assert receiver.queue.empty()
        pause.over.set()
        assert (await start).status_code == 200
        assert (await receiver.next()).body["event"] == REQUEST

    async def test_a_status(self, simulator: Simulator, receiver: Receiver) -> None:
        await simulator.put_fault(on="callback", kind="status", value=503, times=1)

        assert_refused(await simulator.start(), 42202)

        assert (await receiver.next()).is_signed()
        assert (await simulator.get(f"/events?event={REQUEST}"))[0]["status"] == 503

    async def test_an_event_that_is_not_sent(self, simulator: Simulator, receiver: Receiver) -> None:
        receiver.decision = {"action": "allow", "sms": {"code": "123456"}}
        await simulator.put_fault(on="callback", kind="drop_before")

        verification_id = await simulator.open()
        await simulator.report(verification_id)
        await simulator.app.state.simulation.events.idle()

        assert await simulator.code() == CODE  # Sinch's
        assert receiver.queue.empty()
        assert await simulator.get("/events") == []

    async def test_an_answer_that_is_lost(self, simulator: Simulator, receiver: Receiver) -> None:
        await simulator.put_fault(on="callback", kind="drop_after", times=1)

        assert_refused(await simulator.start(), 42202)

        assert (await receiver.next()).is_signed()
        assert (await simulator.get(f"/events?event={REQUEST}"))[0]["problem"] == "the answer was lost"

    async def test_garbage(self, simulator: Simulator, receiver: Receiver) -> None:
        receiver.status = 401
        await simulator.put_fault(on="callback", kind="garbage", times=1)

        assert_refused(await simulator.start(), 42202)

        received = await receiver.next()
        assert not received.is_signed()
        with pytest.raises(ValueError, match="delimiter"):
            assert received.body

    async def test_events_that_come_twice(self, simulator: Simulator, receiver: Receiver) -> None:
        await simulator.put_fault(on="callback", kind="repeat")

        verification_id = await simulator.open()
        asked = [await receiver.next() for _ in range(2)]
        delivered = [await receiver.next() for _ in range(2)]

        assert asked[0].content == asked[1].content
        assert delivered[0].content == delivered[1].content
        assert all(received.is_signed() for received in asked + delivered)
        assert [received.body["event"] for received in (asked[0], delivered[0])] == [REQUEST, DELIVERED]
        await simulator.app.state.simulation.events.idle()
        assert [e["verification_id"] for e in await simulator.get("/events")] == [verification_id] * 2

    async def test_of_two_answers_the_first_counts(self, simulator: Simulator, receiver: Receiver) -> None:
        await simulator.put_fault(on="callback", kind="repeat", times=1)
        receiver.decisions = [{"action": "allow", "sms": {"code": "123456"}}, {"action": "deny"}]

        await simulator.open()

        assert await simulator.code() == "123456"

    async def test_events_that_do_not_arrive(self, simulator: Simulator, receiver: Receiver) -> None:
        await simulator.put_fault(on="callback", kind="undelivered", times=1)

        verification_id = await simulator.open()  # its receipt uses up the fault, its request doesn't
        await simulator.app.state.simulation.events.idle()
        await simulator.report(verification_id)

        names = [(await receiver.next()).body["event"] for _ in range(2)]
        assert names == [REQUEST, RESULT]

    async def test_without_a_callback_url_none_is_used_up(self, simulators: Simulators) -> None:
        simulator = simulators()
        await simulator.put_fault(on="callback", kind="status", value=500, times=1)

        await simulator.open(NUMBER)

        assert simulator.app.state.faults.in_force("callback").times == 1
