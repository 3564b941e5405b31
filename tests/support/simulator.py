"""A Sinch simulator on a port of 127.0.0.1, for tests that go over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from otp_auth.simulator.app import create_simulator
from otp_auth.simulator.simulation import Simulation
from otp_auth.simulator_settings import SimulatorSettings

APPLICATION_KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
APPLICATION_SECRET = "AAECAwQFBgcICQoLDA0ODw=="
PATIENCE = 10  # seconds for an event that must come

Json = dict[str, Any]


@dataclass(frozen=True)
class RunningSimulator:
    """Its address, and what a test asks it: what phones received, how often Sinch was asked, what it told."""

    base_url: str
    http: httpx.AsyncClient
    app: FastAPI

    async def messages(self, number: str) -> list[Json]:
        """Newest first."""
        found: list[Json] = (await self.http.get("/messages", params={"to": number})).json()
        return found

    async def code(self, number: str) -> str:
        """The code of the newest message to a number."""
        return str((await self.messages(number))[0]["code"])

    async def starts(self, number: str) -> int:
        return await self._count(number, "starts")

    async def reports(self, number: str) -> int:
        return await self._count(number, "reports")

    async def _count(self, number: str, what: str) -> int:
        counted = (await self.http.get("/stats")).json()["by_number"]
        return int(counted.get(number, {}).get(what, 0))

    async def events(self, **query: Any) -> list[Json]:
        """Events that were sent and answered, newest first; `query` may hold to, event, verification_id."""
        answer = await self.http.get("/events", params=query, timeout=2 * PATIENCE)
        found: list[Json] = answer.raise_for_status().json()
        return found

    async def event(self, name: str, **query: Any) -> Json:
        """The newest event of that name; waits for the first one."""
        found = await self.events(event=name, wait=PATIENCE, **query)
        assert found, f"no {name} was sent in {PATIENCE} s"
        return found[0]

    async def asked(self, **query: Any) -> Json:
        """The request event, with its price in `body` and our decision in `answer`."""
        return await self.event("VerificationRequestEvent", **query)

    async def delivered(self, **query: Any) -> Json:
        """The operator's receipt, once our answer to it is there."""
        return await self.event("VerificationSmsDeliveredEvent", **query)

    async def ended(self, **query: Any) -> Json:
        """The result event, once our answer to it is there."""
        return await self.event("VerificationResultEvent", **query)

    @asynccontextmanager
    async def calling_back(self, url: str) -> AsyncIterator[None]:
        """Send events to this URL until the block ends; those under way then are still waited for."""
        simulation: Simulation = self.app.state.simulation
        before, simulation.events.callback_url = simulation.events.callback_url, url
        try:
            yield
        finally:
            simulation.events.callback_url = before
            await simulation.events.idle()

    @asynccontextmanager
    async def fault(
        self, on: str, kind: str, value: float | None = None, times: int | None = None
    ) -> AsyncIterator[None]:
        """Play a fault until the block ends."""
        fault: Json = {"on": on, "kind": kind, "value": value, "times": times}
        (await self.http.put("/faults", json=fault)).raise_for_status()
        try:
            yield
        finally:
            await self.http.delete("/faults")


@asynccontextmanager
async def running_simulator(**settings: Any) -> AsyncIterator[RunningSimulator]:
    """Run a simulator with these settings of its own; unlike in development, messages arrive at once."""
    played = SimulatorSettings(
        **{"delivery_delay": 0, "callback_timeout": timedelta(seconds=2 * PATIENCE)} | settings
    )
    app = create_simulator(played, application_key=APPLICATION_KEY, application_secret=APPLICATION_SECRET)
    async with served(app) as base_url, httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        yield RunningSimulator(base_url, http, app)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application in this event loop and return its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_keep_alive=60)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
