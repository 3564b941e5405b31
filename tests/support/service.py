"""The whole service as a client sees it, with a real database and real HTTP to the Sinch simulator."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from otp_auth.challenges import callbacks
from otp_auth.database import Database
from otp_auth.main import create_app
from otp_auth.settings import Settings, load_settings
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET, PATIENCE, RunningSimulator, served

PASSWORD = "Quiet-Harbour-Lantern-58"
PUBLIC_URL = "https://auth.example.com"
API = "/api/v1"

# A test's messages go to adjacent numbers, and all are asked for from one address.
WIDE_BUDGETS = {f"per_{area}_{time}": 1000 for area in ("address", "block") for time in ("hour", "day")}
OF_A_NETWORK = ("passwordless_address_5_minutes", "passwordless_address_hour")

Json = dict[str, Any]
_NUMBERS: Iterator[int] = count(1_000_000)


def new_number() -> str:
    """A Swedish mobile number that no other test of this run uses."""
    return f"+4670{next(_NUMBERS)}"


def settings_for(database_url: str, keys: Path, simulator_url: str, **overrides: Any) -> Settings:
    """Settings of a test: cheap hashes, no flood limits, every country."""
    presets: dict[str, Any] = {
        "environment": "development",
        "public_url": PUBLIC_URL,
        "database_url": database_url,
        "secret_key": "a-secret-of-the-tests-0123456789-abcdef",
        "tokens": {"signing_keys_dir": keys},
        "sinch": {
            "application_key": APPLICATION_KEY,
            "application_secret": APPLICATION_SECRET,
            "base_url": simulator_url,
        },
        "send": {"countries": "*", **WIDE_BUDGETS},
        "guesses": dict.fromkeys(OF_A_NETWORK, 1000),
        "passwords": {"bcrypt_cost": 4},
        "rate_limits": {"enabled": False},
    }
    for name, value in overrides.items():
        presets[name] = {**presets.get(name, {}), **value} if isinstance(value, dict) else value
    return load_settings(**presets)


@dataclass(frozen=True)
class Service:
    """One application of ours."""

    app: FastAPI
    http: httpx.AsyncClient
    simulator: RunningSimulator

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    @property
    def settings(self) -> Settings:
        settings: Settings = self.app.state.settings
        return settings

    async def ask(self, method: str, path: str, json: Any = None, token: str | None = None) -> httpx.Response:
        """Send one request; `path` is below /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.request(method, f"{API}{path}", json=json, headers=headers)

    async def post(self, path: str, json: Any = None, token: str | None = None) -> httpx.Response:
        return await self.ask("POST", path, json, token)

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        return await self.ask("GET", path, token=token)

    async def start_registration(self, number: str, **fields: Any) -> Json:
        """Return Pending: a code is on its way."""
        answer = await self.post("/auth/register", {"phone_number": number, "password": PASSWORD, **fields})
        assert answer.status_code == 202, answer.text
        return _body(answer)

    async def register(self, number: str, **fields: Any) -> Json:
        """Return Tokens of a new account."""
        return await self.prove(await self.start_registration(number, **fields), number)

    async def start_login(self, identifier: str, **fields: Any) -> Json:
        answer = await self.post("/auth/login", {"identifier": identifier, "password": PASSWORD, **fields})
        assert answer.status_code == 200, answer.text
        return _body(answer)

    async def log_in(self, number: str) -> Json:
        return await self.prove(await self.start_login(number), number)

    async def start_step_up(self, tokens: Json, **fields: Any) -> Json:
        """Return Pending for whoever has an access token."""
        answer = await self.post("/auth/step-up", fields or None, tokens["access_token"])
        assert answer.status_code == 200, answer.text
        return _body(answer)

    async def step_up(self, tokens: Json, number: str) -> Json:
        """Return the answer with the elevated access token."""
        return await self.prove(await self.start_step_up(tokens), number)

    async def verify(self, pending: Json, code: str, **fields: Any) -> httpx.Response:
        return await self.post("/auth/otp/verify", {"code": code, **fields}, pending["pending_token"])

    async def prove(self, pending: Json, number: str) -> Json:
        """Answer with the code of the newest message."""
        answer = await self.verify(pending, await self.simulator.code(number))
        assert answer.status_code == 200, answer.text
        return _body(answer)


@asynccontextmanager
async def with_callbacks(service: Service, receiver: ASGIApp | None = None) -> AsyncIterator[str]:
    """Let the simulator's events reach the service (or a receiver in its place) until the block ends.

    A busy machine may answer late: no message is denied for that.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError  # it is running already
        await service.app(scope, receive, send)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callbacks, "DEADLINE", PATIENCE)
        async with served(receiver or app) as address:
            url = f"{address}/webhooks/sinch"
            async with service.simulator.calling_back(url):
                yield url


def wrong(code: str) -> str:
    """A code as long as this one, and another."""
    return "".join(str((int(digit) + 1) % 10) for digit in code)


@asynccontextmanager
async def running_service(settings: Settings, simulator: RunningSimulator) -> AsyncIterator[Service]:
    """Build the application and enter its lifespan, as a server would."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
            yield Service(app, http, simulator)


def _body(answer: httpx.Response) -> Json:
    body: Json = answer.json()
    return body
