import socket
from pathlib import Path
from threading import Thread

import pytest

from support.watching import watching


def test_a_connection_is_seen_also_from_another_thread() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def connect() -> None:
        socket.create_connection(listener.getsockname()).close()

    with listener, watching() as seen:
        thread = Thread(target=connect)
        thread.start()
        thread.join()

    assert any(event.startswith("socket.connect") for event in seen)


def test_a_file_that_is_not_there_is_seen(tmp_path: Path) -> None:
    with watching() as seen, pytest.raises(FileNotFoundError):
        (tmp_path / "nothing.pem").read_bytes()

    assert any(event.startswith("open") and "nothing.pem" in event for event in seen)


def test_nothing_is_collected_afterwards(tmp_path: Path) -> None:
    with watching() as seen:
        pass
    (tmp_path / "file").write_bytes(b"")

    assert seen == []
