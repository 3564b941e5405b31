"""`otp-auth migrate`: brings the schema to where this version wants it."""

import asyncio
from typing import Annotated

import typer
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from otp_auth import migrations
from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.refusal import refuse
from otp_auth.database import Database, make_folder_for
from otp_auth.logs import configure_logs


def migrate(
    to: Annotated[str, typer.Option(metavar="REV", help="Revision to go up to.")] = "head",
    check: Annotated[bool, typer.Option("--check", help="Only say whether the schema is behind.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database's schema up. With --check: change nothing, exit 1 when it is behind."""
    settings = read_settings(data_dir)
    url = require_database(settings)
    configure_logs(settings)
    try:
        if not check:
            make_folder_for(url)
            migrations.upgrade(url, to)
        present = asyncio.run(_present_revision(url))
    except CommandError as error:
        refuse(f"{error}: the revisions are listed by `alembic history`")
    except (SQLAlchemyError, OSError) as error:
        refuse(f"the database can't be reached ({type(error).__name__}): see OTP_AUTH_DATABASE_URL")
    _report(present, check=check)


def _report(present: str | None, *, check: bool) -> None:
    if check and present != migrations.head():
        refuse(
            f"the schema stands at {present or 'nothing'}, not at {migrations.head()}: run `otp-auth migrate`"
        )
    typer.echo(f"The schema stands at {present}.")


async def _present_revision(url: str) -> str | None:
    database = Database(url)
    try:
        return await migrations.present_revision(database)
    finally:
        await database.close()
