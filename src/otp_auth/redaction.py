"""The last net under the log: what looks like a secret or a phone number is masked in every text.

The first rule stays: nothing secret is handed to the log at all.
"""

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

HIDDEN = "***"
LONGEST_TEXT = 20_000  # characters of one value; the rest is cut off
DEEPEST = 6  # levels of nested values
MOST_ITEMS = 200  # of one collection
LARGEST_NUMBER = 2**63

_SENSITIVE = r"[\w-]{0,40}(?:password|passwd|token|secret|secret[_-]?key|authorization|cookie)"
_NAME = rf"(?:{_SENSITIVE}|(?:otp[_-]?|sms[_-]?|recovery[_-]?)?codes?)"
# However often it was quoted: the value ends where its opening quote comes again, unescaped, or never.
_QUOTED = r"""(?P<quote>\\{0,8}["']).*?(?:(?<!\\)(?P=quote)|$)"""
_REPLACEMENTS = (
    # Pydantic quotes what it refuses.
    (re.compile(r"input_value=.*?(?=, input_type=|$)", re.DOTALL), f"input_value={HIDDEN}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END|$)", re.DOTALL), HIDDEN),
    (re.compile(r"(?<=://)([^\s/:@]{0,100}):[^\s/@]{1,200}@"), rf"\1:{HIDDEN}@"),
    (
        # Of Sinch's scheme (`Application key:signature`) only the whole: the word alone means many things.
        re.compile(r"\b(Bearer|Basic|Application(?=\s+\S+:))\s+[\w.~+/=-]+(?::[\w.~+/=-]+)?", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)+"), HIDDEN),
    (re.compile(r"\$(?:bcrypt-sha256|2[abxy])\$[^\s\"']+"), HIDDEN),
    (
        re.compile(
            rf"""(?<![\w-])(?<!status )(?<!exit )({_NAME}\\{{0,8}}["']?\s{{0,3}}[:=]\s{{0,3}})"""
            rf"""(?!(?:Bearer|Basic|Application) \*)(?:{_QUOTED}|\S+)""",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\1{HIDDEN}",
    ),
)
# No country code begins with 0, so offsets such as +00:00 and +0530 stay as they are.
_PHONE_NUMBER = re.compile(r"(?:\+|%2B)[1-9](?:[ .()-]{0,2}[0-9]){6,}", re.IGNORECASE)
_WHOLE_NAME = re.compile(_NAME, re.IGNORECASE)


def redact(text: str) -> str:
    """Mask secrets and phone numbers in a text."""
    text = text[:LONGEST_TEXT]
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return _PHONE_NUMBER.sub(lambda match: f"+{HIDDEN}{match[0][-2:]}", text)


def redact_value(value: object, depth: int = 0) -> Any:
    """Return the value as JSON knows it, with secrets masked by name and by look. Never raises."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {
            redact(_text(name)): HIDDEN if _is_secret(name) else redact_value(item, depth + 1)
            for name, item in list(value.items())[:MOST_ITEMS]
        }
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item, depth + 1) for item in list(value)[:MOST_ITEMS]]
    return redact(_text(value))


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and _WHOLE_NAME.fullmatch(name) is not None


def _number(value: float) -> float | str:
    if isinstance(value, int):
        return int(value) if abs(value) < LARGEST_NUMBER else hex(value)
    return value if math.isfinite(value) else str(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime | date):
        return value.isoformat()
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a log line must not fail over what it describes
        return f"<{type(value).__name__}>"
