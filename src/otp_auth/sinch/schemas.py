"""Sinch's JSON: only the fields we read, read tolerantly, for it varies from its documentation."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, StringConstraints


class VerificationMethod(StrEnum):
    """How a code travels, in Sinch's words."""

    SMS = "sms"
    CALLOUT = "callout"
    FLASHCALL = "flashcall"
    WHATSAPP = "whatsapp"

    @property
    def member(self) -> str:
        """The JSON member that carries this method's details."""
        return "flashCall" if self is VerificationMethod.FLASHCALL else self.value


class VerificationStatus(StrEnum):
    """How a verification stands. Sinch may add values: an unknown one is not a success."""

    PENDING = "PENDING"
    SUCCESSFUL = "SUCCESSFUL"
    FAIL = "FAIL"
    DENIED = "DENIED"
    ABORTED = "ABORTED"
    ERROR = "ERROR"


# The end of a verification that did not succeed.
UNSUCCESSFUL = frozenset(VerificationStatus) - {VerificationStatus.PENDING, VerificationStatus.SUCCESSFUL}


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


MethodName = Annotated[str, AfterValidator(str.lower)]  # SDKs write `flashCall`, answers `flashcall`
StatusName = Annotated[str, BeforeValidator(_upper)]  # "the service is not consistent"
# Old ids are decimal numbers, newer ones UUIDs: text to us.
Id = Annotated[str, BeforeValidator(_text_of_number), StringConstraints(min_length=1, max_length=128)]
ErrorCode = Annotated[str, BeforeValidator(_text_of_number), StringConstraints(pattern=r"\A[0-9]{5}\z")]


class StartedVerification(BaseModel, frozen=True):
    """Answer to a start."""

    id: Id


class ReportedVerification(BaseModel, frozen=True):
    """Answer to a report. HTTP 200 does not mean verified: `status` does."""

    id: Id | None = None
    method: MethodName | None = None
    status: StatusName | None = None


class VerificationState(BaseModel, frozen=True):
    """Answer to a status request."""

    id: Id
    method: MethodName | None = None
    status: StatusName


class ErrorAnswer(BaseModel, frozen=True):
    """A refusal: `errorCode` (five digits, the first three an HTTP status) comes as a number or as text.

    Its message is not read: it may quote a phone number.
    """

    errorCode: ErrorCode  # noqa: N815 - Sinch's spelling
