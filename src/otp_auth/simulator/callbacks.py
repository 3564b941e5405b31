"""Requests to the callback URL. The only place where the simulator speaks HTTP to others."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import httpx


@dataclass(frozen=True)
class Reply:
    """What came back. `status` is None when nothing did, and `problem` says why."""

    status: int | None
    body: bytes = b""
    problem: str | None = None


class CallbackClient:
    """Posts, without redirects, proxies or a second try."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout.total_seconds()
        self._http: httpx.AsyncClient | None = None

    async def post(self, url: str, content: bytes, headers: dict[str, str]) -> Reply:
        """Send one event. Never raises: an answer that doesn't come is a reply too."""
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client().post(url, content=content, headers=headers)
        except TimeoutError:
            return Reply(None, problem="too slow")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Reply(None, problem=f"unreachable: {type(error).__name__}")
        return Reply(response.status_code, response.content)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            # Connections aren't kept: nobody has to close them when the loop ends.
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
            self._http = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False)  # noqa: S113 - bounded above
        return self._http
