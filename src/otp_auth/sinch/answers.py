"""Reads what Sinch answers. Where an answer is in doubt, it is no answer."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import httpx
from loguru import logger
from pydantic import BaseModel, ValidationError

from otp_auth.sinch.outcomes import Unavailable, Verdict
from otp_auth.sinch.schemas import (
    UNSUCCESSFUL,
    ErrorAnswer,
    ReportedVerification,
    VerificationMethod,
    VerificationStatus,
)

NOT_FOUND = "40400"
WRONG_CODE = frozenset({"40001", "40003", NOT_FOUND})  # wrong, malformed, or of a verification that is over
_DIGITS = 5  # of an error code; a mere HTTP status has three
REFERENCE_TAKEN = "40900"

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Failure:
    """An answer that carries an error."""

    status: int
    error_code: str  # five digits, or the HTTP status when Sinch names none

    @property
    def says_it_failed(self) -> bool:
        """Sinch's own words, and not those of a gateway before it, behind which the work may go on."""
        return not self.is_client_error and len(self.error_code) == _DIGITS

    @property
    def is_client_error(self) -> bool:
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_clear_refusal(self) -> bool:
        """Nothing was done, and nothing would be next time. A taken reference is a start of ours."""
        return self.is_client_error and self.error_code != REFERENCE_TAKEN

    @property
    def says_wrong_code(self) -> bool:
        """An outage is no wrong code, whatever its body says."""
        return self.is_client_error and self.error_code in WRONG_CODE

    @property
    def says_not_found(self) -> bool:
        return self.is_client_error and self.error_code == NOT_FOUND


def read(response: httpx.Response, shape: type[A]) -> A | Failure | Unavailable:
    """Read an answer in the shape that a 200 has."""
    if response.status_code != HTTPStatus.OK:
        failure = Failure(response.status_code, _error_code(response))
        logger.warning("Sinch said no", status=failure.status, sinch_error=failure.error_code)
        return failure
    try:
        return shape.model_validate_json(response.content)
    except ValidationError:
        logger.warning("Sinch gave an answer that can't be read", status=response.status_code)
        return Unavailable(reached=True)


def is_answer(answer: BaseModel | Failure | Unavailable) -> bool:
    """Sinch is there. A server error, a redirect and what can't be read don't show that."""
    if isinstance(answer, Failure):
        return answer.is_client_error
    return not isinstance(answer, Unavailable)


def verdict(
    answer: ReportedVerification, verification_id: str, method: VerificationMethod, number: str | None
) -> Verdict:
    """Unknown means no: another verification, no status or a new one is no proof, and no wrong code."""
    if not _is_about(answer, verification_id, method, number):
        return Verdict.DOUBTFUL
    if answer.status == VerificationStatus.SUCCESSFUL:
        return Verdict.RIGHT
    return Verdict.WRONG if answer.status in UNSUCCESSFUL else Verdict.DOUBTFUL


def _is_about(
    answer: ReportedVerification, verification_id: str, method: VerificationMethod, number: str | None
) -> bool:
    """Say whether id and method are the ones asked for; the number too, where both sides name one."""
    if answer.id != verification_id or answer.method != method.value:
        return False
    if number is None or answer.number is None:
        return True
    return answer.number.removeprefix("+") == number.removeprefix("+")  # Sinch loses the plus at times


def _error_code(response: httpx.Response) -> str:
    try:
        return ErrorAnswer.model_validate_json(response.content).errorCode
    except ValidationError:
        return str(response.status_code)
