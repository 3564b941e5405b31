"""What a start and a callback's answer may wish for: code type, lifetime, timeouts, language.

Sinch Verification API, `smsOptions` and its relatives; the objects of a callback's answer hold the same keys.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from otp_auth.simulator.members import Json, invalid, member, optional_text
from otp_auth.simulator.methods import Method

LONGEST_LIFETIME = timedelta(hours=24)  # Sinch publishes no range
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 5, 120  # seconds, of a flash call
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
ALPHABETS = {"Numeric": DIGITS, "Alpha": LETTERS, "Alphanumeric": LETTERS + DIGITS}
WRITTEN = (Method.SMS, Method.WHATSAPP)
_EXPIRY = re.compile(r"([0-9]{2}):([0-5][0-9]):([0-5][0-9])")


@dataclass(frozen=True)
class Options:
    """The wishes for one message; None: as the simulator does by itself."""

    code_type: str | None = None  # a key of ALPHABETS
    lifetime: timedelta | None = None
    interception: int | None = None  # seconds that a flash call stays open
    locale: str | None = None  # of a phone call's speech


def read_options(method: Method, content: Json) -> Options:
    """Read the options that a method has; others are passed over. Raises RefusalError."""
    match method:
        case Method.SMS:
            return Options(code_type=_read_code_type(content), lifetime=_read_expiry(content))
        case Method.WHATSAPP:
            return Options(code_type=_read_code_type(content))
        case Method.CALLOUT:
            return Options(locale=optional_text(member(content, "speech"), "locale"))
        case Method.FLASHCALL:
            _read_timeout(content, "dialTimeout")
            return Options(interception=_read_timeout(content, "interceptionTimeout"))
        case Method.SEAMLESS:
            return Options()


def _read_code_type(options: Json) -> str | None:
    code_type = optional_text(options, "codeType")
    if code_type is None:
        return None
    if code_type.capitalize() not in ALPHABETS:
        raise invalid(f"codeType {code_type} is invalid: use {', '.join(ALPHABETS)}.")
    return code_type.capitalize()


def _read_expiry(options: Json) -> timedelta | None:
    expiry = optional_text(options, "expiry")
    if expiry is None:
        return None
    parts = _EXPIRY.fullmatch(expiry)
    hours, minutes, seconds = map(int, parts.groups()) if parts else (0, 0, 0)
    lifetime = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise invalid(f"Expiry {expiry} is invalid: use HH:MM:SS from 00:00:01 to 24:00:00.")
    return lifetime


def _read_timeout(options: Json, name: str) -> int | None:
    seconds = options.get(name)
    if seconds is None:
        return None
    is_whole = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not is_whole or not SHORTEST_TIMEOUT <= seconds <= LONGEST_TIMEOUT:
        raise invalid(f"{name} must be whole seconds from {SHORTEST_TIMEOUT} to {LONGEST_TIMEOUT}.")
    return int(seconds)
