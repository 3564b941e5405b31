"""`otp-auth purge`: removes expired rows; a running service does so by itself."""

import asyncio

import typer

from otp_auth import housekeeping
from otp_auth.audit.outbox import open_database
from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.migrate import unusable
from otp_auth.cli.refusal import refuse
from otp_auth.migrations import UNREACHABLE
from otp_auth.settings import Settings


def purge(data_dir: DataDir = None) -> None:
    """Remove rows that expired more than a day ago."""
    settings = read_settings(data_dir)
    require_database(settings)
    try:
        counts = asyncio.run(_purge(settings))
    except UNREACHABLE as error:
        refuse(unusable(error))
    typer.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))


async def _purge(settings: Settings) -> dict[str, int]:
    database = open_database(settings)
    try:
        return await housekeeping.purge(database, settings)
    finally:
        await database.close()
