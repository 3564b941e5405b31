"""What the tests of the Sinch client share: its settings, and Sinch's side of the wire as Sinch sees it."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import respx
from pydantic import SecretStr

from otp_auth.settings import SinchSettings
from otp_auth.sinch.client import SinchVerificationClient, new_http_client
from otp_auth.sinch.signing import decode_secret, signature

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SECRET = "AAECAwQFBgcICQoLDA0ODw=="
BASE_URL = "https://sinch.test"
VERIFICATIONS = "/verification/v1/verifications"
NUMBER = "+46700000000"
ID = "01990c5e-7a10-7c3e-9d54-2f6b7f0e9a11"
REFERENCE = "login-7f3a"
CODE = "4711"


def sinch_settings(**changes: Any) -> SinchSettings:
    return SinchSettings(
        **{
            "application_key": SecretStr(KEY),
            "application_secret": SecretStr(SECRET),
            "base_url": BASE_URL,
            "connect_timeout": timedelta(seconds=2),
            **changes,
        }
    )


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def sinch_client(
    clock: Callable[[], float] = time.monotonic, **changes: Any
) -> AsyncIterator[SinchVerificationClient]:
    """The real client above the real HTTP client of the process."""
    settings = sinch_settings(**changes)
    async with new_http_client(settings) as http:
        yield SinchVerificationClient(http, settings, clock)


@pytest.fixture
async def sinch() -> AsyncIterator[SinchVerificationClient]:
    async with sinch_client() as client:
        yield client


@pytest.fixture
def sinch_api() -> Iterator[respx.MockRouter]:
    """Sinch's HTTP API; a call that nobody expects fails the test, and so does an answer nobody fetches."""
    with respx.mock() as api:
        yield api


def sent(route: respx.Route) -> httpx.Request:
    """The one request that came."""
    assert route.call_count == 1
    request: httpx.Request = route.calls.last.request
    return request


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)


def failure(error_code: object, message: str = "no") -> dict[str, object]:
    return {"errorCode": error_code, "message": message, "reference": "c01dc0de"}


def is_signed(request: httpx.Request) -> bool:
    """Check a request as Sinch does: with the body and the headers that travelled."""
    expected = signature(
        decode_secret(SECRET),
        verb=request.method,
        path=unquote(urlsplit(str(request.url)).path),
        body=request.content,
        content_type=request.headers["content-type"],
        timestamp=request.headers["x-timestamp"],
    )
    return bool(request.headers["authorization"] == f"Application {KEY}:{expected}")
