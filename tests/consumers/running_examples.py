"""The examples, running: each says whose a token is, or refuses it."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import page
import pytest

from support.npm import NODE
from support.simulator import served

PACKAGES = Path(__file__).parent / "node"
# The pipe closes with the test run, after SIGKILL as well.
ENDS_WITH_US = 'data:text/javascript,process.stdin.resume().on("end",()=>process.exit())'


class Consumer(Protocol):
    async def account_of(self, token: str) -> str | None:
        """Return the account; None for a token that it refuses."""


Start = Callable[[str, Path], AbstractAsyncContextManager[Consumer]]


@dataclass(frozen=True)
class WebService:
    """An example with routes."""

    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, token: str | None) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.http.request(method, path, headers=headers)

    async def account_of(self, token: str) -> str | None:
        answer = await self.ask("GET", "/orders", token)
        if answer.is_success:
            return str(answer.json()["account"])
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, INVALID), answer.text
        return None


INVALID = 'Bearer error="invalid_token"'


@dataclass(frozen=True)
class Checker:
    """A program that reads tokens, one a line."""

    process: Process

    async def account_of(self, token: str) -> str | None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{token}\n".encode())
        word, _, rest = (await self.process.stdout.readline()).decode().strip().partition(" ")
        assert word in {"account", "refused:"}, f"{word} {rest}"
        return rest if word == "account" else None


@asynccontextmanager
async def fastapi_service(issuer: str, _: Path) -> AsyncIterator[WebService]:
    """In the loop of the test and of otp-auth: an example that blocked it would never get its keys."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISSUER", issuer)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        exec(compile(page.example("orders.py"), "orders.py", "exec", dont_inherit=True), names)  # noqa: S102 - our own page
        async with served(names["app"]) as address, _client(address) as http:
            yield WebService(http)


@asynccontextmanager
async def express_service(issuer: str, folder: Path) -> AsyncIterator[WebService]:
    async with _running(folder, "--import", ENDS_WITH_US, "orders.mjs", ISSUER=issuer, PORT="0") as process:
        assert process.stdout is not None
        _, _, address = (await process.stdout.readline()).decode().strip().rpartition(" ")
        async with _client(address) as http:
            yield WebService(http)


@asynccontextmanager
async def node_checker(issuer: str, folder: Path) -> AsyncIterator[Checker]:
    async with _running(folder, "check.mjs", ISSUER=issuer) as process:
        yield Checker(process)


def _client(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, trust_env=False, timeout=30)


@asynccontextmanager
async def _running(folder: Path, *command: str, **environment: str) -> AsyncIterator[Process]:
    name = command[-1]
    (folder / name).write_text(page.example(name), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        NODE, *command, cwd=folder, stdin=PIPE, stdout=PIPE, env={"PATH": os.environ["PATH"], **environment}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
