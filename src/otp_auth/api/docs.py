"""`/openapi.json` and `/docs`: Swagger UI from an installed package, so that no other site is asked."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from otp_auth.api.examples import EXAMPLES
from otp_auth.api.problems import MEDIA_TYPE, InternalError, all_refusals, refusals
from otp_auth.api.schemas import Problem

# Swagger UI writes styles into its elements and draws small pictures from data addresses.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>otp-auth API</title><link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>
"""
START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true,
  persistAuthorization: true,
  presets: [SwaggerUIBundle.presets.apis], tryItOutEnabled: true, displayRequestDuration: true});
"""
TITLE = "otp-auth"
DESCRIPTION = """A password and a code on the phone. Register or log in, take the `pending_token` to the `otp`
routes, prove the code, and hold an access token that any service can check with the keys of
`/.well-known/jwks.json`. Refusals are RFC 9457 problem details: switch on `code`."""
TAGS = [
    {"name": "registration", "description": "1. A phone number and a password, confirmed by the phone."},
    {"name": "login", "description": "2. The password: the first factor."},
    {"name": "second factor", "description": "3. The code: send it, see where it stands, prove it."},
    {"name": "account", "description": "4. The person behind the access token."},
    {"name": "tokens", "description": "5. Refresh and logout."},
    {"name": "sessions", "description": "6. Where one is logged in, and how to end that."},
    {"name": "other services", "description": "Check access tokens elsewhere."},
    {"name": "operation", "description": "Health, and what a refusal means."},
]


def add_docs(app: FastAPI) -> None:
    """Serve the OpenAPI document and a page to try it."""
    app.get("/openapi.json", include_in_schema=False)(_show_document)
    app.get("/docs", include_in_schema=False)(_show_page)
    app.get("/docs/start.js", include_in_schema=False)(_start_page)
    app.mount("/docs/assets", StaticFiles(directory=_assets()))


# Not inside add_docs: FastAPI remembers each endpoint for good, and with it an application that it holds.
async def _show_document(request: Request) -> dict[str, Any]:
    return openapi(request.app)


async def _show_page() -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": CSP})


async def _start_page() -> Response:
    return Response(START, media_type="text/javascript")


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's document, with the one shape of every refusal in it."""
    document = app.openapi()
    if "Problem" not in document["components"]["schemas"]:
        _complete(document)
    return document


def _complete(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for foreign in ("HTTPValidationError", "ValidationError"):
        schemas.pop(foreign, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    problem["properties"]["code"] = {"$ref": "#/components/schemas/ProblemCode"}
    schemas["ProblemCode"] = {
        "type": "string",
        "enum": sorted(all_refusals()),
        "description": "What to switch on. A later version may have more: treat those by their status.",
    }
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    for operation in _operations(document):
        operation["responses"] |= {str(status): entry for status, entry in refusals(InternalError).items()}
        if MEDIA_TYPE not in operation["responses"].get("422", {}).get("content", {}):
            # FastAPI's own shape of a refusal, which no route answers with.
            operation["responses"].pop("422", None)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _assets() -> Path:
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise RuntimeError(
            "fastapi-offline is not installed: install the packages of requirements/runtime.lock"
        )
    return Path(package.origin).parent / "static"
