"""The order in which every request is judged (contract, section 1), and bodies that are strictly JSON.

FastAPI alone would read the body before it asks who is there. Here: credentials, media type, size, JSON,
fields.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from otp_auth.api.body_errors import (
    LARGEST_BODY,
    MalformedRequestError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from otp_auth.api.credentials import BearerCredential

DEEPEST = 16  # levels of arrays and objects
SLOWEST_BODY = 10  # seconds until the last byte
_LONGEST_LENGTH = 20  # digits of a Content-Length that are read


class JsonRequest(Request):
    """A request whose body is read once, with a limit, and parsed strictly."""

    _raw: bytes | None = None

    async def body(self) -> bytes:
        """Return the whole body. Raises PayloadTooLargeError, MalformedRequestError when it dawdles."""
        if self._raw is None:
            try:
                async with asyncio.timeout(SLOWEST_BODY):
                    self._raw = await self._read()
            except TimeoutError:
                raise MalformedRequestError("The body did not arrive in time.") from None
            except ClientDisconnect:  # nobody reads the answer, but the log mustn't call it our failure
                raise MalformedRequestError("The body did not arrive whole.") from None
        return self._raw

    async def _read(self) -> bytes:
        if _declared_length(self) > LARGEST_BODY:
            raise PayloadTooLargeError
        received = bytearray()
        async for chunk in self.stream():
            received += chunk
            if len(received) > LARGEST_BODY:
                raise PayloadTooLargeError
        return bytes(received)

    async def json(self) -> Any:
        """Return the parsed body. Raises MalformedRequestError."""
        return parse_json(await self.body())


class ContractRoute(APIRoute):
    """A route that judges a request in the order of the contract."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        credentials = list(_credentials_of(self.dependant))
        takes_body = self.body_field is not None
        needs_body = self.body_field is not None and self.body_field.field_info.is_required()

        async def judge(request: Request) -> Response:
            request = JsonRequest(request.scope, request.receive)
            for credential in credentials:
                await credential(request)
            if takes_body and (needs_body or _has_body(request)):
                if not has_media_type(request, "application/json"):
                    raise UnsupportedMediaTypeError
                await request.json()
            return await handle(request)

        return judge


def parse_json(raw: bytes) -> Any:
    """Parse RFC 8259 JSON and nothing more. Raises MalformedRequestError."""
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_object_of_different_names, parse_constant=_refuse_constant
        )
        _check_text(value, DEEPEST)
    except (ValueError, RecursionError):  # bad UTF-8 and lone surrogates are ValueErrors too
        raise MalformedRequestError from None
    return value


def _object_of_different_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_text(value: Any, levels: int) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate can't be
    elif isinstance(value, dict | list):
        if not levels:
            raise ValueError("nested too deeply")
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_text(item, levels - 1)


def _credentials_of(dependant: Dependant) -> Iterator[BearerCredential]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, BearerCredential):
            yield dependency.call
        yield from _credentials_of(dependency)


def _declared_length(request: Request) -> int:
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        return 0
    # Cut: of a number that long only the size matters, and `int` refuses thousands of digits.
    return int(length.lstrip("0")[:_LONGEST_LENGTH] or 0)


def _has_body(request: Request) -> bool:
    return _declared_length(request) > 0 or "transfer-encoding" in request.headers


def has_media_type(request: Request, wanted: str) -> bool:
    """Say whether the body is called so, whatever its parameters."""
    values = request.headers.getlist("content-type")
    if len(values) != 1 or not values[0]:  # of two, a proxy before us might read the other
        return False
    header = Message()
    header["content-type"] = values[0]
    return header.get_content_type() == wanted
