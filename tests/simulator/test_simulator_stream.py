"""What the inbox page hears, over real HTTP: a transport in memory would wait for the end of an answer."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from simulator_client import NUMBER, OTHER_NUMBER, Simulator, new_simulator

from otp_auth.simulator import stream
from support.simulator import PATIENCE, served

Event = tuple[str, Any]


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    app = new_simulator()
    async with served(app) as address:
        simulator = Simulator(app)
        await simulator.http.aclose()
        simulator.http = httpx.AsyncClient(base_url=address, trust_env=False)
        async with simulator.http:
            yield simulator


@asynccontextmanager
async def listening(simulator: Simulator, to: str = "") -> AsyncIterator[AsyncIterator[Event]]:
    """Yield what the stream tells, from the first snapshot on."""
    async with simulator.http.stream("GET", "/stream", params={"to": to}) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        async with aclosing(events_of(answer)) as events:
            yield events


async def events_of(answer: httpx.Response) -> AsyncGenerator[Event, None]:
    name = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, value if name == "beat" else json.loads(value)


async def heard(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


async def test_first_comes_all_that_there_is(simulator: Simulator) -> None:
    await simulator.open()
    await simulator.put_fault(on="report", kind="garbage", times=2)

    async with listening(simulator) as events:
        assert await heard(events) == ("messages", await simulator.get("/messages"))
        assert await heard(events) == ("faults", await simulator.get("/faults"))


async def test_every_page_hears_of_every_change(simulator: Simulator) -> None:
    async with listening(simulator) as one, listening(simulator) as other:
        for events in (one, other):
            assert [await heard(events) for _ in range(2)] == [("messages", []), ("faults", [])]
        await simulator.open()
        for events in (one, other):
            (name, (message,)) = await heard(events)
            assert (name, message["to"], message["status"]) == ("messages", NUMBER, "delivered")
        await simulator.http.delete("/messages")
        for events in (one, other):
            assert await heard(events) == ("messages", [])


async def test_a_page_hears_how_a_delivery_ends(simulator: Simulator) -> None:
    simulator.app.state.simulation.settings = simulator.app.state.simulation.settings.model_copy(
        update={"delivery_delay": 4 * stream.BREATH}
    )
    async with listening(simulator) as events:
        assert [await heard(events) for _ in range(2)] == [("messages", []), ("faults", [])]
        await simulator.open()
        statuses = [(await heard(events))[1][0]["status"] for _ in range(2)]

    assert statuses == ["sent", "delivered"]


async def test_a_page_of_one_number_hears_of_no_other(simulator: Simulator) -> None:
    await simulator.open(OTHER_NUMBER)
    async with listening(simulator, NUMBER[:6]) as events:
        assert [await heard(events) for _ in range(2)] == [("messages", []), ("faults", [])]
        await simulator.open(OTHER_NUMBER)
        await simulator.open()
        name, messages = await heard(events)

    assert (name, [message["to"] for message in messages]) == ("messages", [NUMBER])


async def test_only_the_newest_are_told(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SHOWN", 2)
    ids = [await simulator.open() for _ in range(3)]

    async with listening(simulator) as events:
        _, messages = await heard(events)

    assert [message["verification_id"] for message in messages] == [ids[2], ids[1]]


async def test_a_page_hears_what_goes_wrong_and_what_does_no_more(simulator: Simulator) -> None:
    once = {"on": "start", "kind": "status", "value": 500.0, "times": 1}
    always = {"on": "report", "kind": "drop_before", "value": None, "times": None}
    async with listening(simulator) as events:
        assert [await heard(events) for _ in range(2)] == [("messages", []), ("faults", [])]
        await simulator.put_fault(**once)
        assert await heard(events) == ("faults", [once])
        await simulator.put_fault(**always)
        assert await heard(events) == ("faults", [once, always])
        assert (await simulator.start()).status_code == 500
        assert await heard(events) == ("faults", [always])
        assert (await simulator.http.delete("/faults", params={"on": "start"})).status_code == 204
        assert await simulator.get("/faults") == [always]
        assert (await simulator.http.delete("/faults", params={"on": "report"})).status_code == 204
        assert await heard(events) == ("faults", [])


async def test_a_quiet_connection_is_heard_to_stand(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)

    async with listening(simulator) as events:
        names = [(await heard(events))[0] for _ in range(4)]

    assert names == ["messages", "faults", "beat", "beat"]


async def test_who_has_gone_is_forgotten(simulator: Simulator) -> None:
    app: FastAPI = simulator.app
    async with listening(simulator) as events:
        await heard(events)
        assert app.state.changes.is_watched

    async with asyncio.timeout(PATIENCE):
        while app.state.changes.is_watched:
            await simulator.get("/numbers")
