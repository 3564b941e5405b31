"""Sinch's events: who sent them, what they say, and what a request event is answered."""

import hmac
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import AliasPath, BaseModel, Field, StringConstraints, ValidationError

from otp_auth.settings import SinchSettings
from otp_auth.sinch.schemas import (
    Id,
    IfReadable,
    MethodName,
    OptionalPrice,
    OptionalText,
    StatusName,
    VerificationMethod,
)
from otp_auth.sinch.signing import decode_secret, signature

# A callback's code may only stand in these; the other methods keep Sinch's own ("Callbacks").
TAKES_OUR_CODE = frozenset({VerificationMethod.SMS, VerificationMethod.CALLOUT})
DENY: Final[dict[str, object]] = {"action": "deny"}

_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})"
)

Headers = Sequence[tuple[bytes, bytes]]


class EventNotAuthenticError(Exception):
    """An event that Sinch did not sign, or not now. Its text says why, for the log."""


def authenticate_event(
    settings: SinchSettings,
    *,
    method: str,
    paths: Collection[str],
    headers: Headers,
    body: bytes,
    now: datetime,
) -> None:
    """Return if Sinch signed this request just now. Raises EventNotAuthenticError.

    `headers` are the raw ones, so that a repeated one shows; `paths` are those that Sinch may have signed, as
    they travel and percent-decoded; `now` is aware.
    """
    given = _signature_of(_only(headers, "authorization"), settings.application_key.get_secret_value())
    timestamp = _only(headers, "x-timestamp")
    content_type = _only(headers, "content-type")
    key = _signing_key(settings)
    expected = [
        signature(key, verb=method, path=path, body=body, content_type=content_type, timestamp=timestamp)
        for path in paths
    ]
    # All are compared, so that the time taken doesn't tell which of them came close.
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in expected]
    if not any(matches):
        raise EventNotAuthenticError("the signature does not match")
    if abs(now - _time_of(timestamp)) > settings.callback_window:
        raise EventNotAuthenticError("x-timestamp is stale or in the future")


def _only(headers: Headers, name: str) -> str:
    values = [value for key, value in headers if key.lower() == name.encode()]
    if len(values) != 1:
        raise EventNotAuthenticError(f"{name} {'is repeated' if values else 'is missing'}")
    try:
        return values[0].decode("ascii")
    except UnicodeDecodeError:
        raise EventNotAuthenticError(f"{name} is not ASCII") from None


def _signature_of(authorization: str, application_key: str) -> str:
    scheme, _, value = authorization.partition(" ")
    key, _, given = value.strip().partition(":")
    if scheme.lower() != "application":
        raise EventNotAuthenticError("the scheme is not application")
    if not hmac.compare_digest(key.encode(), application_key.encode()):
        raise EventNotAuthenticError("the application key is another one")
    return given


def _signing_key(settings: SinchSettings) -> bytes:
    """Return the key to check with. An empty one would let everybody sign."""
    try:
        key = decode_secret(settings.application_secret.get_secret_value())
    except ValueError:
        key = b""
    if not key:
        raise EventNotAuthenticError("no application secret to check with")
    return key


def _time_of(timestamp: str) -> datetime:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise EventNotAuthenticError("x-timestamp can't be read")
    try:
        return datetime.fromisoformat(timestamp)  # drops the seventh digit
    except ValueError:
        raise EventNotAuthenticError("x-timestamp is no time") from None


class Event(BaseModel, frozen=True, populate_by_name=True):
    """What all events tell."""

    id: Id
    event: Annotated[str, StringConstraints(min_length=1, max_length=64)]  # its kind: with `id` it is unique
    method: Annotated[MethodName | None, IfReadable] = None
    reference: OptionalText = None
    number: OptionalText = Field(None, validation_alias=AliasPath("identity", "endpoint"))

    @property
    def takes_our_code(self) -> bool:
        return self.method in TAKES_OUR_CODE


class RequestEvent(Event, frozen=True):
    """Sinch asks, during a start, whether to go on, and with which code."""

    price: OptionalPrice = None


class ResultEvent(Event, frozen=True):
    """A verification is over."""

    status: Annotated[StatusName | None, IfReadable] = None
    reason: OptionalText = None  # Sinch's words, when it did not succeed


class DeliveredEvent(Event, frozen=True):
    """A delivery receipt of an SMS. Sinch may add results: an unknown one says neither."""

    result: OptionalText = Field(None, validation_alias="smsResult")

    @property
    def is_delivered(self) -> bool:
        return (self.result or "").lower() == "successful"

    @property
    def is_undelivered(self) -> bool:
        return (self.result or "").lower() == "failed"


class UnknownEvent(BaseModel, frozen=True):
    """An event that Sinch has added, or that no verification of ours brings."""

    event: Annotated[str, StringConstraints(min_length=1)]


_SHAPES: Final[dict[str, type[RequestEvent | ResultEvent | DeliveredEvent]]] = {
    "VerificationRequestEvent": RequestEvent,
    "VerificationResultEvent": ResultEvent,
    "VerificationSmsDeliveredEvent": DeliveredEvent,
    "SmsDeliveredEvent": DeliveredEvent,  # the vendor's OpenAPI document has both names
}


def parse_event(body: bytes) -> RequestEvent | ResultEvent | DeliveredEvent | UnknownEvent:
    """Read the body of an event that is authentic. Raises ValueError, which quotes nothing of it."""
    try:
        unknown = UnknownEvent.model_validate_json(body)
        shape = _SHAPES.get(unknown.event)
        return shape.model_validate_json(body) if shape else unknown
    except ValidationError:
        raise ValueError("not an event of Sinch's") from None


def allow(
    method: str | None, *, code: str | None = None, expiry: timedelta | None = None
) -> dict[str, object]:
    """Answer a request event with yes; where the method takes it, with our code (digits) and its lifetime."""
    answer: dict[str, object] = {"action": "allow"}
    if code is None or method not in TAKES_OUR_CODE:
        return answer
    if method == VerificationMethod.CALLOUT:
        return answer | {"callout": {"code": code}}
    details = {"code": code, "codeType": "Numeric"}
    if expiry is not None:
        details["expiry"] = _hours_minutes_seconds(expiry)
    return answer | {"sms": details}


def _hours_minutes_seconds(lifetime: timedelta) -> str:
    minutes, seconds = divmod(max(1, int(lifetime.total_seconds())), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
