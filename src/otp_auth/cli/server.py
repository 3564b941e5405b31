"""How uvicorn is run, by `dev`, `serve` and `simulator` alike."""

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import uvicorn
from starlette.types import ASGIApp

from otp_auth.cli.http_protocol import ServiceProtocol
from otp_auth.cli.refusal import refuse

DRAIN = 25  # seconds for requests in flight at SIGTERM: longer than Sinch may take
OPTIONS: dict[str, Any] = {
    "http": ServiceProtocol,
    "log_config": None,  # ours is set up already
    "access_log": False,  # the edge writes one line for each request
    "server_header": False,
    "proxy_headers": False,  # the edge decides whose forwarded address counts
    "timeout_graceful_shutdown": DRAIN,
    "ws": "none",
    "timeout_worker_healthcheck": 30,  # seconds: a worker on a busy machine is slow, not dead
}


def run(app: ASGIApp | str, host: str, port: int, **more: Any) -> None:
    """Serve until SIGTERM or SIGINT, and end with 0; with 1 when it can't start."""
    # uvicorn drains, then raises the signal again for whoever stood here before it.
    signal.signal(signal.SIGTERM, _end)
    try:
        uvicorn.run(app, host=host, port=port, **OPTIONS, **more)
    except SystemExit as end:
        if end.code:
            refuse(f"the server could not start on {host}:{port}: the log says why")
        raise


def own_address(host: str, port: int) -> str:
    """Return where this machine itself reaches a server that listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
