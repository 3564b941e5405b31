"""`otp-auth dev`: everything on one port, with nothing else installed."""

from pathlib import Path
from typing import Annotated, Any

import typer
from fastapi import FastAPI

from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataFolder
from otp_auth.cli.host_names import answering_to
from otp_auth.cli.migrate import upgrade_database
from otp_auth.cli.refusal import refuse
from otp_auth.cli.server import own_address, run
from otp_auth.demo.app import create_demo
from otp_auth.logs import configure_logs
from otp_auth.main import create_app
from otp_auth.settings import Settings
from otp_auth.simulator.app import create_simulator
from otp_auth.startup_checks import reasons_not_to_start
from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.key_files import list_keys
from otp_auth.tokens.keys import generate_keys

# Enough for a day's work and a test suite. The rules for a number and an account are those of production.
AN_HOUR = 1000
FLOODS = f"{AN_HOUR}/hour"  # for each address
EVERY_CHANNEL = ("sms", "voice", "whatsapp", "flashcall")
DAILY_COST = 10_000  # of money that nobody pays

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


def dev(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: Annotated[Path, typer.Option(help="Folder for database, keys and secrets.")] = Path(
        ".otp-auth"
    ),
) -> None:
    """Start the service on SQLite with a Sinch simulator and a demo app beside it. State survives a restart.

    Environment variables win over what is preset here.
    """
    address = own_address(host, port)
    folder = DataFolder(data_dir)
    folder.prepare()
    settings = read_settings(**_presets(folder, address))
    if settings.in_production:  # everybody could read the codes, and forge events with Sinch's secret
        refuse("`otp-auth dev` is not for production: run `otp-auth serve`, or unset OTP_AUTH_ENVIRONMENT")
    if reasons := reasons_not_to_start(settings):
        refuse(*reasons)
    configure_logs(settings)
    _prepare(settings)
    simulator = create_simulator(
        settings.simulator,
        application_key=settings.sinch.application_key.get_secret_value(),
        application_secret=settings.sinch.application_secret.get_secret_value(),
        journal=folder.simulator_journal,
    )
    app = _app(settings, simulator)
    _say_where(address)
    run(answering_to(app, host, settings.public_url), host, port)


def _presets(folder: DataFolder, address: str) -> dict[str, Any]:
    presets = folder.presets()
    floods = dict.fromkeys(("credentials", "codes", "tokens", "account", "services"), FLOODS)
    return {
        **presets,
        "public_url": address,
        "sinch": {**presets["sinch"], "base_url": f"{address}/sandbox"},
        "simulator": {"callback_url": f"{address}/webhooks/sinch"},
        "rate_limits": floods,
        "send": {**presets["send"], **_wide_budgets(), "methods": EVERY_CHANNEL},
        "guesses": {
            "passwordless_address_5_minutes": AN_HOUR,
            "passwordless_address_hour": AN_HOUR,
            "passwordless_day": 24 * AN_HOUR,
        },
    }


def _wide_budgets() -> dict[str, int]:
    """Budgets of messages that many tries from one address and into one country don't reach."""
    areas = ("per_address", "per_block", "per_country", "global")
    hours = {f"{area}_hour": AN_HOUR for area in areas}
    days = {f"{area}_day": 24 * AN_HOUR for area in areas}
    return hours | days | {"daily_cost": DAILY_COST, "breaker_minimum": AN_HOUR}


def _prepare(settings: Settings) -> None:
    """Migrate the database, and make signing keys where there are none: one signs, one is published ahead."""
    upgrade_database(require_database(settings))
    directory = settings.tokens.signing_keys_dir
    try:
        if not list_keys(directory):
            generate_keys(directory, settings.tokens.algorithm)
    except (SigningKeysError, OSError) as error:
        refuse(str(error))


def _app(settings: Settings, simulator: FastAPI) -> FastAPI:
    try:
        return create_app(settings, {"/sandbox": simulator, "/demo": create_demo()})
    except SigningKeysError as error:
        refuse(str(error))


def _say_where(address: str) -> None:
    typer.echo(f"otp-auth   {address}/api/v1")
    typer.echo(f"try it     {address}/docs")
    typer.echo(f"inbox      {address}/sandbox/   (the codes arrive here)")
    typer.echo(f"demo       {address}/demo/")
