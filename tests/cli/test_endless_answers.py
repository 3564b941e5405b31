"""The inbox page's stream has no end of its own: it must not hold up the server's."""

import threading
import time
from pathlib import Path

import httpx
import pytest
from commands import PATIENCE, SETTINGS, Server, running

from otp_auth.simulator.stream import HEARTBEAT

AT_ONCE = HEARTBEAT - 3  # seconds, on a busy machine: before the streams look up by themselves


@pytest.mark.parametrize(("command", "stream"), [("dev", "/sandbox/stream"), ("simulator", "/stream")])
def test_a_server_ends_though_pages_listen(tmp_path: Path, command: str, stream: str) -> None:
    arguments = ("--data-dir", "data") if command == "dev" else ()
    variables = {} if command == "dev" else SETTINGS
    with running(command, *arguments, cwd=tmp_path, ready=stream[:-6], **variables) as server:
        pages = [Page(server, stream) for _ in range(3)]
        assert all(page.hears.wait(PATIENCE) for page in pages)
        began = time.monotonic()
        code = server.terminate()
        took = time.monotonic() - began
        for page in pages:
            page.join(PATIENCE)

    assert code == 0
    assert took < AT_ONCE
    assert [page.ended_well for page in pages] == [True] * 3
    assert "Traceback" not in server.output.read_text()


class Page(threading.Thread):
    """Listens until the server has said all."""

    def __init__(self, server: Server, path: str) -> None:
        super().__init__(daemon=True)
        self.url = f"{server.address}{path}"
        self.hears = threading.Event()
        self.ended_well = False
        self.start()

    def run(self) -> None:
        with httpx.stream("GET", self.url, trust_env=False, timeout=2 * PATIENCE) as answer:
            for _ in answer.iter_bytes():
                self.hears.set()
            self.ended_well = True  # an answer that breaks off is an exception
