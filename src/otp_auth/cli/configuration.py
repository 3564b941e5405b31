"""Reads the settings of a command and says in plain lines what is wrong with them, never quoting a value."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from otp_auth.cli.data_dir import DataFolder
from otp_auth.cli.refusal import refuse
from otp_auth.settings import Settings, load_settings
from otp_auth.startup_checks import ADVICE_ON_DATABASES, is_database_address


def read_settings(data_dir: Path | None = None, **presets: Any) -> Settings:
    """Return the settings; of `dev`'s folder if one is named. Exits with 1 when they can't be read."""
    folder = DataFolder(data_dir).presets() if data_dir else {}
    try:
        return load_settings(**{**folder, **presets})
    except ValidationError as error:
        # By name: of a union, every member complains.
        lines = map(_line, error.errors(include_input=False, include_url=False, include_context=False))
        refuse(*dict.fromkeys(lines))
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        refuse(f"OTP_AUTH_{field[1].upper() if field else '…'}: this must be a JSON object")


def require_database(settings: Settings) -> str:
    """Return the address of the database. Exits with 1 when there is none."""
    url = settings.database_url.get_secret_value()
    if not url:
        refuse("OTP_AUTH_DATABASE_URL is missing: set it, or name a folder of `otp-auth dev` by --data-dir")
    if not is_database_address(url):
        refuse(ADVICE_ON_DATABASES)
    return url


def _line(error: Any) -> str:
    # The words for a plain ValueError come from Python, which quotes what it couldn't read.
    words = "this can't be read: see .env.example" if error["type"] == "value_error" else error["msg"]
    return f"{_variable(error['loc'])}: {words}"


def _variable(location: tuple[int | str, ...]) -> str:
    """Name the variable: what follows the setting's own name is Pydantic's business."""
    levels: list[str] = []
    model: Any = Settings
    for part in location:
        if not (isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields):
            break
        levels.append(str(part).upper())
        model = model.model_fields[str(part)].annotation
    return f"OTP_AUTH_{'__'.join(levels)}"
