"""The service as a frontend developer has it: `otp-auth dev` with a folder and a port of its own."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.guarded_server import GuardedServer, guarded_server, temporary_folder

READY = "Uvicorn running on"
SETTINGS = ("OTP_AUTH_PASSWORDS__BCRYPT_COST=4",)


@dataclass(frozen=True)
class Site:
    """Where it is to be found."""

    process: GuardedServer
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    @property
    def inbox(self) -> str:
        return f"{self.address}/sandbox/"


@contextmanager
def started_site(*settings: str) -> Iterator[Site]:
    """Run it until the block ends or this process does; `settings` such as OTP_AUTH_…=value."""
    with temporary_folder("otp-auth-browser-", {}) as folder:
        port = free_port()
        with guarded_server(_command(port, settings), folder, _is_ready) as process:
            yield Site(process, port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _command(port: int, settings: tuple[str, ...]) -> list[str]:
    arguments = ["dev", "--port", str(port), "--data-dir", "data"]
    return ["env", *SETTINGS, *settings, sys.executable, "-m", "otp_auth", *arguments]


def _is_ready(process: GuardedServer) -> bool:
    return READY in process.log
