"""An answer without an end would hold up the server's (`cli/http_protocol.py`)."""

import asyncio
from typing import Any


def wake_at_shutdown(state: Any, event: asyncio.Event) -> None:
    """Set the event when the server ends; `state` is that of the request."""
    state.on_leaving = event.set


def is_leaving(state: Any) -> bool:
    return bool(getattr(state, "is_leaving", False))
