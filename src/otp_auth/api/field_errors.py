"""What is wrong with which field, without ever repeating what was sent."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

# Pydantic's error types in the words of the contract; others pass as they are.
_RULES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_format",
    "literal_error": "not_one_of",
    "enum": "not_one_of",
    "string_type": "wrong_type",
    "bool_type": "wrong_type",
    "model_attributes_type": "wrong_type",
    "model_type": "wrong_type",
    "dict_type": "wrong_type",
    "value_error": "not_valid",
}
MOST_ERRORS = 20  # a body of nonsense must not become a large answer
_HARMLESS_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Turn Pydantic's findings into the contract's `errors`."""
    return [
        {"field": _field(error), "rule": _rule(error), "message": str(error["msg"])}
        for error in islice(errors, MOST_ERRORS)
    ]


def _rule(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    return _RULES.get(kind, kind)


def _field(error: Mapping[str, Any]) -> str:
    # The name of an unknown field comes from the caller: only a plain one of the body itself is repeated,
    # for inside a field it is a part of what was sent there.
    *outer, name = (str(part) for part in error["loc"])
    is_sent = error["type"] == "extra_forbidden" and len(outer) > 1
    parts = [*outer, "?" if is_sent else name]
    return ".".join(part if _HARMLESS_NAME.fullmatch(part) else "?" for part in parts)
