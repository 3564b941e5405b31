"""A page that logs in, to look at and to copy from: plain ES modules on the TypeScript client.

Only `otp-auth dev` has it.
"""

from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]

DEMO: Final = files("otp_auth.demo")
PAGE: Final = DEMO / "page"
CLIENT: Final = DEMO / "otp-auth-client.js"  # built from clients/typescript
MEDIA_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
HEADERS: Final = {
    "Cache-Control": "no-store",  # whoever edits a file reloads and sees it
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
}


def create_demo() -> Starlette:
    """Serve the page and its modules, to be mounted beside the service that it talks to."""
    served = {"": PAGE / "index.html", CLIENT.name: CLIENT, **dict(_files(PAGE))}
    return Starlette(routes=[Route(f"/{path}", _serving(file)) for path, file in served.items()])


def _serving(file: Traversable) -> Endpoint:
    media_type = MEDIA_TYPES[_suffix(file)]

    async def serve(_request: Request) -> Response:
        return Response(file.read_bytes(), media_type=media_type, headers=HEADERS)

    return serve


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every file of the page by its address: what isn't there at the start has none."""
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry) in MEDIA_TYPES:
            yield f"{prefix}{entry.name}", entry


def _suffix(file: Traversable) -> str:
    return file.name.rpartition(".")[2]
