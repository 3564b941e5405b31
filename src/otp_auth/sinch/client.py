"""Sinch's Verification API over HTTPS. Every call ends in one of a few outcomes, and none raises.

An outage never reads as a wrong code, and only an explicit SUCCESSFUL for the verification that was asked
about reads as a right one.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
from loguru import logger
from pydantic import BaseModel, ValidationError

from otp_auth.settings import SinchSettings
from otp_auth.sinch.schemas import (
    UNSUCCESSFUL,
    ErrorAnswer,
    ReportedVerification,
    StartedVerification,
    VerificationMethod,
    VerificationState,
    VerificationStatus,
)
from otp_auth.sinch.signing import decode_secret, signature

PATH = "/verification/v1/verifications"
CONTENT_TYPE = "application/json"
NOT_FOUND = "40400"
WRONG_CODE = frozenset({"40001", "40003", NOT_FOUND})  # wrong, malformed, or of a verification that is over
REFERENCE_TAKEN = "40900"
# Nothing had left this machine when these happened.
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Started:
    """Sinch has taken the message."""

    verification_id: str


@dataclass(frozen=True)
class Refused:
    """Sinch has said no: nothing was sent, and asking again is no use."""

    error_code: str


@dataclass(frozen=True)
class Unavailable:
    """No usable answer. `reached`: the request may have been carried out all the same."""

    reached: bool


@dataclass(frozen=True)
class NotFound:
    """Sinch knows no such verification."""


class Verdict(Enum):
    """What Sinch says of a code."""

    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"  # our credentials or our request, not the code
    UNAVAILABLE = "unavailable"


StartOutcome = Started | Refused | Unavailable
StatusOutcome = VerificationState | NotFound | Refused | Unavailable


@dataclass(frozen=True)
class _Failure:
    """An answer that carries an error."""

    status: int
    error_code: str  # five digits, or the HTTP status when Sinch names none


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
            case _Failure() if _is_clear_refusal(answer):
                return Refused(answer.error_code)
            case _Failure():
                return Unavailable(reached=True)
        return answer

    async def report(self, *, verification_id: str, method: VerificationMethod, code: str) -> Verdict:
        """Ask whether a code is right. By id, so that no phone number stands in an address or a log."""
        details = {"cli": code} if method is VerificationMethod.FLASHCALL else {"code": code}
        body = {"method": method.value, method.member: details}
        answer = await self._call("PUT", f"/id/{quote(verification_id, safe='')}", ReportedVerification, body)
        match answer:
            case ReportedVerification():
                return _verdict(answer, verification_id, method)
            case _Failure(error_code=error_code) if error_code in WRONG_CODE:
                return Verdict.WRONG
            case _Failure() if _is_clear_refusal(answer):
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
            case _Failure(error_code=error_code) if error_code == NOT_FOUND:
                return NotFound()
            case _Failure() if _is_clear_refusal(answer):
                return Refused(answer.error_code)
            case _Failure():
                return Unavailable(reached=True)
        return answer

    async def _call(
        self,
        verb: str,
        path: str,
        shape: type[A],
        body: object = None,
        language: str | None = None,
    ) -> A | _Failure | Unavailable:
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
        return _read(response, shape)

    def _headers(self, verb: str, path: str, content: bytes) -> dict[str, str]:
        if not self._is_signed:
            pair = base64.b64encode(f"{self._application_key}:{self._application_secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}", "Content-Type": CONTENT_TYPE}
        timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        signed = signature(
            decode_secret(self._application_secret),
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
    return httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)


def _read(response: httpx.Response, shape: type[A]) -> A | _Failure | Unavailable:
    if response.status_code != HTTPStatus.OK:
        failure = _Failure(response.status_code, _error_code(response))
        logger.warning("Sinch said no", status=failure.status, sinch_error=failure.error_code)
        return failure
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        logger.warning("Sinch gave an answer that can't be read", status=response.status_code)
        return Unavailable(reached=True)


def _error_code(response: httpx.Response) -> str:
    try:
        return ErrorAnswer.model_validate_json(response.content).errorCode
    except ValidationError:
        return str(response.status_code)


def _is_clear_refusal(failure: _Failure) -> bool:
    """Say whether nothing was done and nothing would be next time. A taken reference is a start of ours."""
    is_client_error = HTTPStatus(400) <= failure.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_client_error and failure.error_code != REFERENCE_TAKEN


def _verdict(answer: ReportedVerification, verification_id: str, method: VerificationMethod) -> Verdict:
    """Unknown means no: another id or method, no status or a new one is no proof, and no wrong code."""
    if answer.id != verification_id or answer.method != method.value:
        return Verdict.UNAVAILABLE
    if answer.status == VerificationStatus.SUCCESSFUL:
        return Verdict.RIGHT
    return Verdict.WRONG if answer.status in UNSUCCESSFUL else Verdict.UNAVAILABLE
