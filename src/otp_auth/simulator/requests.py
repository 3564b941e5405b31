"""Bodies and path segments of Sinch's API, read as tolerantly as Sinch reads them: unknown members pass."""

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from otp_auth.simulator.members import Json, invalid, member, optional_text, read_object, text
from otp_auth.simulator.methods import Method
from otp_auth.simulator.options import Options, read_options
from otp_auth.simulator.refusals import Refusal, RefusalError

LONGEST_CUSTOM = 4096
# How a client came by the code, as SDKs call it, and as a status tells it.
SOURCES = {"manual": "manual", "intercepted": "intercepted", "intercept": "intercepted", "log": "intercepted"}
_LENGTHS = {ValidationResult.TOO_SHORT: "  Too short.", ValidationResult.TOO_LONG: "  Too long."}


@dataclass(frozen=True)
class WantedStart:
    """What a start asks for."""

    number: str
    method: Method
    reference: str | None
    custom: str | None
    options: Options


@dataclass(frozen=True)
class Report:
    """A code that somebody typed, or the number that rang: a flash call's code is its caller."""

    method: Method
    code: str
    source: str = "manual"


def read_start(body: bytes) -> WantedStart:
    """Read the body of a start. Raises RefusalError."""
    content = read_object(body)
    number = _read_identity(content)
    method = read_method(text(content, "method", "Method"))
    return WantedStart(
        number=number,
        method=method,
        reference=_read_reference(content),
        custom=_read_custom(content),
        options=read_options(method, member(content, f"{method.member}Options")),
    )


def starting_number(body: bytes) -> str | None:
    """Return the number that a start is for, whatever else is wrong with it."""
    try:
        return _read_identity(read_object(body))
    except RefusalError:
        return None


def read_report(body: bytes) -> Report:
    """Read the body of a report. Raises RefusalError."""
    content = read_object(body)
    method = read_method(text(content, "method", "Method"))
    if method is Method.SEAMLESS:
        raise invalid("A seamless verification is not reported: the phone opens its targetUri.")
    # Older SDKs write `flashcall` where newer ones write `flashCall`.
    details = member(content, method.member) or member(content, method.value)
    name = "cli" if method is Method.FLASHCALL else "code"
    source = optional_text(content, "source") or "manual"
    return Report(method, text(details, name, name.capitalize()), SOURCES.get(source.lower(), "manual"))


def read_number(endpoint: str) -> str:
    """Return the number as E.164. Raises RefusalError."""
    if not endpoint.startswith("+"):
        raise RefusalError(Refusal.MISSING_PLUS)
    try:
        number = phonenumbers.parse(endpoint)
    except NumberParseException:
        raise invalid(f"Number {endpoint} is invalid.") from None
    if not phonenumbers.is_valid_number(number):
        length = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(number), "")
        raise invalid(f"Number {endpoint} is invalid.{length}")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def read_method(name: str) -> Method:
    """Return the method of that name; SDKs differ in its case. Raises RefusalError."""
    try:
        return Method(name.lower())
    except ValueError:
        raise invalid(f"Method {name} is unknown: use {', '.join(Method)}.") from None


def _read_identity(content: Json) -> str:
    identity = member(content, "identity")
    endpoint = text(identity, "endpoint", "Endpoint")
    if text(identity, "type", "Identity type").lower() != "number":
        raise invalid("Identity type must be number.")
    return read_number(endpoint)


def _read_reference(content: Json) -> str | None:
    reference = optional_text(content, "reference")
    if reference and "/" in reference:
        raise invalid("Reference must be usable as one segment of a URL path: leave slashes out.")
    return reference


def _read_custom(content: Json) -> str | None:
    custom = optional_text(content, "custom")
    if custom and len(custom) > LONGEST_CUSTOM:
        raise invalid(f"Custom is longer than {LONGEST_CUSTOM} characters.")
    return custom
