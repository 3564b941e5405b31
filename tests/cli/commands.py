"""The command `otp-auth` as an operator runs it: in a process, a folder and an environment of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from support.ports import free_port

PATIENCE = 90  # seconds: far more than anything takes, also beside others
PASSWORDS = {"OTP_AUTH_PASSWORDS__BCRYPT_COST": "4"}
SETTINGS = {
    "OTP_AUTH_PUBLIC_URL": "https://auth.example.com",
    "OTP_AUTH_SECRET_KEY": "q3V0Z1hKbW5YcFJ0Y2dKd2ZsT3hQYk5u",
    "OTP_AUTH_SINCH__APPLICATION_KEY": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "OTP_AUTH_SINCH__APPLICATION_SECRET": "AAECAwQFBgcICQoLDA0ODw==",
    "OTP_AUTH_SEND__COUNTRIES": "SE",
}

Answer = subprocess.CompletedProcess[str]
Run = Callable[..., Answer]


def clean_environment(**variables: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("OTP_AUTH_")}
    return ours | variables


def in_new_process(*arguments: str, cwd: Path, **variables: str) -> Answer:
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "otp_auth", *arguments],
        cwd=cwd,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


# Imports once and forks for each command: quicker than a new interpreter, and a process all the same.
_LAUNCHER = """
import json, os, runpy, signal, sys
import otp_auth.cli
for line in sys.stdin:
    job = json.loads(line)
    if not (child := os.fork()):
        signal.alarm(job["patience"])
        for name, descriptor in (("/dev/null", 0), (job["out"], 1), (job["err"], 2)):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
        os.chdir(job["cwd"])
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.argv = ["otp-auth", *job["arguments"]]
        runpy.run_module("otp_auth", run_name="__main__", alter_sys=False)
        sys.exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="session")
def launcher() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _LAUNCHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def run(launcher: "subprocess.Popen[str]", tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command to its end, as `in_new_process` does."""

    def run(*arguments: str, cwd: Path, **variables: str) -> Answer:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        folder = tmp_path_factory.mktemp("output")
        out, err = folder / "out", folder / "err"
        job = {
            "arguments": arguments,
            "cwd": str(cwd),
            "environment": clean_environment(**variables),
            "out": str(out),
            "err": str(err),
            "patience": PATIENCE,
        }
        print(json.dumps(job), file=launcher.stdin, flush=True)
        code = int(launcher.stdout.readline())
        return Answer(arguments, code, out.read_text(), err.read_text())

    return run


def assert_refused(answer: Answer, *reasons: str) -> None:
    """One line for each reason on standard error, and nothing for programmers."""
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""
    lines = [line for line in answer.stderr.splitlines() if line.startswith("otp-auth: ")]
    assert len(lines) == len(reasons), answer.stderr
    for line, reason in zip(lines, reasons, strict=True):
        assert reason in line


@dataclass(frozen=True)
class Server:
    """A server that runs in a process of its own."""

    process: "subprocess.Popen[bytes]"
    address: str
    output: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", trust_env=False, timeout=10)

    def wait_for(self, path: str) -> None:
        """Ask until the answer is 200."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, self.output.read_text()
            with suppress(httpx.HTTPError):
                if self.get(path).status_code == httpx.codes.OK:
                    return
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)

    def terminate(self, word: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end. Returns the exit code, once its workers are gone too."""
        self.process.send_signal(word)
        code = self.process.wait(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while self.has_processes():
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def has_processes(self) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False


@contextmanager
def running(*arguments: str, cwd: Path, ready: str = "/health", **variables: str) -> Iterator[Server]:
    """Start a server on a free port, and leave no process of it behind."""
    port, output = free_port(), cwd / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "otp_auth", *arguments, "--port", str(port)],
            cwd=cwd,
            env=clean_environment(**variables),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    server = Server(process, f"http://127.0.0.1:{port}", output)
    try:
        server.wait_for(ready)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
