"""A server process that can't outlive the test run, however that run ends."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict, cast

START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
POLL_INTERVAL = 0.01

# The guard reads a pipe that only the test run holds open. It closes with the run, after SIGKILL as well;
# then the guard stops the server and removes the folder. The signal is repeated because a server that is
# only just starting doesn't listen for it yet.
_GUARD = r"""
cd "$1" || exit 1
folder=$1 signal=$2
shift 2
exec 3<&0
"$@" >log 2>&1 </dev/null 3<&- &
server=$!
{
    echo "$server" >pid.new && mv pid.new pid
    read -r _ <&3
    while [ ! -e stopped ] && kill -s "$signal" "$server"; do sleep 0.05; done
} 2>/dev/null &
watcher=$!
wait "$server" 2>/dev/null # how it ended stands in the file, and is no news for the terminal
echo "$?" >stopped
wait "$watcher"
cd / && rm -rf "$folder"
"""


class ServerStartError(RuntimeError):
    """A server for the tests did not come up; the message holds its log."""


class Identity(TypedDict, total=False):
    """Whom a process runs as, in the words of `subprocess`; empty: as ourselves."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class GuardedServer:
    """A running server and the folder that goes away with it."""

    folder: Path
    guard: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    @property
    def has_stopped(self) -> bool:
        return (self.folder / "stopped").exists() or self.guard.poll() is not None


@contextmanager
def temporary_folder(prefix: str, identity: Identity) -> Iterator[Path]:
    """Make a private folder that belongs to whoever the server runs as."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        yield folder
    finally:
        # The guard has removed what is inside; the folder itself may stand where only we may delete.
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def guarded_server(
    command: Sequence[str | Path],
    folder: Path,
    is_ready: Callable[[GuardedServer], bool],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    identity: Identity | None = None,
) -> Iterator[GuardedServer]:
    """Run `command` in `folder` until the block ends or this process does, whichever comes first."""
    arguments = [str(folder), stop_signal.name.removeprefix("SIG"), *map(str, command)]
    guard = subprocess.Popen(  # noqa: S603 - the tests' own command
        ["/bin/sh", "-c", _GUARD, "guard", *arguments],
        stdin=subprocess.PIPE,
        cwd=folder,
        # Ctrl-C in the terminal is for the test run; the guard hears of it when the run is done.
        start_new_session=True,
        **(identity or {}),
    )
    server = GuardedServer(folder, guard)
    try:
        _wait_until_ready(server, is_ready, command)
        yield server
    finally:
        _stop(server)


def _wait_until_ready(
    server: GuardedServer, is_ready: Callable[[GuardedServer], bool], command: Sequence[str | Path]
) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ((server.folder / "pid").exists() and is_ready(server)):
        if server.has_stopped or time.monotonic() > deadline:
            state = "stopped at once" if server.has_stopped else f"was not ready after {START_TIMEOUT:.0f} s"
            line = shlex.join(map(str, command))
            raise ServerStartError(f"A server for the tests {state}: {line}\n{server.log or '(no log)'}")
        time.sleep(POLL_INTERVAL)


def _stop(server: GuardedServer) -> None:
    cast("IO[bytes]", server.guard.stdin).close()
    try:
        server.guard.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"A server for the tests had to be killed:\n{server.log}\n")
        os.killpg(server.guard.pid, signal.SIGKILL)
        server.guard.wait()
