"""What the tests share: databases of both kinds, signing keys, the Sinch simulator, the whole service."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from otp_auth import database, main
from otp_auth.settings import Settings
from otp_auth.tokens.keys import generate_key
from support.compilations import shared_compilations
from support.databases import PostgresTemplate, SqliteTemplate
from support.postgres import PostgresServer, postgres_server
from support.service import Service, running_service, settings_for
from support.simulator import RunningSimulator, running_simulator
from support.valkey import ValkeyServer, valkey_server

NewService = Callable[..., AbstractAsyncContextManager[Service]]
REGULAR_WORK = {name: getattr(main, name) for name in ("follow_regularly", "carry_out_resets_regularly")}


@pytest.fixture(scope="session", autouse=True)
def _nothing_from_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither a developer's environment nor a `.env` decides what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OTP_AUTH_") and "_TEST_" not in name]:
            patch.delenv(name)
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with shared_compilations():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> PostgresTemplate:
    return PostgresTemplate(postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def sqlite_database(sqlite_template: SqliteTemplate, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite database."""
    return sqlite_template.copy_to(tmp_path)


@pytest.fixture
def postgres_database(postgres_template: PostgresTemplate) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database."""
    with postgres_template.copy() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database: each test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a busy machine takes isn't what is tested."""
    for timeout in ("CHECKOUT_TIMEOUT", "STATEMENT_TIMEOUT", "LOCK_TIMEOUT"):
        monkeypatch.setattr(database, timeout, 60)


@pytest.fixture(autouse=True)
def _nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service does each second is done when a test says so: `by_itself` lets it run."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    for work in REGULAR_WORK:
        monkeypatch.setattr(main, work, never)


@pytest.fixture
def by_itself(_nothing_by_itself: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service follow messages and carry out resets by itself."""
    for work, really in REGULAR_WORK.items():
        monkeypatch.setattr(main, work, really)


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    generate_key(directory)
    return directory


@pytest_asyncio.fixture(scope="session")
async def simulator() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as running:
        yield running


@pytest.fixture
def new_settings(
    database_url: str, signing_keys: Path, simulator: RunningSimulator
) -> Callable[..., Settings]:
    """Make settings that differ from the tests' usual ones: `new_settings(challenge={"attempts": 1})`."""

    def new(**overrides: Any) -> Settings:
        return settings_for(database_url, signing_keys, simulator.base_url, **overrides)

    return new


@pytest.fixture
def new_service(new_settings: Callable[..., Settings], simulator: RunningSimulator) -> NewService:
    """Start a service with settings of its own: `async with new_service(send={…}) as service:`."""

    def new(**overrides: Any) -> AbstractAsyncContextManager[Service]:
        return running_service(new_settings(**overrides), simulator)

    return new


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    """The service on a fresh database of each kind."""
    async with new_service() as running:
        yield running
