"""A Sinch simulator on a port of 127.0.0.1, for tests that go over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from otp_auth.settings import SimulatorSettings
from otp_auth.simulator.app import create_simulator

APPLICATION_KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
APPLICATION_SECRET = "AAECAwQFBgcICQoLDA0ODw=="


@dataclass(frozen=True)
class RunningSimulator:
    """Its address, and what a test asks it: what phones received, and how often Sinch was asked."""

    base_url: str
    http: httpx.AsyncClient

    async def messages(self, number: str) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = (await self.http.get("/messages", params={"to": number})).json()
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

    @asynccontextmanager
    async def fault(self, on: str, kind: str, value: float | None = None) -> AsyncIterator[None]:
        """Play a fault until the block ends."""
        fault = {"on": on, "kind": kind} | ({} if value is None else {"value": value})
        (await self.http.put("/faults", json=fault)).raise_for_status()
        try:
            yield
        finally:
            await self.http.delete("/faults")


@asynccontextmanager
async def running_simulator() -> AsyncIterator[RunningSimulator]:
    app = create_simulator(
        SimulatorSettings(), application_key=APPLICATION_KEY, application_secret=APPLICATION_SECRET
    )
    async with served(app) as base_url, httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        yield RunningSimulator(base_url, http)


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
