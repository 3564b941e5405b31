"""Reads the settings of a command and says in plain lines what is wrong with them."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from otp_auth.cli.data_dir import DataFolder
from otp_auth.cli.refusal import refuse
from otp_auth.settings import Settings, load_settings


def read_settings(data_dir: Path | None = None, **presets: Any) -> Settings:
    """Return the settings; of `dev`'s folder if one is named. Exits with 1 when they can't be read."""
    folder = DataFolder(data_dir).presets() if data_dir else {}
    try:
        return load_settings(**{**folder, **presets})
    except ValidationError as error:
        refuse(*map(_line, error.errors(include_input=False, include_url=False, include_context=False)))
    except SettingsError as error:
        refuse(str(error))


def require_database(settings: Settings) -> str:
    """Return the address of the database. Exits with 1 when there is none."""
    url = settings.database_url.get_secret_value()
    if not url:
        refuse("OTP_AUTH_DATABASE_URL is missing: set it, or name a folder of `otp-auth dev` by --data-dir")
    return url


def _line(error: Any) -> str:
    levels = [str(part).upper() for part in error["loc"] if isinstance(part, str)]
    return f"OTP_AUTH_{'__'.join(levels)}: {error['msg']}"
