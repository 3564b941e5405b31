"""`otp-auth keys`: the keys that sign access tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from otp_auth.cli.configuration import read_settings
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.refusal import refuse
from otp_auth.settings import Settings
from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.key_files import KeyEntry, KeyState, list_keys
from otp_auth.tokens.keys import generate_keys
from otp_auth.tokens.rotation import Rotation, overlap
from otp_auth.tokens.rotation import retire as retire_key
from otp_auth.tokens.rotation import rotate as rotate_keys
from otp_auth.tokens.timing import JWKS_MAX_AGE

keys = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)

# A kid may begin with a dash.
TAKES_A_KID = {"ignore_unknown_options": True}


@keys.command()
def generate(data_dir: DataDir = None) -> None:
    """Make the first keys, one that signs and the `next` one; later a `next` one in place of what waits."""
    settings = read_settings(data_dir)
    directory = settings.tokens.signing_keys_dir
    with _refusing():
        waiting = [entry.kid for entry in list_keys(directory) if entry.state is KeyState.NEXT]
        kids = generate_keys(directory, settings.tokens.algorithm)
    for kid in kids:
        typer.echo(f"{kid} in {directory}")
    for kid in waiting:
        typer.echo(f"{kid} waited to be next, and is gone")


@keys.command()
def rotate(data_dir: DataDir = None) -> None:
    """Let the next key sign. What the last one signed holds until it ends; nobody is logged out."""
    settings = read_settings(data_dir)
    with _refusing():
        rotation = rotate_keys(
            settings.tokens.signing_keys_dir, settings.tokens.algorithm, _overlap(settings)
        )
    _tell(rotation)


@keys.command(context_settings=TAKES_A_KID)
def retire(kid: Annotated[str, typer.Argument(help="Its id.")], data_dir: DataDir = None) -> None:
    """Emergency: refuse at once what a key signed, and delete it. Sessions go on by their refresh tokens."""
    settings = read_settings(data_dir)
    with _refusing():
        retirement = retire_key(settings.tokens.signing_keys_dir, kid, settings.tokens.algorithm)
    if retirement.was_dead:
        typer.echo(f"{kid} is retired already")
        return
    typer.echo(f"{kid} is retired: running servers refuse its access and pending tokens within 10 seconds")
    typer.echo("refresh tokens go on, so nobody is logged out; who was about to prove a code starts anew")
    if retirement.signing:
        typer.echo(f"{retirement.signing.kid} signs now")
    if retirement.coming:
        typer.echo(f"{retirement.coming} is next")


@keys.command(name="list")
def show(data_dir: DataDir = None) -> None:
    """List the keys, oldest first."""
    directory = read_settings(data_dir).tokens.signing_keys_dir
    with _refusing():
        entries = list_keys(directory)
    for entry in entries:
        typer.echo(f"{entry.kid}  {entry.algorithm}  {entry.state}  {_time(entry.created_at)}{_hold(entry)}")
    if not entries:
        typer.echo(f"No keys in {directory}: run `otp-auth keys generate`.", err=True)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (SigningKeysError, OSError) as error:
        refuse(str(error))


def _overlap(settings: Settings) -> timedelta:
    return overlap(settings.tokens.access_lifetime, settings.challenge.pending_lifetime)


def _tell(rotation: Rotation) -> None:
    typer.echo(f"{rotation.signing.kid} signs now; running servers take it within 10 seconds")
    typer.echo(f"{rotation.retired.kid} is retired{_hold(rotation.retired)}")
    typer.echo(f"{rotation.coming.kid} is next")
    for entry in rotation.pruned:
        typer.echo(f"{entry.kid} is deleted")
    if rotation.published_for < JWKS_MAX_AGE:
        seconds = int(rotation.published_for.total_seconds())
        typer.echo(
            f"The key that signs now was published for only {seconds} s: services that keep the JWKS, "
            "as they may for 5 minutes, may refuse tokens until they ask for it again.",
            err=True,
        )


def _hold(entry: KeyEntry) -> str:
    if entry.state is not KeyState.RETIRED:
        return ""
    if not entry.holds(datetime.now(UTC)):
        return "  refused"
    return f"  holds until {_time(entry.holds_until)}" if entry.holds_until else "  holds without an end"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
