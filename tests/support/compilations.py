"""What SQLAlchemy compiled for one test serves the next: engines differ, statements don't."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from otp_auth import database


@contextmanager
def shared_compilations() -> Iterator[None]:
    """Let every engine of the service share them until the block ends.

    SQLAlchemy keeps what it compiled by the dialect's instance, of which each engine makes one: here all of a
    kind are equal.
    """
    compilations: dict[Any, Any] = {}

    def create(url: str, **options: Any) -> AsyncEngine:
        return create_async_engine(url, execution_options={"compiled_cache": compilations}, **options)

    with pytest.MonkeyPatch.context() as patch:
        for kind in (PGDialect_asyncpg, SQLiteDialect_aiosqlite):
            patch.setattr(kind, "__hash__", lambda dialect: hash(type(dialect)))
            patch.setattr(kind, "__eq__", lambda dialect, other: type(dialect) is type(other))
        patch.setattr(database, "create_async_engine", create)
        yield
