"""Members of a client's JSON, read by hand: what is wrong with them is said in Sinch's words."""

import json
from typing import Any

from otp_auth.simulator.refusals import Refusal, RefusalError

Json = dict[str, Any]  # a client's JSON may hold anything


def invalid(message: str) -> RefusalError:
    """Make the refusal of a value."""
    return RefusalError(Refusal.INVALID_PARAMETER, message)


def read_object(body: bytes) -> Json:
    """Return the JSON object that a body is. Raises RefusalError."""
    try:
        content = json.loads(body)
        # Half a surrogate pair can be written as an escape, but could not be kept or sent back.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid("The request body is not JSON.") from None
    if not isinstance(content, dict):
        raise invalid("The request body must be a JSON object.")
    return content


def member(content: Json, name: str) -> Json:
    """Return an object inside an object, empty where it is missing. Raises RefusalError."""
    value = content.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object.")
    return value


def optional_text(content: Json, name: str) -> str | None:
    """Return a text, None where it is missing or empty. Raises RefusalError."""
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"{name} must be a string.")
    return value or None


def text(content: Json, name: str, called: str) -> str:
    """Return a text that must be there. Raises RefusalError."""
    value = optional_text(content, name)
    if value is None:
        raise RefusalError(Refusal.MISSING_PARAMETER, f"{called} parameter is missing.")
    return value


def texts(content: Json, name: str) -> tuple[str, ...]:
    """Return a list of texts, empty where it is missing. Raises RefusalError."""
    value = content.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(f"{name} must be a list of strings.")
    return tuple(value)
