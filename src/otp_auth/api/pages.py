"""Lists come in pages, newest first. A cursor says where the next page begins; clients don't look into it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

PAGE_SIZE = 50  # items


def next_cursor(ids: Sequence[UUID]) -> str | None:
    """Name the last item of this page, if one more than a page was found behind it."""
    return _write(ids[PAGE_SIZE - 1]) if len(ids) > PAGE_SIZE else None


def _write(last: UUID) -> str:
    return urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _read(cursor: object) -> UUID | None:
    """Return the id of the last item seen."""
    try:
        last = UUID(bytes=urlsafe_b64decode(f"{cursor}=="))
    except ValueError:  # binascii.Error is one too
        last = None
    if last is None or _write(last) != cursor:  # the decoder skips what it doesn't know
        raise PydanticCustomError("not_a_cursor", "Use a next_cursor of this list")
    return last


Cursor = Annotated[
    UUID | None,
    Query(description="`next_cursor` of the page before; nothing for the first page"),
    WithJsonSchema({"type": "string"}),
    BeforeValidator(_read),
]
