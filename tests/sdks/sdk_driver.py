"""A running driver of one of Sinch's SDKs, and the simulator that it is pointed at."""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sdk_environments import HERE
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from otp_auth.simulator.app import create_simulator
from otp_auth.simulator_settings import SimulatorSettings
from support.npm import NODE
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET, PATIENCE, RunningSimulator, served

Json = dict[str, Any]
Wrap = Callable[[ASGIApp], ASGIApp]


@dataclass(frozen=True)
class Driver:
    """One process with an SDK in it: it answers a line with a line."""

    process: Process

    async def ask(self, **request: Any) -> Json:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(request)}\n".encode())
        async with asyncio.timeout(2 * PATIENCE):
            line = await self.process.stdout.readline()
        assert line, "the driver has ended"
        reply: Json = json.loads(line)
        return reply


@asynccontextmanager
async def python_driver(environment: Path) -> AsyncIterator[Driver]:
    script = HERE / "python" / "driver.py"
    async with _running(str(environment / "bin" / "python"), "-I", str(script)) as driver:
        yield driver


@asynccontextmanager
async def node_driver(environment: Path, secret: str = APPLICATION_SECRET) -> AsyncIterator[Driver]:
    with TemporaryDirectory() as name:
        script = Path(shutil.copy(HERE / "node" / "driver.mjs", name))
        script.with_name("node_modules").symlink_to(environment / "node_modules")
        async with _running(NODE, str(script), secret=secret) as driver:
            yield driver


@asynccontextmanager
async def simulator(
    wrap: Wrap = lambda app: app, *, prefix: str = "", secret: str = APPLICATION_SECRET, **settings: Any
) -> AsyncIterator[RunningSimulator]:
    """Run a simulator over HTTP, mounted under a prefix if there is one; `wrap` may alter what it says."""
    played = SimulatorSettings(**{"delivery_delay": 0} | settings)
    app = create_simulator(played, application_key=APPLICATION_KEY, application_secret=secret)
    mounted = Starlette(routes=[Mount(prefix, app)]) if prefix else app
    async with served(wrap(mounted)) as address:
        base_url = f"{address}{prefix}"
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
            yield RunningSimulator(base_url, http, app)
    await app.state.simulation.close()


@asynccontextmanager
async def _running(*command: str, secret: str = APPLICATION_SECRET) -> AsyncIterator[Driver]:
    """End with the block; the pipe closes with the test run, which ends it after SIGKILL as well."""
    process = await asyncio.create_subprocess_exec(
        *command, APPLICATION_KEY, secret, stdin=PIPE, stdout=PIPE, env={"PATH": os.environ["PATH"]}
    )
    try:
        yield Driver(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
