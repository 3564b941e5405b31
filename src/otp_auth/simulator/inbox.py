"""Beside Sinch's API, for people and without authentication: what reached which phone."""

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Query, Response

from otp_auth.simulator.dependencies import CurrentSimulation
from otp_auth.simulator.numbers import NUMBERS, BuiltInNumber
from otp_auth.simulator.records import Message

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}  # of the page's parts
_PAGE = files("otp_auth.simulator") / "page"

router = APIRouter()


@router.get("/")
async def page() -> Response:
    """Show people what reached which phone."""
    return _file("inbox.html", "text/html", {"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def _add_file(name: str, media_type: str) -> None:
    async def part() -> Response:
        return _file(name, media_type)

    router.add_api_route(f"/{name}", part)


for _name in sorted(part.name for part in _PAGE.iterdir()):
    if _media_type := MEDIA_TYPES.get(_name.rpartition(".")[2]):
        _add_file(_name, _media_type)


@router.get("/messages")
async def messages(
    simulation: CurrentSimulation,
    response: Response,
    to: str = "",
    limit: Annotated[int, Query(ge=1)] = 10**6,
) -> list[Message]:
    """List what was sent to phones, newest first; `to` is one number, its plus may have become a space.

    A message is `sent` until its delivery has ended, then `delivered` or `failed`.
    """
    response.headers.update(HEADERS)
    return simulation.store.messages(as_number(to))[:limit]


@router.delete("/messages", status_code=204)
async def empty_inbox(simulation: CurrentSimulation) -> None:
    """Throw all messages away. Verifications and counters stay."""
    simulation.store.empty_inbox()


@router.get("/numbers")
async def numbers(response: Response) -> list[BuiltInNumber]:
    """List the numbers with a built-in behaviour."""
    response.headers.update(HEADERS)
    return list(NUMBERS)


def as_number(to: str) -> str | None:
    """Return the number that a query means, None for any."""
    return f"+{to.strip().removeprefix('+')}" if to.strip() else None


def _file(name: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    content = (_PAGE / name).read_bytes()
    return Response(content, media_type=media_type, headers=HEADERS | (headers or {}))
