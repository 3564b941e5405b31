"""The service as a frontend developer has it: `otp-auth dev` with a folder and a port of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.guarded_server import GuardedServer, guarded_server, temporary_folder
from support.ports import free_port

READY = "Uvicorn running on"
SETTINGS = ("OTP_AUTH_PASSWORDS__BCRYPT_COST=4",)
KEY, SECRET = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "AAECAwQFBgcICQoLDA0ODw=="
CREDENTIALS = (f"OTP_AUTH_SINCH__APPLICATION_KEY={KEY}", f"OTP_AUTH_SINCH__APPLICATION_SECRET={SECRET}")


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
    def inbox_address(self) -> str:
        return f"{self.address}/sandbox/"


@contextmanager
def started_site(*settings: str) -> Iterator[Site]:
    """Run it until the block ends or this process does; `settings` such as OTP_AUTH_…=value."""
    arguments = ("dev", "--data-dir", "data")
    with _started(free_port(), *SETTINGS, *settings, *_OTP_AUTH, *arguments) as site:
        yield site


@contextmanager
def started_simulator(port: int) -> Iterator[Site]:
    """Run the simulator alone, at the root of this port, until the block ends or this process does."""
    with _started(port, *CREDENTIALS, *_OTP_AUTH, "simulator") as site:
        yield site


_OTP_AUTH = (sys.executable, "-m", "otp_auth")


@contextmanager
def _started(port: int, *command: str) -> Iterator[Site]:
    line = ("env", *command, "--port", str(port))
    with (
        temporary_folder("otp-auth-site-", {}) as folder,
        guarded_server(line, folder, _is_ready) as process,
    ):
        yield Site(process, port)


def _is_ready(process: GuardedServer) -> bool:
    return READY in process.log
