"""What the process asks of the system while a test looks on: connections, names, files, other programs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Audit events of Python (PEP 578). SQLite opens its files beside them.
WATCHED = frozenset(
    {
        "open",
        "os.listdir",
        "os.posix_spawn",
        "os.scandir",
        "os.system",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
    }
)
_watches: list[list[str]] = []


@contextmanager
def watching() -> Iterator[list[str]]:
    """Collect all such events of all threads until the block ends."""
    _install()
    seen: list[str] = []
    _watches.append(seen)
    try:
        yield seen
    finally:
        _watches.remove(seen)


@cache
def _install() -> None:
    """Once: a hook can't be taken away again."""
    sys.addaudithook(_notice)


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if _watches and event in WATCHED:
        for seen in _watches:
            seen.append(f"{event} {arguments!r}")
