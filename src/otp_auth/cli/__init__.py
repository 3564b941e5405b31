"""The command `otp-auth`. Exit codes: 0 done, 1 refused with one clear line, 2 misuse."""

import typer

from otp_auth.cli.dev import dev
from otp_auth.cli.doctor import doctor
from otp_auth.cli.keys import keys
from otp_auth.cli.migrate import migrate
from otp_auth.cli.purge import purge
from otp_auth.cli.serve import serve
from otp_auth.cli.simulator import simulator
from otp_auth.cli.users import users

application = typer.Typer(
    help="A login service for one job: a password and a code on the phone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (dev, serve, migrate, simulator, doctor, purge):
    application.command()(command)
application.add_typer(keys, name="keys")
application.add_typer(users, name="users")


def main() -> None:
    application()
