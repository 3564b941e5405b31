"""Sinch's Verification API over HTTPS. Every call ends in one of a few outcomes, and none raises.

An outage never reads as a wrong code, and only an explicit SUCCESSFUL for the verification that was asked
about reads as a right one.
"""

import time
from collections import deque
from random import Random
from urllib.parse import quote

import httpx

from otp_auth.settings import SinchSettings
from otp_auth.sinch.answers import Failure, verdict
from otp_auth.sinch.breaker import Clock
from otp_auth.sinch.connection import SinchConnection, new_http_client
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

USUAL_START = (0.2, 0.5)  # seconds, before there was one
REMEMBERED_STARTS = 20
# Where a start says of what kind Sinch's code shall be; calls always speak digits.
_CODE_TYPE_OPTIONS = {VerificationMethod.SMS: "smsOptions", VerificationMethod.WHATSAPP: "whatsappOptions"}


class SinchVerificationClient:
    """Start verifications, report codes, ask for their status. Times out; never retries."""

    def __init__(
        self, http: httpx.AsyncClient, settings: SinchSettings, clock: Clock = time.monotonic
    ) -> None:
        self._connection = SinchConnection(http, settings, clock)
        self._is_alphanumeric = settings.code_type == "alphanumeric"
        self._clock = clock
        self._start_seconds: deque[float] = deque(maxlen=REMEMBERED_STARTS)

    @property
    def is_down(self) -> bool:
        """Sinch isn't asked now: a call would end at once. False when the next one may be a probe."""
        return self._connection.is_down

    def typical_start_seconds(self, random: Random) -> float:
        """Draw from how long the last starts took, so that an answer without one can take as long."""
        return random.choice(self._start_seconds) if self._start_seconds else random.uniform(*USUAL_START)

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
            **self._code_type(method),
        }
        began_at = self._clock()
        answer = await self._connection.ask("POST", "", StartedVerification, body, language=locale)
        if not isinstance(answer, Unavailable) or answer.reached:
            self._start_seconds.append(self._clock() - began_at)
        match answer:
            case StartedVerification(id=verification_id):
                return Started(verification_id)
            case Failure() if answer.is_clear_refusal:
                return Refused(answer.error_code)
            case Failure():
                return Unavailable(reached=True, failed=answer.says_it_failed)
        return answer

    async def report(
        self, *, verification_id: str, method: VerificationMethod, code: str, number: str | None = None
    ) -> Verdict:
        """Ask whether a code is right. By id, so that no phone number stands in an address or a log.

        `code` is the caller's whole number for a flash call. An answer for another number than `number` is
        no proof.
        """
        details = {"cli": code} if method is VerificationMethod.FLASHCALL else {"code": code}
        body = {"method": method.value, method.member: details}
        path = f"/id/{quote(verification_id, safe='')}"
        answer = await self._connection.ask("PUT", path, ReportedVerification, body)
        match answer:
            case ReportedVerification():
                return verdict(answer, verification_id, method, number)
            case Failure() if answer.says_wrong_code:
                return Verdict.WRONG
            case Failure() if answer.is_client_error:
                return Verdict.REFUSED
        return Verdict.UNAVAILABLE

    async def status_by_id(self, verification_id: str) -> StatusOutcome:
        """Ask how a verification stands."""
        return await self._status(f"/id/{quote(verification_id, safe='')}")

    async def status_by_reference(self, reference: str) -> StatusOutcome:
        """Ask how the verification stands that was started with our `reference`."""
        return await self._status(f"/reference/{quote(reference, safe='')}")

    async def _status(self, path: str) -> StatusOutcome:
        answer = await self._connection.ask("GET", path, VerificationState)
        match answer:
            case Failure() if answer.says_not_found:
                return NotFound()
            case Failure() if answer.is_clear_refusal:
                return Refused(answer.error_code)
            case Failure():
                return Unavailable(reached=True)
        return answer

    def _code_type(self, method: VerificationMethod) -> dict[str, object]:
        if not self._is_alphanumeric or method not in _CODE_TYPE_OPTIONS:
            return {}
        return {_CODE_TYPE_OPTIONS[method]: {"codeType": "Alphanumeric"}}
