"""Sinch's Verification API over HTTPS. Every call ends in one of a few outcomes, and none raises.

An outage never reads as a wrong code, and only an explicit SUCCESSFUL for the verification that was asked
about reads as a right one.
"""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
from loguru import logger
from pydantic import BaseModel

from otp_auth.settings import SinchSettings
from otp_auth.sinch.answers import Failure, read, verdict
from otp_auth.sinch.outcomes import (
    NotFound,
    Refused,
    Started,
    StartOutcome,
    StatusOutcome,
    Unavailable,
    Verdict,
)
from otp_auth.sinch.schemas import (
    ReportedVerification,
    StartedVerification,
    VerificationMethod,
    VerificationState,
)
from otp_auth.sinch.signing import decode_secret, signature

__all__ = [
    "NotFound",
    "Refused",
    "SinchVerificationClient",
    "StartOutcome",
    "Started",
    "StatusOutcome",
    "Unavailable",
    "Verdict",
    "new_http_client",
]

PATH = "/verification/v1/verifications"
CONTENT_TYPE = "application/json"
# Nothing had left this machine when these happened.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# Servers drop idle connections after some seconds (5 is usual): a start must not be lost on one of them.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2)

A = TypeVar("A", bound=BaseModel)


class SinchVerificationClient:
    """Start verifications, report codes, ask for their status. Times out; never retries."""

    def __init__(self, http: httpx.AsyncClient, settings: SinchSettings) -> None:
        self._http = http
        self._base_url = settings.base_url.rstrip("/")
        self._prefix = urlsplit(self._base_url).path
        self._timeout = settings.timeout.total_seconds()
        self._is_signed = settings.authentication == "signed"
        self._application_key = settings.application_key.get_secret_value()
        self._application_secret = settings.application_secret.get_secret_value()
        self._signing_key = decode_secret(self._application_secret) if self._is_signed else b""

    async def start(
        self, *, method: VerificationMethod, number: str, reference: str, locale: str | None = None
    ) -> StartOutcome:
        """Send a code to a number (E.164). It costs money: after an unclear outcome look `reference` up.

        `reference` is ours and new for each start; `locale` is an Accept-Language value.
        """
        body = {
            "identity": {"type": "number", "endpoint": number},
            "method": method.value,
            "reference": reference,
        }
        answer = await self._call("POST", "", StartedVerification, body, language=locale)
        match answer:
            case StartedVerification(id=verification_id):
                return Started(verification_id)
            case Failure() if answer.is_clear_refusal:
                return Refused(answer.error_code)
            case Failure():
                return Unavailable(reached=True)
        return answer

    async def report(self, *, verification_id: str, method: VerificationMethod, code: str) -> Verdict:
        """Ask whether a code is right. By id, so that no phone number stands in an address or a log."""
        details = {"cli": code} if method is VerificationMethod.FLASHCALL else {"code": code}
        body = {"method": method.value, method.member: details}
        answer = await self._call("PUT", f"/id/{quote(verification_id, safe='')}", ReportedVerification, body)
        match answer:
            case ReportedVerification():
                return verdict(answer, verification_id, method)
            case Failure() if answer.says_wrong_code:
                return Verdict.WRONG
            case Failure() if answer.is_clear_refusal:
                return Verdict.REFUSED
        return Verdict.UNAVAILABLE

    async def status_by_id(self, verification_id: str) -> StatusOutcome:
        """Ask how a verification stands."""
        return await self._status(f"/id/{quote(verification_id, safe='')}")

    async def status_by_reference(self, reference: str) -> StatusOutcome:
        """Ask how the verification stands that was started with our `reference`."""
        return await self._status(f"/reference/{quote(reference, safe='')}")

    async def _status(self, path: str) -> StatusOutcome:
        answer = await self._call("GET", path, VerificationState)
        match answer:
            case Failure() if answer.says_not_found:
                return NotFound()
            case Failure() if answer.is_clear_refusal:
                return Refused(answer.error_code)
            case Failure():
                return Unavailable(reached=True)
        return answer

    async def _call(
        self,
        verb: str,
        path: str,
        shape: type[A],
        body: object = None,
        language: str | None = None,
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
    return httpx.AsyncClient(timeout=timeout, limits=LIMITS, follow_redirects=False, trust_env=False)
