"""Who may ask: Basic or application-signed requests (Sinch Verification API, "Authentication")."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from fastapi import Request

from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.sinch.signing import signature


@dataclass(frozen=True)
class Credentials:
    """The one application that the simulator knows."""

    application_key: str
    application_secret: str  # as the dashboard shows it
    signing_key: bytes  # what is inside of it


@dataclass(frozen=True)
class Level:
    """What an application demands of its requests. Public ones come from devices, which start and report."""

    minimum: Literal["public", "basic", "signed"]
    timestamp_window: timedelta  # either way; Sinch doesn't publish its own
    has_callback: bool


async def authorize(request: Request, credentials: Credentials, level: Level) -> None:
    """Let a request pass whose authentication is good, and good enough. Raises RefusalError for any other."""
    header = request.headers.get("authorization", "")
    if not header:
        raise RefusalError(Refusal.NO_AUTHORIZATION)
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "basic":
            _check_basic(value.strip(), credentials)
            if level.minimum == "signed":
                raise RefusalError(Refusal.LEVEL)
        case "application":
            if ":" in value:
                await _check_application(request, value.strip(), credentials, level.timestamp_window)
            else:
                _check_public(request, value.strip(), credentials, level)
        case _:
            raise RefusalError(Refusal.INVALID_HEADER)


def _check_basic(value: str, credentials: Credentials) -> None:
    try:
        pair = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise RefusalError(Refusal.INVALID_HEADER) from None
    expected = f"{credentials.application_key}:{credentials.application_secret}".encode()
    if not hmac.compare_digest(pair, expected):
        raise RefusalError(Refusal.INVALID_AUTHORIZATION)


def _check_public(request: Request, key: str, credentials: Credentials, level: Level) -> None:
    """Somebody shows the key alone: the callback has to decide, and no status is told."""
    _check_key(key, credentials)
    if not level.has_callback:
        raise RefusalError(Refusal.NO_CALLBACK)
    if level.minimum != "public" or request.method == "GET":
        raise RefusalError(Refusal.LEVEL)


def _check_key(key: str, credentials: Credentials) -> None:
    if not hmac.compare_digest(key.encode(), credentials.application_key.encode()):
        raise RefusalError(Refusal.INVALID_AUTHORIZATION)


async def _check_application(
    request: Request, value: str, credentials: Credentials, window: timedelta
) -> None:
    key, _, given = value.partition(":")
    _check_key(key, credentials)
    timestamp = request.headers.get("x-timestamp", "")
    _check_age(timestamp, window)
    body = await request.body()
    # All are compared, so that the time taken doesn't tell which of them came close.
    matches = [
        hmac.compare_digest(given.encode(), _expected(request, path, body, timestamp, credentials).encode())
        for path in _signable_paths(request)
    ]
    if not any(matches):
        raise RefusalError(Refusal.INVALID_SIGNATURE)


def _expected(request: Request, path: str, body: bytes, timestamp: str, credentials: Credentials) -> str:
    return signature(
        credentials.signing_key,
        verb=request.method,
        path=path,
        body=body,
        content_type=request.headers.get("content-type", ""),
        timestamp=timestamp,
    )


def _signable_paths(request: Request) -> set[str]:
    """Return what SDKs may have signed: decoded or as it travels, with the mount's prefix or without."""
    prefix = request.scope.get("root_path", "")
    whole = {request.scope["path"], request.scope.get("raw_path", b"").decode("latin-1")}
    return whole | {path.removeprefix(prefix) for path in whole}


def _check_age(timestamp: str, window: timedelta) -> None:
    if not timestamp:
        raise RefusalError(Refusal.TIMESTAMP)
    try:
        made_at = datetime.fromisoformat(timestamp)
    except ValueError:
        raise RefusalError(Refusal.TIMESTAMP, "X-Timestamp must be an ISO 8601 time in UTC") from None
    if made_at.tzinfo is None:
        made_at = made_at.replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - made_at) > window:
        raise RefusalError(Refusal.TIMESTAMP, "X-Timestamp is too old or in the future: check the clock")
