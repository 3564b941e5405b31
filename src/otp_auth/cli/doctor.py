"""`otp-auth doctor`: looks at what the service needs, and says how good a guesser's odds are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import redis.asyncio
import typer
from loguru import logger
from redis.exceptions import RedisError
from sqlalchemy import make_url

from otp_auth import migrations
from otp_auth.cli.apps import app_findings
from otp_auth.cli.configuration import read_settings
from otp_auth.cli.data_dir import DataDir, DataFolder
from otp_auth.cli.findings import Finding, Level, note, ok, unsafe
from otp_auth.cli.guessing import Makers, callback_findings, find_makers, odds_findings
from otp_auth.cli.migrate import behind, unusable
from otp_auth.cli.server import own_address
from otp_auth.database import Database
from otp_auth.factors.resealing import count_by_key
from otp_auth.identifiers import new_id
from otp_auth.main import REDIS_TIMEOUT
from otp_auth.migrations import UNREACHABLE
from otp_auth.settings import Settings
from otp_auth.sinch.client import NotFound, Refused, SinchVerificationClient, StatusOutcome, new_http_client
from otp_auth.startup_checks import is_database_address, reasons_not_to_start
from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.keys import load_keys

_ABOUT_CREDENTIALS = ("401", "403")  # how Sinch's error codes begin


def doctor(data_dir: DataDir = None) -> None:
    """Check settings and what they lead to, and the odds of guessing a code. Exit 1 on anything unsafe."""
    settings = read_settings(data_dir, **_presets(data_dir))
    logger.disable("otp_auth")  # the findings say it all
    try:
        findings = asyncio.run(_examine(settings))
    finally:
        logger.enable("otp_auth")
    for finding in findings:
        typer.echo(finding)
    if any(finding.level is Level.UNSAFE for finding in findings):
        raise typer.Exit(1)


def _presets(data_dir: Path | None) -> dict[str, Any]:
    """Where `dev` serves a folder, and the simulator beside it, unless it was told otherwise."""
    if data_dir is None:
        return {}
    address = own_address("127.0.0.1", 8000)
    sinch = {**DataFolder(data_dir).presets()["sinch"], "base_url": f"{address}/sandbox"}
    return {"public_url": address, "sinch": sinch}


async def _examine(settings: Settings) -> list[Finding]:
    schema, makers = await _look_into_database(settings)
    return [
        *_of_settings(settings),
        *schema,
        *await _of_redis(settings.redis_url.get_secret_value()),
        *_of_keys(settings),
        *await _of_sinch(settings),
        *_of_proxies(settings),
        *(callback_findings(makers) if makers else ()),
        *odds_findings(settings, makers or Makers()),
    ]


def _of_settings(settings: Settings) -> Iterator[Finding]:
    reasons = reasons_not_to_start(settings)
    yield from map(unsafe, reasons)
    if not reasons:
        yield ok(f"the settings are fit for {settings.environment}")
    if settings.trusted_devices.enabled:
        yield note(
            "devices are trusted in place of the second factor: SP 800-63B-4 5.1 doesn't allow that, and "
            "such logins are aal1"
        )
    if settings.send.mode == "watch":
        yield note("the send shield only watches: no country, kind of number or budget holds a message back")


async def _look_into_database(settings: Settings) -> tuple[list[Finding], Makers | None]:
    """Say where the schema stands and, if that is right, what of apps, and who made the newest codes."""
    url = settings.database_url.get_secret_value()
    if not is_database_address(url):
        return [], None  # the settings' own reasons say so
    if _is_missing_file(url):
        return [unsafe(behind(None))], None
    try:
        async with _opened(url) as database:
            present = await migrations.present_revision(database)
            if present != migrations.head():
                return [unsafe(behind(present))], None
            apps = app_findings(await count_by_key(database), settings)
            stands = ok(f"the database answers, its schema stands at {present}")
            return [stands, *apps], await find_makers(database)
    except UNREACHABLE as error:
        return [unsafe(unusable(error))], None


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


def _is_missing_file(url: str) -> bool:
    """Say whether SQLite would have to make the file: a look must not."""
    address = make_url(url)
    return address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file()


async def _of_redis(url: str) -> list[Finding]:
    if not url:
        return []
    try:
        client = redis.asyncio.from_url(
            url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT
        )
        async with client:
            await client.ping()
    except (RedisError, OSError, ValueError) as error:
        kind = type(error).__name__  # its words may quote the address, password included
        return [
            unsafe(
                f"Redis can't be used ({kind}), so each worker counts floods alone: see OTP_AUTH_REDIS_URL"
            )
        ]
    return [ok("Redis answers")]


def _of_keys(settings: Settings) -> Iterator[Finding]:
    try:
        keys = load_keys(settings.tokens.signing_keys_dir)
    except SigningKeysError as error:
        yield unsafe(str(error))
    else:
        yield ok(f"access tokens are signed by {keys.signing.kid}")


async def _of_sinch(settings: Settings) -> list[Finding]:
    """Ask for a verification that nobody started: whoever is told that there is none has the right pair."""
    pair = settings.sinch.application_key, settings.sinch.application_secret
    if not all(each.get_secret_value() for each in pair):
        return []  # the settings' own reasons say so
    try:
        async with new_http_client(settings.sinch) as http:
            client = SinchVerificationClient(http, settings.sinch)
            outcome = await client.status_by_reference(str(new_id()))
    except (ValueError, httpx.InvalidURL):
        return [
            unsafe("Sinch can't be asked: see OTP_AUTH_SINCH__BASE_URL and the application's key and secret")
        ]
    return [_judge_sinch(outcome, settings)]


def _judge_sinch(outcome: StatusOutcome, settings: Settings) -> Finding:
    away = unsafe if settings.in_production else note
    match outcome:
        case NotFound():
            return ok("Sinch takes our application's key and secret")
        case Refused(error_code) if error_code.startswith(_ABOUT_CREDENTIALS):
            return unsafe(
                f"Sinch refuses our application ({error_code}): copy key and secret from its dashboard"
            )
        case Refused(error_code):
            return away(
                f"Sinch gave an answer that it shouldn't ({error_code}): see OTP_AUTH_SINCH__BASE_URL"
            )
    return away("Sinch gives no usable answer: see OTP_AUTH_SINCH__BASE_URL, and whether it can be reached")


def _of_proxies(settings: Settings) -> Iterator[Finding]:
    everybody = [str(network) for network in settings.trusted_proxies if network.prefixlen == 0]
    if everybody:
        yield unsafe(
            f"OTP_AUTH_TRUSTED_PROXIES names {' and '.join(everybody)}: anybody could choose the address "
            "that limits count for"
        )
    elif settings.trusted_proxies:
        yield ok(f"{len(settings.trusted_proxies)} networks of proxies are trusted to name the caller")
    else:
        yield ok("no proxy is trusted: callers are known by the address that connects")
