"""`otp-auth simulator`: the Sinch simulator on its own."""

import typer

from otp_auth.cli.configuration import read_settings
from otp_auth.cli.dev import Host, Port
from otp_auth.cli.host_names import answering_to, is_loopback
from otp_auth.cli.refusal import refuse
from otp_auth.cli.server import own_address, run
from otp_auth.logs import configure_logs
from otp_auth.simulator.app import create_simulator
from otp_auth.sinch.signing import decode_secret


def simulator(host: Host = "127.0.0.1", port: Port = 9100) -> None:
    """Start the Sinch simulator. Key and secret are those of OTP_AUTH_SINCH__…."""
    settings = read_settings()
    key = settings.sinch.application_key.get_secret_value()
    secret = settings.sinch.application_secret.get_secret_value()
    if not key or not secret:
        refuse(
            "OTP_AUTH_SINCH__APPLICATION_KEY and OTP_AUTH_SINCH__APPLICATION_SECRET are missing: "
            "requests are checked against them"
        )
    try:
        decode_secret(secret)
    except ValueError as error:
        refuse(f"OTP_AUTH_SINCH__APPLICATION_SECRET: {error}")
    configure_logs(settings)
    typer.echo(f"Sinch simulator   {own_address(host, port)}/   (the codes arrive here)")
    if settings.simulator.callback_url:
        typer.echo(f"callbacks go to   {settings.simulator.callback_url}")
    app = create_simulator(settings.simulator, application_key=key, application_secret=secret)
    run(answering_to(app, host) if is_loopback(host) else app, host, port)
