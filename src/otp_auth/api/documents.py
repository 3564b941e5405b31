"""What the repository keeps in `docs/` of the sources: `./dev docs` writes it, a test holds it current."""

import json
import sys
from pathlib import Path

from fastapi import FastAPI

from otp_auth import __version__
from otp_auth.api.docs import DESCRIPTION, TAGS, TITLE, openapi
from otp_auth.api.routes import ROUTES


def documents() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {"openapi.json": _openapi()}


def _openapi() -> str:
    """The document that a running service shows, without one: no setting has a say in it."""
    app = FastAPI(
        title=TITLE, version=__version__, description=DESCRIPTION, openapi_tags=TAGS, routes=list(ROUTES)
    )
    return json.dumps(openapi(app), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, text in documents().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
