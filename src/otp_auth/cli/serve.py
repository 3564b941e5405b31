"""`otp-auth serve`: the production server. It makes no secrets and migrates nothing."""

import os
from pathlib import Path
from typing import Annotated

import typer

from otp_auth import migrations
from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.dev import Host, Port
from otp_auth.cli.migrate import behind, present_revision
from otp_auth.cli.refusal import refuse
from otp_auth.cli.server import own_address, run
from otp_auth.logs import configure_logs
from otp_auth.metrics import shared_by_workers
from otp_auth.settings import Settings
from otp_auth.startup_checks import reasons_not_to_start
from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.keys import load_keys


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that serve.")] = 1,
    data_dir: DataDir = None,
) -> None:
    """Start the production server. Refuses unsafe settings, a schema that is behind, and missing keys."""
    presets = {"public_url": own_address(host, port)} if data_dir else {}
    settings = read_settings(data_dir, **presets)
    reasons = reasons_not_to_start(settings, workers)
    if reasons:
        refuse(*reasons)
    configure_logs(settings)
    present = present_revision(require_database(settings))
    if present != migrations.head():
        refuse(behind(present))
    _require_keys(settings)
    if data_dir:
        _hand_on(settings)
    with shared_by_workers(workers):
        run("otp_auth.main:from_environment", host, port, factory=True, workers=workers)


def _require_keys(settings: Settings) -> None:
    try:
        load_keys(settings.tokens.signing_keys_dir)
    except SigningKeysError as error:
        refuse(str(error))


def _hand_on(settings: Settings) -> None:
    """Leave to the workers, in their environment, what came from the folder of `dev`."""
    os.environ |= {
        "OTP_AUTH_ENVIRONMENT": settings.environment,
        "OTP_AUTH_PUBLIC_URL": settings.public_url,
        "OTP_AUTH_DATABASE_URL": settings.database_url.get_secret_value(),
        "OTP_AUTH_SECRET_KEY": settings.secret_key.get_secret_value(),
        "OTP_AUTH_SINCH__APPLICATION_KEY": settings.sinch.application_key.get_secret_value(),
        "OTP_AUTH_SINCH__APPLICATION_SECRET": settings.sinch.application_secret.get_secret_value(),
        "OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(Path(settings.tokens.signing_keys_dir).absolute()),
        "OTP_AUTH_SEND__COUNTRIES": ",".join(settings.send.countries),
    }
