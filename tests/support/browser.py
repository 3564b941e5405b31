"""A browser, as far as cookies go: it keeps them by itself, for all of its tabs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import httpx

from support.service import API, PUBLIC_URL, Json, Service

COOKIE = "refresh"  # the name in development
COOKIE_MODE = {"X-Token-Transport": "cookie"}


@dataclass(frozen=True)
class Browser:
    """What a page of ours does, in cookie mode unless told otherwise."""

    service: Service
    http: httpx.AsyncClient

    async def post(
        self, path: str, json: Any = None, token: str | None = None, mode: dict[str, str] | None = None
    ) -> httpx.Response:
        headers = COOKIE_MODE if mode is None else mode
        if token:
            headers = headers | {"Authorization": f"Bearer {token}"}
        return await self.http.post(f"{API}{path}", json=json, headers=headers)

    async def verify(self, pending: Json, number: str) -> httpx.Response:
        code = await self.service.simulator.code(number)
        return await self.post("/auth/otp/verify", {"code": code}, pending["pending_token"])

    async def register(self, number: str) -> Json:
        answer = await self.verify(await self.service.start_registration(number), number)
        return granted(answer)

    async def log_in(self, number: str) -> Json:
        return granted(await self.verify(await self.service.start_login(number), number))

    async def refresh(self, json: Any = None, mode: dict[str, str] | None = None) -> httpx.Response:
        return await self.post("/auth/token/refresh", json, mode=mode)

    async def log_out(
        self, json: Any = None, token: str | None = None, mode: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.post("/auth/logout", json, token, mode)

    @property
    def cookie(self) -> str | None:
        """The refresh token that the browser holds."""
        return self.http.cookies.get(COOKIE)

    def put(self, token: str) -> None:
        """Have it hold this one."""
        self.http.cookies.clear()
        self.http.cookies.set(COOKIE, token)


@asynccontextmanager
async def opened_browser(service: Service) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield Browser(service, http)


def granted(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def set_cookie(answer: httpx.Response) -> dict[str, str]:
    """The attributes of the one cookie that is set, with its name and value."""
    [header] = answer.headers.get_list("set-cookie")
    [(name, morsel)] = SimpleCookie(header).items()
    given = {part.partition("=")[0].strip().lower() for part in header.split(";")[1:]}
    return {"name": name, "value": morsel.value} | {key: str(morsel[key]) for key in given}
