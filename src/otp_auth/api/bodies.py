"""The kinds of bodies: what a client sends is read strictly, what it gets is written alike everywhere."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]


class Body(BaseModel):
    """What a client sends: known fields only, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """What a client gets. A field with a fixed value is there as surely as any other."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class SparseAnswer(Answer):
    """An answer whose empty `optional_fields` are left out."""

    optional_fields: ClassVar[frozenset[str]]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the fields: the serializer below hides them from Pydantic."""
        described = {name: part for name, part in core_schema.items() if name != "serialization"}
        schema = handler(cast("CoreSchema", described))
        fields = handler.resolve_ref_schema(schema)
        fields["required"] = [name for name in fields["required"] if name not in cls.optional_fields]
        for name in cls.optional_fields:
            _never_null(fields["properties"][name])
        return schema

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        empty = {name for name in self.optional_fields if fields[name] is None}
        return {name: value for name, value in fields.items() if name not in empty}


def _never_null(field: JsonSchemaValue) -> None:
    """Say of a field what it holds where it is there: what is empty is left out."""
    field.pop("default", None)
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del field["anyOf"]
        field.update(kinds[0])
