"""The application that hosts the users, as far as events go: it takes them, over real HTTP, or doesn't."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.simulator import PATIENCE, served

SECRET = "ZXZlbnRzLW9mLXRlc3RzLTAxMjM0NTY3ODkrLw"
PATH = "/otp-auth/events"


@dataclass
class Taken:
    """One request."""

    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.content)
        return body

    @property
    def timestamp(self) -> int:
        return int(self.headers["webhook-timestamp"])

    def is_signed(self, secret: str = SECRET) -> bool:
        """Whether `id.timestamp.body` is signed, as Standard Webhooks has it."""
        event_id, timestamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = b".".join([event_id.encode(), timestamp.encode(), self.content])
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        return self.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@dataclass
class Application:
    """Answers each event with `status`, and keeps those it took and those it refused."""

    url: str = ""
    status: int = 204
    taken: list[Taken] = field(default_factory=list)
    refused: list[Taken] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # paths that nobody should ask
    go_on: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: nobody gets an answer
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    queue: asyncio.Queue[Taken] = field(default_factory=asyncio.Queue)
    refusals: asyncio.Queue[Taken] = field(default_factory=asyncio.Queue)

    async def next(self) -> Taken:
        async with asyncio.timeout(PATIENCE):
            return await self.queue.get()

    async def next_refused(self) -> Taken:
        async with asyncio.timeout(PATIENCE):
            return await self.refusals.get()

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.taken]

    async def answer(self, request: Request) -> Response:
        if request.url.path != PATH:
            self.elsewhere.append(request.url.path)
            return Response()
        event = Taken(dict(request.headers), await request.body())
        self.asked.set()
        await self.go_on.wait()
        is_taken = 200 <= self.status < 300
        (self.taken if is_taken else self.refused).append(event)
        (self.queue if is_taken else self.refusals).put_nowait(event)
        return Response(status_code=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def listening_application() -> AsyncIterator[Application]:
    application = Application()
    application.go_on.set()
    route = Route("/{path:path}", application.answer, methods=["GET", "POST"])
    async with served(Starlette(routes=[route])) as address:
        application.url = f"{address}{PATH}"
        yield application
        application.go_on.set()
