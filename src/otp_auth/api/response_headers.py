"""Headers of answers that a client reads, for the OpenAPI document."""

from typing import Any

from otp_auth.api.examples import EXAMPLE_REQUEST_ID

_TEXT = {"type": "string"}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The one that was sent, or a new one. Quote it when you report something.",
        "schema": _TEXT,
        "example": EXAMPLE_REQUEST_ID,
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
        "example": 60,
    },
    "WWW-Authenticate": {
        "description": "What to show instead (RFC 6750 3, RFC 9470 3).",
        "schema": _TEXT,
        "required": True,
        "example": 'Bearer error="invalid_token"',
    },
    "Set-Cookie": {
        "description": "In cookie mode (`X-Token-Transport: cookie`): the refresh token, or no more.",
        "schema": _TEXT,
        "example": "__Host-refresh=3q2-7wzK…; HttpOnly; Max-Age=604800; Path=/; SameSite=strict; Secure",
    },
    "ETag": {
        "description": "Send it in `If-None-Match`: 304 while nothing has changed.",
        "schema": _TEXT,
        "example": '"6f1c1f0e3a524f0b"',
    },
    "Cache-Control": {
        "description": "How long it may be kept.",
        "schema": _TEXT,
        "example": "public, max-age=300",
    },
    "Content-Disposition": {
        "description": "Has a browser save a file.",
        "schema": _TEXT,
        "example": 'attachment; filename="otp-auth-export.json"',
    },
}
_OF_STATUS = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
_OF_SUCCESS = {
    "logIn": ("Set-Cookie",),
    "verifyCode": ("Set-Cookie",),
    "refreshTokens": ("Set-Cookie",),
    "logOut": ("Set-Cookie",),
    "deleteMe": ("Set-Cookie",),
    "exportMe": ("Content-Disposition",),
    "getJwks": ("ETag", "Cache-Control"),
    "getMetadata": ("ETag", "Cache-Control"),
}


def headers_of(operation_id: str, status: str) -> dict[str, Any]:
    """Name the headers of one answer; each is described once, in the components."""
    special = _OF_SUCCESS.get(operation_id, ()) if status < "400" else ()
    names = ("X-Request-ID", *filter(None, [_OF_STATUS.get(status)]), *special)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
