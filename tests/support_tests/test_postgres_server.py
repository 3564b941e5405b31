import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from otp_auth.accounts.models import User
from support import postgres
from support.databases import PostgresTemplate
from support.guarded_server import Identity, ServerStartError
from support.postgres import URL_VARIABLE, PostgresServer, postgres_server
from support.run_lifetime import leaves_nothing_when_killed

A_USER = {
    "phone_number": "+46701740605",
    "phone_verified_at": datetime.now(UTC),
    "password_hash": "x",
    "created_at": datetime.now(UTC),
}
HOW_MANY = select(func.count()).select_from(User)


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)


async def version_of(server: PostgresServer) -> int:
    engine = create_async_engine(server.url("postgres"))
    try:
        async with engine.connect() as connection:
            return int(await connection.scalar(text("SHOW server_version_num")) or 0)
    finally:
        await engine.dispose()


async def test_a_server_lives_as_long_as_its_block() -> None:
    with postgres_server() as server:
        assert await version_of(server) >= 150000
        assert server.process is not None
        folder, pid = server.process.folder, server.process.pid
        assert folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) == 0

    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_databases_come_and_go_while_a_loop_runs() -> None:
    with postgres_server() as server:
        original = create_async_engine(server.create_database("with-a-table"))
        async with original.begin() as connection:
            await connection.execute(text("CREATE TABLE filled AS SELECT 42 AS answer"))
        await original.dispose()

        copy = create_async_engine(server.create_database("copy", template="with-a-table"))
        async with copy.connect() as connection:
            assert await connection.scalar(text("SELECT answer FROM filled")) == 42
            server.drop_database("copy")  # the open connection is thrown out
            server.drop_database("copy")  # dropping twice is no mistake
            await connection.invalidate()
        await copy.dispose()


class TestTemplates:
    async def test_a_database_comes_back_without_rows_and_is_lent_again(
        self, postgres_template: PostgresTemplate
    ) -> None:
        with postgres_template.copy() as url:
            left_open = create_async_engine(url)
            async with left_open.begin() as connection:
                await connection.execute(insert(User).values(A_USER))
                assert await connection.scalar(HOW_MANY) == 1
            # The connection went back to its pool, and is open.

        with postgres_template.copy() as again:
            assert again == url
            engine = create_async_engine(again)
            async with engine.connect() as connection:
                assert await connection.scalar(HOW_MANY) == 0
            await engine.dispose()
        await left_open.dispose()

    async def test_one_whose_schema_was_changed_is_not(self, postgres_template: PostgresTemplate) -> None:
        with postgres_template.copy() as url:
            engine = create_async_engine(url)
            async with engine.begin() as connection:
                await connection.execute(text("DROP TABLE alembic_version"))
            await engine.dispose()

        with postgres_template.copy() as other:
            assert other != url


async def test_binaries_in_a_closed_folder_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_may_run", lambda *_: False)

    with postgres_server() as server:
        assert await version_of(server) >= 150000
        assert server.process is not None
        assert (server.process.folder / "site-packages").is_dir()


def test_a_folder_that_nobody_may_enter_is_noticed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    shutil.copy("/bin/sh", closed / "postgres")
    closed.chmod(0)
    try:
        assert not postgres._may_run(closed, postgres._unprivileged())
    finally:
        closed.chmod(0o700)


def test_binaries_that_do_not_run_are_named(tmp_path: Path) -> None:
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho 'wrong libc' >&2; exit 127\n")
    program.chmod(0o755)

    with pytest.raises(ServerStartError, match=rf"wrong libc(.|\n)*{URL_VARIABLE}"):
        postgres._may_run(tmp_path, Identity())


def test_a_server_that_does_not_start_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_START", postgres._START + " -c no_such_setting=1")

    with pytest.raises(ServerStartError, match="no_such_setting"), postgres_server():
        pytest.fail("nothing should have started")


def test_a_killed_run_leaves_nothing() -> None:
    leaves_nothing_when_killed("support.postgres", "postgres_server")


def test_a_given_server_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "postgresql://tester:s%40crit@db.example:5433/anything")

    with postgres_server() as server:
        assert server.url("other") == "postgresql+asyncpg://tester:s%40crit@db.example:5433/other"
        assert server.process is None
