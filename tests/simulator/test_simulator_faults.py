import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
import simulator_fixtures as fixtures
import uvicorn
from fastapi import FastAPI
from simulator_client import (
    NUMBER,
    VERIFICATIONS,
    Simulator,
    assert_refused,
    new_simulator,
    sign,
)

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

BODY = f'{{"identity":{{"type":"number","endpoint":"{NUMBER}"}},"method":"sms"}}'.encode()


async def _put(simulator: Simulator, **fault: Any) -> None:
    answer = await simulator.http.put("/faults", json=fault)
    assert answer.status_code == 200, answer.text


async def test_a_status_instead_of_work(simulator: Simulator) -> None:
    await _put(simulator, on="start", kind="status", value=503)

    for _ in range(3):
        assert_refused(await simulator.start(), 50300)
    assert await simulator.get("/messages") == []
    assert (await simulator.get("/stats"))["by_number"] == {NUMBER: {"starts": 3, "reports": 0}}

    assert (await simulator.http.delete("/faults")).status_code == 204
    assert await simulator.open()


@pytest.mark.parametrize(
    ("value", "error_code", "message"),
    [
        (429, 42900, "Request capacity exceeded"),
        (503, 50300, "Service is temporarily unavailable, please try again later."),
        (502, 50200, "The simulator was told to answer 502."),
        (42901, 42901, "Cannot initiate verification to the same number too quickly"),
        (40300, 40300, "Identity is blacklisted."),
        (42200, 42200, "Application name has not been configured"),
        (50301, 50301, "Configuration error, please contact support."),
        (50100, 50100, None),
    ],
)
@pytest.mark.parametrize("call", ["start", "report"])
async def test_every_error_of_sinch(
    simulator: Simulator, call: str, value: int, error_code: int, message: str | None
) -> None:
    verification_id = await simulator.open()
    await _put(simulator, on=call, kind="status", value=value)

    answer = await (simulator.start() if call == "start" else simulator.report(verification_id))

    assert_refused(answer, error_code, message)
    assert (await simulator.status(verification_id))["status"] == "PENDING"


async def test_faults_can_be_read(simulator: Simulator) -> None:
    assert await simulator.get("/faults") == []
    await _put(simulator, on="start", kind="status", value=500, times=2)
    await _put(simulator, on="callback", kind="repeat")
    await simulator.start()

    assert await simulator.get("/faults") == [
        {"on": "start", "kind": "status", "value": 500, "times": 1},
        {"on": "callback", "kind": "repeat", "value": None, "times": None},
    ]
    await simulator.start()
    assert [fault["on"] for fault in await simulator.get("/faults")] == ["callback"]


async def test_a_fault_is_over_after_its_times(simulator: Simulator) -> None:
    verification_id = await simulator.open()
    await _put(simulator, on="report", kind="status", value=429, times=2)

    answers = [await simulator.report(verification_id) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]


async def test_a_fault_is_for_one_call_and_the_last_counts(simulator: Simulator) -> None:
    await _put(simulator, on="report", kind="status", value=500)
    await _put(simulator, on="report", kind="status", value=503)

    verification_id = await simulator.open()

    assert_refused(await simulator.report(verification_id), 50300)
    assert (await simulator.status(verification_id))["status"] == "PENDING"


async def test_a_fault_is_not_used_up_by_strangers(simulator: Simulator) -> None:
    await _put(simulator, on="start", kind="status", value=500, times=1)

    assert (await simulator.http.post(VERIFICATIONS)).status_code == 401
    assert_refused(await simulator.start(), 50000)


async def test_garbage_is_no_json_though_the_work_is_done(simulator: Simulator) -> None:
    await _put(simulator, on="start", kind="garbage", times=1)

    answer = await simulator.start()

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="decode"):
        answer.json()
    assert len(await simulator.get("/messages")) == 1


async def test_garbage_comes_for_refused_work_too(simulator: Simulator) -> None:
    await _put(simulator, on="start", kind="garbage", times=1)

    assert (await simulator.start("+4813")).status_code == 200


async def test_a_delay_comes_before_the_work(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def wait(seconds: float) -> None:
        assert seconds == 1.5
        waiting.set()
        await go_on.wait()

    await _put(simulator, on="start", kind="delay", value=1.5)
    monkeypatch.setattr("otp_auth.simulator.faults.asyncio.sleep", wait)
    start = asyncio.create_task(simulator.start())
    await waiting.wait()
    monkeypatch.undo()

    assert await simulator.get("/messages") == []
    go_on.set()
    assert (await start).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(b'{"on":"status","kind":"delay","value":1}', id="other call"),
        pytest.param(b'{"on":"start","kind":"explode"}', id="other kind"),
        pytest.param(b'{"on":"start","kind":"delay"}', id="delay without seconds"),
        pytest.param(b'{"on":"start","kind":"delay","value":-1}', id="delay into the past"),
        pytest.param(b'{"on":"start","kind":"delay","value":601}', id="delay for ever"),
        pytest.param(b'{"on":"start","kind":"status","value":99}', id="no status"),
        pytest.param(b'{"on":"start","kind":"status","value":503.5}', id="half a status"),
        pytest.param(b'{"on":"start","kind":"status","value":204}', id="status without body"),
        pytest.param(b'{"on":"start","kind":"status","value":42999}', id="no error code of Sinch's"),
        pytest.param(b'{"on":"callback","kind":"status","value":42901}', id="events have no error codes"),
        pytest.param(b'{"on":"start","kind":"repeat"}', id="a start isn't repeated"),
        pytest.param(b'{"on":"start","kind":"garbage","times":0}', id="never"),
        pytest.param(b'{"on":"start","kind":"garbage","times":1000001}', id="too often"),
        pytest.param(b'{"on":"start","kind":"garbage","times":' + b"9" * 4000 + b"}", id="far too often"),
        pytest.param(b'{"on":"report","kind":"garbage","value":1e400}', id="beyond all numbers"),
        pytest.param(b'{"on":"report","kind":"garbage","value":NaN}', id="no number"),
        pytest.param(b'{"on":"start","kind":"delay","value":NaN}', id="delay of no number"),
        pytest.param(b'{"on":"report","kind":"undelivered"}', id="a report isn't delivered"),
        pytest.param(b'{"on":"start","kind":"garbage","often":1}', id="unknown member"),
    ],
)
async def test_faults_that_do_not_exist(simulator: Simulator, fault: bytes) -> None:
    answer = await simulator.http.put("/faults", content=fault)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["problem"]
    assert await simulator.get("/faults") == []
    assert await simulator.open()


def _serve(app: FastAPI, protocol: str) -> tuple[uvicorn.Server, socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))  # from here on, clients can queue
    config = uvicorn.Config(
        app, http=protocol, ws="none", loop="asyncio", lifespan="off", log_config=None, log_level="critical"
    )
    return uvicorn.Server(config), listener


@pytest.fixture(params=["httptools", "h11"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    server, listener = _serve(new_simulator(), request.param)
    with closing(listener):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        host, port = listener.getsockname()
        yield f"http://{host}:{port}"
        server.should_exit = True
        thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize(("kind", "sent"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_lost_connection(http: httpx.AsyncClient, kind: str, sent: int) -> None:
    await http.put("/faults", json={"on": "start", "kind": kind, "times": 1})

    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(VERIFICATIONS, content=BODY, headers=sign("POST", VERIFICATIONS, BODY))

    assert len((await http.get("/messages")).json()) == sent
    assert (await http.get("/stats")).json()["starts"] == 1
    again = await http.post(VERIFICATIONS, content=BODY, headers=sign("POST", VERIFICATIONS, BODY))
    assert again.status_code == 200
