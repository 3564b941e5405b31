"""A callback URL: what the simulator calls, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from simulator_client import KEY, SECRET
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otp_auth.sinch.signing import decode_secret, signature
from support.simulator import PATIENCE, served

PATH = "/hooks/sinch"
ALLOW = {"action": "allow"}
DENY = {"action": "deny"}


@dataclass
class Received:
    """One request to the callback URL."""

    headers: dict[str, str]
    path: str
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.content)
        return body

    def is_signed(self) -> bool:
        signed = signature(
            decode_secret(SECRET),
            verb="POST",
            path=self.path,
            body=self.content,
            content_type=self.headers["content-type"],
            timestamp=self.headers["x-timestamp"],
        )
        return self.headers["authorization"] == f"application {KEY}:{signed}"


@dataclass
class Receiver:
    """Answers every request event the same, and every other one with an empty 200."""

    url: str = ""
    decision: object = field(default_factory=lambda: ALLOW)  # bytes travel as they are
    decisions: list[object] = field(default_factory=list)  # one each, before `decision`
    status: int = 200
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: a request event has to wait
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    queue: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)

    async def next(self) -> Received:
        async with asyncio.timeout(PATIENCE):
            return await self.queue.get()

    async def next_of(self, event: str) -> dict[str, Any]:
        """The next event of that name; others are passed over."""
        while (received := await self.next()).body["event"] != event:
            pass
        return received.body

    async def answer(self, request: Request) -> Response:
        received = Received(dict(request.headers), request.url.path, await request.body())
        self.queue.put_nowait(received)
        if b"VerificationRequestEvent" not in received.content:
            return Response()
        self.asked.set()
        await self.go_on.wait()
        decision = self.decisions.pop(0) if self.decisions else self.decision
        content = decision if isinstance(decision, bytes) else json.dumps(decision).encode()
        return Response(content, self.status, media_type="application/json")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.go_on.set()
    async with served(
        Starlette(routes=[Route("/{path:path}", receiver.answer, methods=["POST"])])
    ) as address:
        receiver.url = f"{address}{PATH}"
        yield receiver
