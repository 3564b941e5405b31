"""Callbacks as Sinch would send them, and as it never would."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from otp_auth.sinch.signing import decode_secret, signature
from support.service import Service
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET

PATH = "/webhooks/sinch"
CONTENT_TYPE = "application/json; charset=utf-8"


def signed_headers(body: bytes, **changes: str) -> dict[str, str]:
    """Sign a body as Sinch does; `changes` are other values of path, timestamp, content_type, key, secret."""
    timestamp = changes.get("timestamp", datetime.now(UTC).isoformat().replace("+00:00", "Z"))
    content_type = changes.get("content_type", CONTENT_TYPE)
    signed = signature(
        decode_secret(changes.get("secret", APPLICATION_SECRET)),
        verb="POST",
        path=changes.get("path", PATH),
        body=body,
        content_type=content_type,
        timestamp=timestamp,
    )
    return {
        "Authorization": f"application {changes.get('key', APPLICATION_KEY)}:{signed}",
        "Content-Type": content_type,
        "x-timestamp": timestamp,
    }


async def send_event(service: Service, event: dict[str, Any], **changes: str) -> httpx.Response:
    """Send an event, well signed unless `changes` say otherwise."""
    body = json.dumps(event).encode()
    return await service.http.post(PATH, content=body, headers=signed_headers(body, **changes))
