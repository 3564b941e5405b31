"""Sinch's JSON: only the fields we read, read tolerantly, for it varies from its documentation."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)


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


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _none_if_unreadable(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


MethodName = Annotated[str, AfterValidator(str.lower)]  # SDKs write `flashCall`, answers `flashcall`
StatusName = Annotated[str, BeforeValidator(_upper)]  # "the service is not consistent"
# Old ids are decimal numbers, newer ones UUIDs: text to us.
Id = Annotated[str, BeforeValidator(_text_of_number), StringConstraints(pattern=r"\A[!-~]{1,128}\z")]
ErrorCode = Annotated[str, BeforeValidator(_text_of_number), StringConstraints(pattern=r"\A[0-9]{5}\z")]

IfReadable = WrapValidator(_none_if_unreadable)  # on what may be missing: rubbish there spoils nothing else
PrintableText = Annotated[str, StringConstraints(pattern=r"\A[^\x00]*\z")]  # no database holds a NUL
OptionalText = Annotated[PrintableText | None, BeforeValidator(_text_of_number), IfReadable]
Currency = Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=r"\A[A-Z]{3}\z")]  # ISO 4217


class Price(BaseModel, frozen=True, populate_by_name=True):
    """What a verification costs."""

    currency: Currency = Field(validation_alias="currencyId")
    amount: Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


OptionalPrice = Annotated[Price | None, IfReadable]


class StartedVerification(BaseModel, frozen=True):
    """Answer to a start."""

    id: Id


class ReportedVerification(BaseModel, frozen=True, populate_by_name=True):
    """Answer to a report. HTTP 200 does not mean verified: `status` does."""

    id: Id | None = None
    method: Annotated[MethodName | None, IfReadable] = None
    status: Annotated[StatusName | None, IfReadable] = None
    number: OptionalText = Field(None, validation_alias=AliasPath("identity", "endpoint"))


class VerificationState(BaseModel, frozen=True, populate_by_name=True):
    """Answer to a status request."""

    id: Id
    method: MethodName | None = None
    status: StatusName
    reason: OptionalText = None  # Sinch's words, when it did not succeed
    number: OptionalText = Field(None, validation_alias=AliasPath("identity", "endpoint"))
    # Comes late, never while PENDING.
    price: OptionalPrice = Field(None, validation_alias=AliasPath("price", "verificationPrice"))


class ErrorAnswer(BaseModel, frozen=True):
    """A refusal: `errorCode` (five digits, the first three an HTTP status) comes as a number or as text.

    Its message is not read: it may quote a phone number.
    """

    errorCode: ErrorCode  # noqa: N815 - Sinch's spelling
