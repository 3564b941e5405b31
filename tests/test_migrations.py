"""The schema goes up and down on both databases: by our own functions, by alembic, and from a wheel."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from otp_auth import migrations
from otp_auth.accounts.models import User
from otp_auth.database import Database
from otp_auth.models import Base
from support.databases import in_a_thread, sqlite_url
from support.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[1]
TABLES = {*Base.metadata.tables, "alembic_version"}


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that was never migrated."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "empty.sqlite3")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid4().hex}"
    yield server.create_database(name)
    server.drop_database(name)


async def tables_of(url: str) -> set[str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    return set(names)


async def revision_of(url: str) -> str | None:
    database = Database(url)
    try:
        return await migrations.present_revision(database)
    finally:
        await database.close()


async def execute(url: str, statement: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


class TestUpAndDown:
    async def test_the_round_trip(self, empty_database: str) -> None:
        seen = []
        for step in (
            lambda: migrations.upgrade(empty_database),
            lambda: migrations.downgrade(empty_database, "base"),
            lambda: migrations.upgrade(empty_database),
        ):
            in_a_thread(step)
            seen.append((await revision_of(empty_database), await tables_of(empty_database)))

        assert seen == [
            (migrations.head(), TABLES),
            (None, {"alembic_version"}),
            (migrations.head(), TABLES),
        ]

    async def test_models_and_migrations_agree(self, database_url: str) -> None:
        in_a_thread(lambda: migrations.check(database_url))

    async def test_one_step_down_and_up_again(self, database_url: str) -> None:
        in_a_thread(lambda: migrations.downgrade(database_url, "-1"))
        in_a_thread(lambda: migrations.upgrade(database_url))

        in_a_thread(lambda: migrations.check(database_url))

    async def test_accounts_survive_an_upgrade(self, database_url: str) -> None:
        database, now = Database(database_url), datetime.now(UTC)
        user = User(phone_number="+46700000000", phone_verified_at=now, password_hash="x", created_at=now)
        async with database.write() as tx:
            tx.add(user)

        in_a_thread(lambda: migrations.upgrade(database_url))

        async with database.read() as tx:
            found = await tx.get_one(User, user.id)
        await database.close()
        assert (found.phone_number, found.created_at) == ("+46700000000", now)

    async def test_a_migration_that_fails_leaves_nothing_behind(self, empty_database: str) -> None:
        await execute(empty_database, "CREATE TABLE refresh_tokens (id INTEGER)")

        with pytest.raises(DBAPIError):
            in_a_thread(lambda: migrations.upgrade(empty_database, "0001"))

        assert await tables_of(empty_database) - {"alembic_version"} == {"refresh_tokens"}
        await execute(empty_database, "DROP TABLE refresh_tokens")
        in_a_thread(lambda: migrations.upgrade(empty_database))
        assert await tables_of(empty_database) == TABLES


class TestPresentRevision:
    async def test_none_before_the_first_migration(self, empty_database: str) -> None:
        assert await revision_of(empty_database) is None

    async def test_an_unknown_one_is_told_as_it_is(self, database_url: str) -> None:
        await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

        assert await revision_of(database_url) == "9999"

    async def test_a_database_that_is_away_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(migrations.UNREACHABLE):
            await revision_of(sqlite_url(tmp_path / "missing" / "x.sqlite3"))


def run(*command: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with nothing of ours in its environment but what is given."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTP_AUTH_", "PYTHON"))
    }
    return subprocess.run(  # noqa: S603 - the tests' own commands
        [sys.executable, *command],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def alembic(*arguments: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return run("-m", "alembic", "-c", str(ROOT / "alembic.ini"), *arguments, cwd=cwd, **environment)


class TestAlembicItself:
    async def test_up_check_down(self, empty_database: str, tmp_path: Path) -> None:
        variables = {"OTP_AUTH_DATABASE_URL": empty_database}

        answers = [
            alembic(*words, cwd=tmp_path, **variables)
            for words in (["upgrade", "head"], ["check"], ["downgrade", "base"])
        ]

        assert [(answer.returncode, answer.stderr.count("Traceback")) for answer in answers] == [(0, 0)] * 3
        assert "No new upgrade operations detected" in answers[1].stdout
        assert await tables_of(empty_database) == {"alembic_version"}

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            pytest.param(["current"], "OTP_AUTH_DATABASE_URL is missing", id="no address"),
            pytest.param(["upgrade", "head", "--sql"], "SQL scripts are not offered", id="offline"),
        ],
    )
    def test_it_refuses_in_one_line(self, tmp_path: Path, arguments: list[str], words: str) -> None:
        answer = alembic(*arguments, cwd=tmp_path)

        assert answer.returncode == 1
        assert words in answer.stderr
        assert "Traceback" not in answer.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    answer = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return next(folder.glob("otp_auth-*.whl"))


class TestWheel:
    def test_it_carries_scripts_and_pages(self, wheel: Path) -> None:
        with closing(zipfile.ZipFile(wheel)) as archive:
            names = set(archive.namelist())

        package = ROOT / "src" / "otp_auth"
        pages = {
            f"otp_auth/{page.relative_to(package)}" for page in package.glob("*/page/*") if page.is_file()
        }
        scripts = {f"otp_auth/alembic/versions/{path.name}" for path in ROOT.glob("alembic/versions/*.py")}
        assert {"otp_auth/simulator/page/inbox.html", *pages} <= names
        assert {"otp_auth/alembic/env.py", "otp_auth/alembic/script.py.mako", *scripts} <= names
        assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]

    async def test_it_migrates_without_the_checkout(self, wheel: Path, tmp_path: Path) -> None:
        url = sqlite_url(tmp_path / "installed.sqlite3")
        with closing(zipfile.ZipFile(wheel)) as archive:
            archive.extractall(tmp_path / "installed")
        program = f"import otp_auth.migrations as m; print(m.__file__); m.upgrade({url!r}); m.check({url!r})"

        answer = run("-c", program, cwd=tmp_path, PYTHONPATH=str(tmp_path / "installed"))

        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.startswith(str(tmp_path / "installed"))
        assert await revision_of(url) == migrations.head()
