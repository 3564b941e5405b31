"""The Markdown pages of this repository, and a service to run their examples against."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")),
]
ADDRESS = "http://127.0.0.1:8000"  # of `./dev start`, in the pages
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)


def block(page: str, language: str, beginning: str = "") -> str:
    """Return the one fenced block of a page that begins so."""
    (found,) = [text for of, text in blocks(page) if of == language and text.startswith(beginning)]
    return found


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, their heads left out."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", read(page), re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """Run `otp-auth dev` until the block ends, and return its address."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "otp_auth",
        "dev",
        "--port",
        str(port),
        "--data-dir",
        str(folder / "data"),
    ]
    log = folder / "log"
    with log.open("wb") as output:
        service = subprocess.Popen(  # noqa: S603 - the project's own command
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(service, address, log)
        yield address
    finally:
        service.terminate()
        try:
            service.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()


def wait_until_healthy(service: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not is_healthy(address):
        assert service.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def is_healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
