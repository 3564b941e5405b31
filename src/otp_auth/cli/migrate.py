"""`otp-auth migrate`: brings the schema to where this version wants it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from alembic.util.exc import CommandError
from sqlalchemy import make_url

from otp_auth import migrations
from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.refusal import refuse
from otp_auth.database import Database, make_folder_for
from otp_auth.logs import configure_logs
from otp_auth.migrations import UNREACHABLE


def migrate(
    to: Annotated[str, typer.Option(metavar="REV", help="Revision to go up to.")] = "head",
    check: Annotated[bool, typer.Option("--check", help="Only say whether the schema is behind.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database's schema up. With --check: change nothing, exit 1 when it is behind."""
    settings = read_settings(data_dir)
    url = require_database(settings)
    configure_logs(settings)
    if not check:
        upgrade_database(url, to)
    present = present_revision(url)
    if check and present != migrations.head():
        refuse(behind(present))
    typer.echo(f"The schema stands at {present}.")


def upgrade_database(url: str, revision: str = "head") -> None:
    """Make the folder of an SQLite file, then migrate. Exits with 1 when that fails."""
    try:
        make_folder_for(url)
        migrations.upgrade(url, revision)
    except CommandError as error:
        refuse(f"{error}: the revisions are listed by `alembic history`")
    except UNREACHABLE as error:
        refuse(unusable(error))


def present_revision(url: str) -> str | None:
    """Return the revision of a database. Exits with 1 when it can't be asked."""
    if _is_missing_file(url):
        return None
    try:
        return asyncio.run(_present_revision(url))
    except UNREACHABLE as error:
        refuse(unusable(error))


def behind(present: str | None) -> str:
    return f"the schema stands at {present or 'nothing'}, not at {migrations.head()}: run `otp-auth migrate`"


def unusable(error: Exception) -> str:
    """Name the kind of error alone: its words may quote the address, password included."""
    return f"the database can't be used ({type(error).__name__}): see OTP_AUTH_DATABASE_URL"


def _is_missing_file(url: str) -> bool:
    """Say whether SQLite would have to make the file: asking for its revision must not."""
    address = make_url(url)
    return address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file()


async def _present_revision(url: str) -> str | None:
    database = Database(url)
    try:
        return await migrations.present_revision(database)
    finally:
        await database.close()
