"""Bodies and path segments of Sinch's API, read as tolerantly as Sinch reads them: unknown members pass."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.sinch.schemas import VerificationMethod

LONGEST_CUSTOM = 4096
LONGEST_LIFETIME = timedelta(hours=24)
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
ALPHABETS = {"Numeric": DIGITS, "Alpha": LETTERS, "Alphanumeric": LETTERS + DIGITS}
METHODS = (VerificationMethod.SMS, VerificationMethod.CALLOUT)
_EXPIRY = re.compile(r"([0-9]{2}):([0-5][0-9]):([0-5][0-9])")
_LENGTHS = {ValidationResult.TOO_SHORT: "  Too short.", ValidationResult.TOO_LONG: "  Too long."}

Json = dict[str, Any]  # a client's JSON may hold anything


@dataclass(frozen=True)
class WantedStart:
    """What a start asks for."""

    number: str
    method: VerificationMethod
    reference: str | None
    custom: str | None
    code_type: str
    lifetime: timedelta | None  # None: the simulator's own
    locale: str | None  # of a phone call's speech


@dataclass(frozen=True)
class Report:
    """A code that somebody typed."""

    method: VerificationMethod
    code: str


def read_start(body: bytes) -> WantedStart:
    """Read the body of a start. Raises RefusalError."""
    content = _read_object(body)
    number = _read_identity(content)
    method = read_method(_text(content, "method", "Method"))
    options = _member(content, f"{method.value}Options")
    return WantedStart(
        number=number,
        method=method,
        reference=_read_reference(content),
        custom=_read_custom(content),
        code_type=_read_code_type(options) if method is VerificationMethod.SMS else "Numeric",
        lifetime=_read_expiry(options) if method is VerificationMethod.SMS else None,
        locale=_optional_text(_member(options, "speech"), "locale"),
    )


def starting_number(body: bytes) -> str | None:
    """Return the number that a start is for, whatever else is wrong with it."""
    try:
        return _read_identity(_read_object(body))
    except RefusalError:
        return None


def read_report(body: bytes) -> Report:
    """Read the body of a report. Raises RefusalError."""
    content = _read_object(body)
    method = read_method(_text(content, "method", "Method"))
    return Report(method, _text(_member(content, method.member), "code", "Code"))


def read_number(endpoint: str) -> str:
    """Return the number as E.164. Raises RefusalError."""
    if not endpoint.startswith("+"):
        raise RefusalError(Refusal.MISSING_PLUS)
    try:
        number = phonenumbers.parse(endpoint)
    except NumberParseException:
        raise _invalid(f"Number {endpoint} is invalid.") from None
    if not phonenumbers.is_valid_number(number):
        length = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(number), "")
        raise _invalid(f"Number {endpoint} is invalid.{length}")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def read_method(name: str) -> VerificationMethod:
    """Return the method of that name; SDKs differ in its case. Raises RefusalError."""
    if name.lower() == "seamless":
        raise RefusalError(Refusal.NO_SEAMLESS)
    if name.lower() not in METHODS:
        raise _invalid(f"Method {name} is not supported here: use sms or callout.")
    return VerificationMethod(name.lower())


def _invalid(message: str) -> RefusalError:
    return RefusalError(Refusal.INVALID_PARAMETER, message)


def _read_object(body: bytes) -> Json:
    try:
        content = json.loads(body)
        # Half a surrogate pair can be written as an escape, but could not be kept or sent back.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _invalid("The request body is not JSON.") from None
    if not isinstance(content, dict):
        raise _invalid("The request body must be a JSON object.")
    return content


def _member(content: Json, name: str) -> Json:
    value = content.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(f"{name} must be an object.")
    return value


def _optional_text(content: Json, name: str) -> str | None:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"{name} must be a string.")
    return value or None


def _text(content: Json, name: str, called: str) -> str:
    value = _optional_text(content, name)
    if value is None:
        raise RefusalError(Refusal.MISSING_PARAMETER, f"{called} parameter is missing.")
    return value


def _read_identity(content: Json) -> str:
    identity = _member(content, "identity")
    endpoint = _text(identity, "endpoint", "Endpoint")
    if _text(identity, "type", "Identity type").lower() != "number":
        raise _invalid("Identity type must be number.")
    return read_number(endpoint)


def _read_reference(content: Json) -> str | None:
    reference = _optional_text(content, "reference")
    if reference and "/" in reference:
        raise _invalid("Reference must be usable as one segment of a URL path: leave slashes out.")
    return reference


def _read_custom(content: Json) -> str | None:
    custom = _optional_text(content, "custom")
    if custom and len(custom) > LONGEST_CUSTOM:
        raise _invalid(f"Custom is longer than {LONGEST_CUSTOM} characters.")
    return custom


def _read_code_type(options: Json) -> str:
    code_type = _optional_text(options, "codeType") or "Numeric"
    if code_type.capitalize() not in ALPHABETS:
        raise _invalid(f"codeType {code_type} is invalid: use {', '.join(ALPHABETS)}.")
    return code_type.capitalize()


def _read_expiry(options: Json) -> timedelta | None:
    expiry = _optional_text(options, "expiry")
    if expiry is None:
        return None
    parts = _EXPIRY.fullmatch(expiry)
    hours, minutes, seconds = map(int, parts.groups()) if parts else (0, 0, 0)
    lifetime = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise _invalid(f"Expiry {expiry} is invalid: use HH:MM:SS from 00:00:01 to 24:00:00.")
    return lifetime
