"""Migrated databases for the tests, each a copy of one that was migrated once."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from otp_auth import migrations
from support.postgres import PostgresServer

_COUNTER: Iterator[int] = count(1)


def in_a_thread(work: Callable[[], object]) -> None:
    """Alembic runs an event loop of its own: it needs a thread that has none."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result()


class SqliteTemplate:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.sqlite3"
        in_a_thread(lambda: migrations.upgrade(sqlite_url(self._file)))

    def copy_to(self, folder: Path) -> str:
        """Return the URL of a fresh database in this folder."""
        file = folder / "otp-auth.sqlite3"
        shutil.copy(self._file, file)
        return sqlite_url(file)


class PostgresTemplate:
    """Lends databases. What comes back is emptied and lent again: a tenth of the work of a new copy."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._empty: list[str] = []
        url = server.create_database("template_otp_auth")
        in_a_thread(lambda: migrations.upgrade(url))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Return the URL of a migrated, empty database that is the caller's until the block ends."""
        name = self._empty.pop() if self._empty else self._new()
        try:
            yield self._server.url(name)
        finally:
            if self._server.empty_database(name, revision=migrations.head()):
                self._empty.append(name)
            else:
                self._server.drop_database(name)

    def _new(self) -> str:
        name = f"test_{next(_COUNTER)}"
        self._server.create_database(name, template="template_otp_auth")
        return name


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
