"""What settings are made of: sections, spans of time, lists."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

LONGEST = timedelta(days=3650)  # beyond it a moment may not exist


def whole_seconds(value: object) -> object:
    try:
        return timedelta(seconds=int(value)) if isinstance(value, int | str) else value
    except (ValueError, OverflowError):
        raise ValueError("use whole seconds, such as 300") from None


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value if not isinstance(value, int) else (value,)


Seconds = Annotated[timedelta, BeforeValidator(whole_seconds), Field(gt=timedelta(0), le=LONGEST)]
ShortSeconds = Annotated[
    timedelta, BeforeValidator(whole_seconds), Field(ge=timedelta(0), le=timedelta(seconds=60))
]
CommaList = BeforeValidator(_comma_list)


class Section(BaseModel, frozen=True):
    """One level of the settings."""
