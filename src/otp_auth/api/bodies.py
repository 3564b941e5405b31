"""The kinds of bodies: what a client sends is read strictly, what it gets is written alike everywhere."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]


class Body(BaseModel):
    """What a client sends: known fields only, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """What a client gets."""


class SparseAnswer(Answer):
    """An answer whose empty `optional_fields` are left out."""

    optional_fields: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        empty = {name for name in self.optional_fields if fields[name] is None}
        return {name: value for name, value in fields.items() if name not in empty}
