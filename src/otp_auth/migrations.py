"""The schema's history: where its scripts are, and whether a database stands at their end."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from otp_auth.database import Database

UNREACHABLE = (SQLAlchemyError, OSError)  # what a database that can't be used raises

_INSTALLED = Path(__file__).parent / "alembic"  # inside a wheel
_CHECKOUT = Path(__file__).parents[2] / "alembic"


@dataclass(frozen=True)
class SchemaState:
    """Which revision a database has, and which one this version of the service wants."""

    present: str | None
    wanted: str | None

    @property
    def is_current(self) -> bool:
        return self.present == self.wanted


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision. Blocks, and needs a thread without a running event loop."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Bring a database down to a revision. Blocks, as `upgrade` does."""
    command.downgrade(_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's CommandError when the models and the migrated schema differ."""
    command.check(_config(url))


@cache
def head() -> str | None:
    """The newest revision that this version of the service knows."""
    return ScriptDirectory.from_config(_config("")).get_current_head()


async def present_revision(database: Database) -> str | None:
    """The revision of a database; None for one that was never migrated. Raises DBAPIError, OSError."""
    await database.ping()
    try:
        async with database.read() as tx:
            revision: str | None = await tx.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
    except DBAPIError:  # it answers, and has no such table
        return None


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = url
    return config
