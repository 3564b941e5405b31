"""The database: one engine, and transactions that are short. SQLite and PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from random import SystemRandom
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import DateTime, Dialect, Enum, MetaData, TypeDecorator, event, make_url, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from otp_auth.errors import OverloadedError

CHECKOUT_TIMEOUT = 2  # seconds to wait for a connection, then 503
STATEMENT_TIMEOUT = 5  # seconds
LOCK_TIMEOUT = 3  # seconds
POOL_SIZE = 20
# PostgreSQL gave this transaction up for the sake of another one: serialization failure, deadlock.
CONFLICTS = ("40001", "40P01")
CONFLICT_TRIES = 3
LONGEST_PAUSE = 0.05  # seconds, before another try

_READS = "otp_auth_reads"  # execution option: this transaction only reads


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive time reached the database; use datetime.now(UTC)")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# As text, without a list of values in the schema: a new value needs no migration.
_TEXT_OF_ENUM = Enum(
    StrEnum, native_enum=False, length=16, values_callable=lambda kind: [each.value for each in kind]
)


class Base(DeclarativeBase):
    """Every table. Constraints have names, so that migrations can drop them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, StrEnum: _TEXT_OF_ENUM}  # noqa: RUF012 - SQLAlchemy reads it from the class


class Database:
    """Hands out transactions. Each is short; none is open while Sinch answers or a hash is computed."""

    def __init__(self, url: str, info: Mapping[str, bool] | None = None) -> None:
        """Open a database. Each transaction that writes carries `info`, for who joins it."""
        self.engine = _new_engine(url)
        self._turns = asyncio.Lock() if self.engine.dialect.name == "sqlite" else None
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False, info=dict(info or {}))
        reading = self.engine.execution_options(**{_READS: True})
        self._reading = async_sessionmaker(reading, expire_on_commit=False)

    def write(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Begin a transaction that commits at the end of the block, or rolls back on an exception.

        Raises OverloadedError where SQLite's one writer has too many before it.
        """
        return self._writing.begin() if self._turns is None else self._write_in_turn(self._turns)

    @asynccontextmanager
    async def _write_in_turn(self, turns: asyncio.Lock) -> AsyncIterator[AsyncSession]:
        # SQLite lets any that waits go next, so that under load some would wait for ever.
        try:
            async with asyncio.timeout(LOCK_TIMEOUT):
                await turns.acquire()
        except TimeoutError:
            raise OverloadedError from None
        try:
            async with self._writing.begin() as session:
                yield session
        finally:
            turns.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Begin a transaction that only looks: on SQLite it doesn't wait for the one writer."""
        async with self._reading() as session:
            yield session

    async def ping(self) -> None:
        """Raise SQLAlchemyError when the database doesn't answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def again_after_conflict(
    transaction: Callable[Arguments, Awaitable[Result]],
) -> Callable[Arguments, Awaitable[Result]]:
    """Repeat a function that is one transaction where PostgreSQL gave it up for another one."""

    @wraps(transaction)
    async def repeated(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        for _ in range(CONFLICT_TRIES - 1):
            try:
                return await transaction(*args, **kwargs)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in CONFLICTS:
                    raise
            # At random, so that the same two don't meet again.
            await asyncio.sleep(SystemRandom().uniform(0, LONGEST_PAUSE))
        return await transaction(*args, **kwargs)

    return repeated


def _new_engine(url: str) -> AsyncEngine:
    # Parameters hold phone numbers and hashes: they must not reach a log through an exception.
    if make_url(url).get_backend_name() == "sqlite":
        return _new_sqlite_engine(url)
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CHECKOUT_TIMEOUT,
        pool_pre_ping=True,
        connect_args={
            "timeout": CHECKOUT_TIMEOUT,
            "server_settings": {
                "application_name": "otp-auth",
                "statement_timeout": f"{STATEMENT_TIMEOUT}s",
                "lock_timeout": f"{LOCK_TIMEOUT}s",
                "idle_in_transaction_session_timeout": f"{STATEMENT_TIMEOUT}s",
            },
        },
    )


def _new_sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url, hide_parameters=True, pool_timeout=CHECKOUT_TIMEOUT, connect_args={"timeout": LOCK_TIMEOUT}
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_on_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, too late for "one writer": we begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_on_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading a read lock later fails without waiting.
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def make_folder_for(url: str) -> None:
    """Create the folder of an SQLite file."""
    database = make_url(url).database
    if make_url(url).get_backend_name() == "sqlite" and database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)


def upsert(session: AsyncSession, table: type[Base]) -> Any:
    """Build an INSERT that knows ON CONFLICT, in the dialect of this session's database."""
    dialect = session.get_bind().dialect.name
    return sqlite_insert(table) if dialect == "sqlite" else postgresql_insert(table)
