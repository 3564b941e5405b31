"""The log: one line per event, with the request's id and without secrets. JSON in production.

Values belong into keyword arguments, never into the message: `logger.info("code sent", channel=channel)`.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC
from typing import TYPE_CHECKING, Any, TextIO

from loguru import logger

from otp_auth.redaction import redact, redact_value
from otp_auth.settings import Settings

if TYPE_CHECKING:
    from loguru import Message, Record, RecordException

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What other packages may say. aiosqlite and SQLAlchemy quote parameters below these levels, httpx addresses.
LOUDEST = {
    "aiosqlite": logging.WARNING,
    "asyncio": logging.WARNING,
    "hpack": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "uvicorn": logging.INFO,
    "uvicorn.error": logging.INFO,
    "alembic": logging.INFO,
}
SILENT = "uvicorn.access"  # the edge writes one line for each request, without its query
OWN_FIELDS = frozenset({"time", "level", "logger", "message", "request_id", "exception"})


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send loguru and the standard library's log to one stream (standard error). May be called again."""
    render = _as_json if settings.in_production else _as_text
    # loguru's own printing of exceptions is off: it shows the values of variables.
    logger.remove()
    logger.add(
        _Writer(stream or sys.stderr, render),
        level=settings.log_level,
        format=_no_format,
        backtrace=False,
        diagnose=False,
        catch=False,
    )
    _route_standard_library(logging.getLevelNamesMapping()[settings.log_level])


class _Writer:
    """Writes lines, and swallows a stream that is gone: loguru's report of that would show the raw record."""

    def __init__(self, stream: TextIO, render: Callable[[dict[str, Any]], str]) -> None:
        self._stream = stream
        self._render = render

    def __call__(self, message: "Message") -> None:
        try:
            line = self._render(_event(message.record))
        except Exception as error:  # noqa: BLE001 - what is logged must never fail a request
            line = json.dumps(
                {"level": "ERROR", "message": "unprintable event", "cause": type(error).__name__}
            )
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


def _no_format(_record: "Record") -> str:
    return ""


def _event(record: "Record") -> dict[str, Any]:
    """Build the event from cleaned values; fields of the caller can't replace ours."""
    extra = dict(record["extra"])
    event: dict[str, Any] = {
        "time": record["time"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record["level"].name,
        "logger": extra.pop("stdlib_logger", record["name"]),
        "message": redact(record["message"]),
        "request_id": request_id.get() or None,
    }
    for name, value in redact_value(extra).items():
        event[f"extra_{name}" if name in OWN_FIELDS else name] = value
    if record["exception"] is not None:
        event["exception"] = _exception(record["exception"])
    return event


def _exception(exception: "RecordException") -> dict[str, str]:
    lines = traceback.format_exception(exception.type, exception.value, exception.traceback)
    name = exception.type.__qualname__ if exception.type else "None"
    return {"type": name, "traceback": redact("".join(lines))}


def _as_json(event: dict[str, Any]) -> str:
    # ASCII alone: line separators, bidi marks and escape sequences of a caller stay inside their string.
    return json.dumps(event, ensure_ascii=True, allow_nan=False)


def _as_text(event: dict[str, Any]) -> str:
    """One line; only a traceback follows on lines of its own, each set in."""
    exception = event.pop("exception", None)
    head = f"{event.pop('time')} {event.pop('level'):<8} {event.pop('logger')}: {event.pop('message')}"
    fields = (f"{name}={value!r}" for name, value in event.items() if value is not None)
    line = _printable(" ".join((head, *fields)))
    if exception is None:
        return line
    return "\n".join([line, *(f"    | {_printable(part)}" for part in exception["traceback"].splitlines())])


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class _Bridge(logging.Handler):
    """Hands the standard library's records to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info if record.exc_info and record.exc_info[0] else None
        # The text is an argument, so that braces and tags in it mean nothing.
        bound = logger.bind(stdlib_logger=record.name).opt(exception=exception)
        bound.log(_loguru_level(record), "{}", _message_of(record))


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the standard handler would print the arguments to standard error
        return str(record.msg)


def _loguru_level(record: logging.LogRecord) -> str | int:
    known = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    return record.levelname if record.levelname in known else record.levelno


def _route_standard_library(level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Bridge)]
    root.addHandler(_Bridge())
    root.setLevel(max(level, logging.INFO))
    for name, loudest in LOUDEST.items():
        source = logging.getLogger(name)
        source.handlers = []
        source.propagate = True
        source.setLevel(max(level, loudest))
    access = logging.getLogger(SILENT)
    access.handlers = []
    access.propagate = False
    access.setLevel(logging.CRITICAL)
