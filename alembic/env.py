"""Runs migrations, on SQLite and PostgreSQL alike, for `alembic` and for `otp-auth migrate`."""

import asyncio
from typing import Any, Literal

from alembic import context
from sqlalchemy import Column, Enum, String, event, pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from otp_auth.database import UtcDateTime
from otp_auth.models import Base
from otp_auth.settings import load_settings

config = context.config


def database_url() -> str:
    """Return the address that `otp_auth.migrations` passes, else that of the settings."""
    url = config.attributes.get("database_url") or load_settings().database_url.get_secret_value()
    if not url:
        raise SystemExit("OTP_AUTH_DATABASE_URL is missing: set it, or use `otp-auth migrate --data-dir DIR`")
    return str(url)


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own types into a migration as the plain ones they stand for."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def is_same_type(
    _context: object, _inspected: Column[object], declared: Column[object], found: object, wanted: object
) -> bool | None:
    """Enums are stored as text; a longer or shorter column is still a change."""
    if isinstance(wanted, String) and isinstance(found, String):
        return wanted.length != found.length
    return None if not isinstance(declared.type, UtcDateTime) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        compare_type=is_same_type,
        # SQLite can't alter a table: it is copied. Each migration commits by itself.
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    engine = create_async_engine(database_url(), poolclass=pool.NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        begin_transactions_ourselves(engine)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


def begin_transactions_ourselves(engine: AsyncEngine) -> None:
    """SQLite's driver commits after each change of the schema: what is killed would be half done."""

    def leave_transactions_alone(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    event.listen(engine.sync_engine, "connect", leave_transactions_alone)
    event.listen(engine.sync_engine, "begin", take_the_lock)


def take_the_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


if context.is_offline_mode():
    raise SystemExit("SQL scripts are not offered: run the migration against the database itself")
asyncio.run(run_online())
