"""A server that ends tells every answer without an end, wherever in its connection that stands."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from otp_auth.cli.server import DRAIN, OPTIONS
from otp_auth.simulator.app import create_simulator
from otp_auth.simulator_settings import SimulatorSettings
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET, PATIENCE

AT_ONCE = DRAIN - 10  # seconds, on a busy machine
MORE_THAN_BUFFERS_HOLD = b" " * 2**25
CHUNKED = [(b"transfer-encoding", b"chunked")]


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    """`/endless` goes on until it is told; so does `/flood`, which says a lot before."""
    await send({"type": "http.response.start", "status": 200, "headers": CHUNKED})
    if scope["path"] != "/usual":
        told = asyncio.Event()
        scope["state"]["on_leaving"] = told.set
        first = MORE_THAN_BUFFERS_HOLD if scope["path"] == "/flood" else b"."
        await send({"type": "http.response.body", "body": first, "more_body": True})
        if not scope["state"].get("is_leaving"):
            await told.wait()
    await send({"type": "http.response.body", "body": b"end"})


class Running:
    """A server in this event loop, and the connection to it."""

    def __init__(self, app: ASGIApp) -> None:
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **OPTIONS))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.task = asyncio.create_task(self.server.serve(sockets=[self.listener]))

    @asynccontextmanager
    async def asked(self, *paths: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Send requests at once, and give the connection."""
        port = self.listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        try:
            writer.write(b"".join(map(get, paths)))
            yield reader, writer
        finally:
            writer.close()

    async def end(self) -> None:
        self.server.should_exit = True
        async with asyncio.timeout(AT_ONCE):
            await self.task


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[Running]:
    running = Running(app)
    yield running
    running.server.should_exit = running.server.force_exit = True
    await running.task


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)


async def test_requests_that_wait_behind_it_are_answered() -> None:
    async with running(answer) as server, server.asked("/endless", "/endless", "/usual") as (reader, _):
        await reader.readuntil(b"\r\n\r\n")

        await server.end()

        assert (await reader.read(4096)).count(b"end") == 3


async def test_nobody_waits_for_who_stopped_reading() -> None:
    async with running(answer) as server, server.asked("/flood") as (reader, _):
        await reader.readuntil(b"\r\n\r\n")

        await server.end()


@pytest.mark.parametrize("path", ["/events?wait=30", "/stream"])
async def test_the_simulator_lets_nobody_wait_on(path: str) -> None:
    simulator = create_simulator(
        SimulatorSettings(), application_key=APPLICATION_KEY, application_secret=APPLICATION_SECRET
    )
    sources = (simulator.state.simulation.events.news, simulator.state.changes)
    async with running(simulator) as server, server.asked(path) as (reader, _):
        await until(lambda: any(source.is_watched for source in sources))

        await server.end()

        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await simulator.state.simulation.close()
