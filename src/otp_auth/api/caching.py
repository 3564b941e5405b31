"""Answers that anybody may keep for a while, and ask for again with what they kept."""

import hashlib
import json
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

_ENTITY_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110 8.8.3, without the mark of a weak one


def cacheable(request: Request, value: Any, lifetime: timedelta) -> Response:
    """Answer with JSON, or with 304 whoever has that very JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={int(lifetime.total_seconds())}", "ETag": etag}
    if _is_known(etag, request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _is_known(etag: str, request: Request) -> bool:
    """Compare with If-None-Match, weakly (RFC 9110 13.1.2)."""
    known = ", ".join(request.headers.getlist("if-none-match"))
    return known.strip() == "*" or etag in _ENTITY_TAG.findall(known)
