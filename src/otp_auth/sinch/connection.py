"""One call to Sinch: signed, bounded in time, never repeated, and not made at all while Sinch is down."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from loguru import logger
from pydantic import BaseModel

from otp_auth.settings import SinchSettings
from otp_auth.sinch.answers import Failure, is_answer, read
from otp_auth.sinch.breaker import Breaker, Clock
from otp_auth.sinch.outcomes import Unavailable
from otp_auth.sinch.signing import decode_secret, signature
from otp_auth.tls import tls_context

PATH = "/verification/v1/verifications"
CONTENT_TYPE = "application/json"
# Nothing had left this machine when these happened.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# Servers drop idle connections after some seconds (5 is usual): a start must not be lost on one of them.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2)

A = TypeVar("A", bound=BaseModel)


class SinchConnection:
    """Asks Sinch, and reads what it says."""

    def __init__(
        self, http: httpx.AsyncClient, settings: SinchSettings, clock: Clock = time.monotonic
    ) -> None:
        self._http = http
        self._breaker = Breaker(settings, clock)
        self._base_url = settings.base_url.rstrip("/")
        self._prefix = urlsplit(self._base_url).path
        self._timeout = settings.timeout.total_seconds()
        self._is_signed = settings.authentication == "signed"
        self._application_key = settings.application_key.get_secret_value()
        self._application_secret = settings.application_secret.get_secret_value()
        self._signing_key = decode_secret(self._application_secret) if self._is_signed else b""

    @property
    def is_down(self) -> bool:
        """A call now would end at once, in `Unavailable(reached=False)`. False when a probe is due."""
        return not self._breaker.lets_through

    async def ask(
        self,
        verb: str,
        path: str,
        shape: type[A],
        body: object = None,
        language: str | None = None,
    ) -> A | Failure | Unavailable:
        """Send one request, unless Sinch is down. `shape` is that of a 200."""
        with self._breaker.call() as call:
            if call is None:
                return Unavailable(reached=False)
            answer = await self._send(verb, path, shape, body, language)
            call.was_answered = is_answer(answer)
            return answer

    async def _send(
        self, verb: str, path: str, shape: type[A], body: object, language: str | None
    ) -> A | Failure | Unavailable:
        content = json.dumps(body).encode() if body is not None else b""
        headers = self._headers(verb, f"{PATH}{path}", content)
        if language:
            headers["Accept-Language"] = language
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.request(
                    verb, f"{self._base_url}{PATH}{path}", content=content, headers=headers
                )
        except (httpx.HTTPError, TimeoutError) as error:
            logger.warning("Sinch did not answer", verb=verb, cause=type(error).__name__)
            return Unavailable(reached=not isinstance(error, _BEFORE_SENDING))
        return read(response, shape)

    def _headers(self, verb: str, path: str, content: bytes) -> dict[str, str]:
        if not self._is_signed:
            pair = base64.b64encode(f"{self._application_key}:{self._application_secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}", "Content-Type": CONTENT_TYPE}
        timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signed = signature(
            self._signing_key,
            verb=verb,
            path=httpx.URL(f"http://sinch{self._prefix}{path}").path,  # percent-decoded
            body=content,
            content_type=CONTENT_TYPE,
            timestamp=timestamp,
        )
        return {
            "Authorization": f"Application {self._application_key}:{signed}",
            "Content-Type": CONTENT_TYPE,
            "x-timestamp": timestamp,
        }


def new_http_client(settings: SinchSettings) -> httpx.AsyncClient:
    """Make the one HTTP client of the process: no redirects, no proxy from the environment, TLS verified."""
    timeout = httpx.Timeout(
        settings.timeout.total_seconds(), connect=settings.connect_timeout.total_seconds()
    )
    return httpx.AsyncClient(
        timeout=timeout, limits=LIMITS, verify=tls_context(), follow_redirects=False, trust_env=False
    )
