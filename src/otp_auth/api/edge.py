"""The outermost layer: request ids, security headers, one log line a request, and no exception past it."""

import re
import time
from collections.abc import Iterable
from secrets import token_hex

from loguru import logger
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otp_auth.api.problems import internal_error
from otp_auth.api.route_table import patterns
from otp_auth.logs import request_id

_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
HSTS = "max-age=63072000; includeSubDomains"


class Edge:
    """The outermost layer around everything. Headers that a route sets itself stay as they are."""

    def __init__(self, app: ASGIApp, *, in_production: bool, unguarded: Iterable[str] = ()) -> None:
        """`unguarded` are path prefixes of mounted applications with headers and logs of their own."""
        self._app = app
        self._headers = HEADERS | ({"Strict-Transport-Security": HSTS} if in_production else {})
        self._unguarded = tuple(unguarded)
        self._patterns: dict[int, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_guarded(scope, self._unguarded):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(send, _request_id(scope), self._headers)
        token = request_id.set(exchange.request_id)
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            exchange.log(scope["method"], self._pattern(scope))
            request_id.reset(token)

    def _pattern(self, scope: Scope) -> str:
        """The route's pattern, never the address with its ids."""
        if self._patterns is None:  # the routes are complete only after this layer was added
            self._patterns = patterns(scope["app"])
        return self._patterns.get(id(scope.get("route")), "unmatched")


class LastResort:
    """Answers what nobody else caught: a person gets a problem, the log the cause."""

    def __init__(self, app: ASGIApp, *, unguarded: Iterable[str] = ()) -> None:
        self._app = app
        self._unguarded = tuple(unguarded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_guarded(scope, self._unguarded):
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            logger.opt(exception=True).error("unhandled exception")
            if has_begun:
                raise  # half an answer is out: the server must break the connection
            await internal_error(Request(scope, receive))(scope, receive, send)


def _is_guarded(scope: Scope, unguarded: tuple[str, ...]) -> bool:
    return scope["type"] == "http" and not any(
        scope["path"] == prefix or scope["path"].startswith(f"{prefix}/") for prefix in unguarded
    )


class _Exchange:
    """One request and its answer."""

    def __init__(self, send: Send, identifier: str, headers: dict[str, str]) -> None:
        self.request_id = identifier
        self.status: int | None = None
        self._send = send
        self._headers = headers
        self._started = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)

    def log(self, method: str, route: str) -> None:
        """Write what was asked for."""
        logger.info(
            "request",
            method=method,
            route=route,
            status=self.status,
            milliseconds=round((time.perf_counter() - self._started) * 1000, 1),
        )


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _SAFE_REQUEST_ID.fullmatch(given) else token_hex(16)
