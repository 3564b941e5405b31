"""How a command says no."""

from typing import NoReturn

import typer


def refuse(*reasons: str) -> NoReturn:
    """Print one line for each reason and exit with 1."""
    for reason in reasons:
        typer.echo(f"otp-auth: {reason}", err=True)
    raise typer.Exit(1)
