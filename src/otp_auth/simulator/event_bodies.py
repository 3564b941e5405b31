"""Events as Sinch writes and signs them (Sinch Verification API, "Callbacks")."""

import json
from datetime import datetime
from urllib.parse import unquote, urlsplit

from otp_auth.simulator.authorization import Credentials
from otp_auth.simulator.members import Json
from otp_auth.simulator.prices import price_of
from otp_auth.simulator.records import Verification
from otp_auth.sinch.signing import signature

REQUEST = "VerificationRequestEvent"
RESULT = "VerificationResultEvent"
DELIVERED = "VerificationSmsDeliveredEvent"
CONTENT_TYPE = "application/json; charset=utf-8"


def request_event(verification: Verification, languages: list[str]) -> Json:
    """Ask whether a verification may go on. `languages` are those of the start, best first."""
    event = _event(REQUEST, verification)
    event["price"] = price_of(verification.method, verification.number)
    return event | _given(verification, acceptLanguage=languages)


def result_event(verification: Verification) -> Json:
    """Tell how a verification has ended."""
    event = _event(RESULT, verification) | {"status": verification.status}
    return event | _given(verification, reason=verification.reason, source=verification.source)


def delivered_event(verification: Verification, *, successful: bool) -> Json:
    """Tell what the operator says of a text message."""
    event = _event(DELIVERED, verification) | {"smsResult": "Successful" if successful else "Failed"}
    return event | _given(verification)


def serialised(event: Json) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def signed_headers(credentials: Credentials, url: str, content: bytes, now: datetime) -> dict[str, str]:
    """Return the headers with which an event travels; the signature covers the path of the URL."""
    timestamp = f"{now:%Y-%m-%dT%H:%M:%S.%f}0Z"  # seven fraction digits, as Sinch's
    signed = signature(
        credentials.signing_key,
        verb="POST",
        path=_path(url),
        body=content,
        content_type=CONTENT_TYPE,
        timestamp=timestamp,
    )
    return {
        "Authorization": f"application {credentials.application_key}:{signed}",
        "Content-Type": CONTENT_TYPE,
        "x-timestamp": timestamp,
    }


def _path(url: str) -> str:
    try:
        return unquote(urlsplit(url).path) or "/"
    except ValueError:
        return "/"  # no URL at all, which the request will show


def _event(name: str, verification: Verification) -> Json:
    return {
        "id": verification.id,
        "event": name,
        "method": verification.method,
        "identity": {"type": "number", "endpoint": verification.number},
    }


def _given(verification: Verification, **members: object) -> Json:
    """Return the members that have a value, with what the start said of itself."""
    members |= {"reference": verification.reference, "custom": verification.custom}
    return {name: value for name, value in members.items() if value}
