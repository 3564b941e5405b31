"""Starts a server from a run of its own, and kills that run the hard way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
_RUN = """
import sys, time
from {module} import {name}
with {name}() as server:
    print(server.process.folder, server.process.pid, flush=True)
    time.sleep(600)
"""


def leaves_nothing_when_killed(module: str, name: str) -> None:
    """Fail unless the server and its folder vanish after their test run got SIGKILL."""
    with subprocess.Popen(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", _RUN.format(module=module, name=name)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(_TESTS)},
    ) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().decode().split()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(folder).exists() or _is_running(int(pid)):
        assert time.monotonic() < deadline, f"{folder} or process {pid} outlived its test run"
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
