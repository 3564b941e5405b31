"""The folder that `otp-auth dev` keeps its state in: database, signing keys, secrets, simulator."""

import json
import os
import secrets
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from otp_auth.cli.refusal import refuse

FOLDER_MODE = 0o700
SINCH_SECRET_BYTES = 16

DataDir = Annotated[
    Path | None,
    typer.Option(help="Work on what `otp-auth dev` made in this folder; otherwise the settings say where."),
]


@dataclass(frozen=True)
class DataFolder:
    """Paths inside the folder."""

    path: Path

    @property
    def secrets_file(self) -> Path:
        return self.path / "secrets.json"

    @property
    def simulator_journal(self) -> Path:
        return self.path / "simulator.jsonl"

    def prepare(self) -> None:
        """Make the folder and its secrets where they are missing. Exits with 1 when it can't be written."""
        try:
            self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            if not self.secrets_file.exists():
                _write_private(self.secrets_file, json.dumps(_new_secrets(), indent=2))
        except OSError as error:
            refuse(f"{self.path} can't be written ({error.strerror}): name another folder by --data-dir")

    def presets(self) -> dict[str, Any]:
        """Return the settings that point here. Refuses a folder that `dev` hasn't made."""
        try:
            known = json.loads(self.secrets_file.read_text())
            pair = {name: known[name] for name in ("application_key", "application_secret")}
            secret_key = known["secret_key"]
        except FileNotFoundError:
            refuse(f"{self.path} was not made by `otp-auth dev`: start that first, or leave --data-dir out")
        except (OSError, ValueError, KeyError, TypeError):
            refuse(f"{self.secrets_file} can't be read: restore it, or move {self.path} away and start anew")
        return {
            "environment": "development",
            "database_url": f"sqlite+aiosqlite:///{self.path.absolute() / 'otp-auth.sqlite3'}",
            "secret_key": secret_key,
            "sinch": pair,
            "tokens": {"signing_keys_dir": self.path.absolute() / "keys"},
            "send": {"countries": "*"},
        }


def _new_secrets() -> dict[str, str]:
    return {
        "secret_key": secrets.token_urlsafe(32),
        "application_key": str(uuid4()),
        "application_secret": b64encode(secrets.token_bytes(SINCH_SECRET_BYTES)).decode(),
    }


def _write_private(path: Path, text: str) -> None:
    """Write whole or not at all, for the owner's eyes only."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
