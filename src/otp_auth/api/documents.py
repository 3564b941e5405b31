"""What the repository keeps in `docs/` of the sources: `./dev docs` writes it, a test holds it current."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI

from otp_auth import __version__
from otp_auth.api.examples import EXAMPLE_REQUEST_ID, EXAMPLE_URL
from otp_auth.api.openapi import DESCRIPTION, TAGS, TITLE, openapi
from otp_auth.api.problem_catalogue import LESSONS
from otp_auth.api.problem_pages import PARTS, explain
from otp_auth.api.routes import ROUTES
from otp_auth.api.schemas import ProblemExplanation

ERRORS_BEGIN = """# Errors

Every refusal is [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details with the content type
`application/problem+json`. Switch on `code`, and for codes that you don't know on `status`; `title` and
`detail` are English, for people. Quote `request_id` when you report something. 401 comes with
`WWW-Authenticate`, 429 and 503 with `Retry-After` in whole seconds. `type` is an address of the service
that says what this page says (`/problems/wrong_code`), as a page to a browser and as JSON to others.

The two routes that speak OAuth, `/oauth2/introspect` and `/oauth2/revoke`, refuse in the form of RFC 6749
instead: see [checking access tokens](verify-tokens.md).

This page is written from the sources by `./dev docs`.

| code | status | what it means |
|---|---|---|
"""


def documents() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {"openapi.json": _openapi(), "errors.md": _errors()}


def _openapi() -> str:
    """The document that a running service shows, without one: no setting has a say in it."""
    app = FastAPI(
        title=TITLE, version=__version__, description=DESCRIPTION, openapi_tags=TAGS, routes=list(ROUTES)
    )
    return json.dumps(openapi(app), indent=2, ensure_ascii=False) + "\n"


def _errors() -> str:
    explained = [explain(code, EXAMPLE_URL) for code in LESSONS]
    explained.sort(key=lambda each: (each.status, each.code))
    rows = [f"| [`{each.code}`](#{each.code}) | {each.status} | {each.meaning} |" for each in explained]
    sections = [line for each in explained for line in _section(each)]
    return ERRORS_BEGIN + "\n".join([*rows, *sections]) + "\n"


def _section(explained: ProblemExplanation) -> Iterator[str]:
    yield from ("", f"## {explained.code}", "", f"{explained.status}: {explained.title}", "")
    for name, heading in PARTS.items():
        yield f"- *{heading}:* {getattr(explained, name)}"
    example = explained.example | {"request_id": EXAMPLE_REQUEST_ID}
    yield from ("", "```json", json.dumps(example, indent=2, ensure_ascii=False), "```")


if __name__ == "__main__":
    for name, text in documents().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
