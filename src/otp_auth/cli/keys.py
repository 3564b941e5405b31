"""`otp-auth keys`: the keys that sign access tokens."""

import typer

from otp_auth.cli.configuration import read_settings
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.refusal import refuse
from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.keys import generate_key, list_keys

keys = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)


@keys.command()
def generate(data_dir: DataDir = None) -> None:
    """Make a key: the first one signs, a second one waits as `next`."""
    settings = read_settings(data_dir)
    directory = settings.tokens.signing_keys_dir
    try:
        kid = generate_key(directory, settings.tokens.algorithm)
    except (SigningKeysError, OSError) as error:
        refuse(str(error))
    typer.echo(f"{kid} in {directory}")


@keys.command(name="list")
def show(data_dir: DataDir = None) -> None:
    """List the keys, oldest first."""
    directory = read_settings(data_dir).tokens.signing_keys_dir
    try:
        entries = list_keys(directory)
    except SigningKeysError as error:
        refuse(str(error))
    for entry in entries:
        typer.echo(f"{entry.kid}  {entry.algorithm}  {entry.state}  {entry.created_at:%Y-%m-%dT%H:%M:%SZ}")
    if not entries:
        typer.echo(f"No keys in {directory}: run `otp-auth keys generate`.", err=True)
