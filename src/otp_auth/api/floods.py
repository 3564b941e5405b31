"""Floods: how many requests one network may make to a group of routes. Courtesy, not security.

What costs money or allows guesses is counted in the database; when the store of these counters dies,
they go on in memory and say so in the log.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from otp_auth.api.client_address import client_network
from otp_auth.errors import RetryLaterError
from otp_auth.settings import Settings

Gate = Callable[[Request], Awaitable[None]]


class RateLimitedError(RetryLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"
    title = "Too many requests"
    detail = "Too many requests from your network. Try again after the time in Retry-After."


class RouteGroup(StrEnum):
    """Routes that share a counter; each is a setting of `OTP_AUTH_RATE_LIMITS__…`."""

    CREDENTIALS = "credentials"
    CODES = "codes"
    TOKENS = "tokens"
    ACCOUNT = "account"
    SERVICES = "services"


def new_gates(settings: Settings) -> dict[RouteGroup, Gate]:
    """Make the gates of one application; several in one process don't share counters."""
    limiter = Limiter(key_func=_counted_for, enabled=settings.rate_limits.enabled, **_storage(settings))
    return {group: _new_gate(limiter, group, getattr(settings.rate_limits, group)) for group in RouteGroup}


def _counted_for(request: Request) -> str:
    return client_network(request) or "unknown"


def limited(group: RouteGroup) -> Dependency:
    """A dependency that counts the request. Raises RateLimitedError."""

    async def pass_gate(request: Request) -> None:
        await count_request(request, group)

    return Depends(pass_gate)  # type: ignore[no-any-return]


async def count_request(request: Request, group: RouteGroup) -> None:
    """Count it for its network. Raises RateLimitedError."""
    try:
        await request.app.state.gates[group](request)
    except RateLimitExceeded as exceeded:
        raise RateLimitedError(retry_after=_window(exceeded)) from None


def _window(exceeded: RateLimitExceeded) -> int:
    """Seconds after which the counter has surely begun anew."""
    return exceeded.limit.limit.get_expiry() if exceeded.limit else 1


def _new_gate(limiter: Limiter, group: RouteGroup, rate: str) -> Gate:
    async def gate(request: Request) -> None:
        """Let the request through, or raise RateLimitExceeded."""

    gate.__name__ = f"gate_{group}"  # slowapi tells limits apart by the function's name
    limited_gate: Gate = limiter.shared_limit(rate, scope=group.value)(gate)
    return limited_gate


def _storage(settings: Settings) -> dict[str, Any]:
    redis_url = settings.redis_url.get_secret_value()
    if not redis_url:
        return {"storage_uri": "memory://"}
    # The counters are asked synchronously: a store that hangs may hold the loop only for a moment.
    timeouts = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}
    return {"storage_uri": redis_url, "storage_options": timeouts, "in_memory_fallback_enabled": True}
