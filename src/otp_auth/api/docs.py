"""`/openapi.json` and `/docs`: Swagger UI from an installed package, so that no other site is asked."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from otp_auth.api.openapi import openapi

# Swagger UI writes styles into its elements and draws small pictures from data addresses.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>otp-auth API</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>
"""
START = """// What no page can send: "Authorize" asks only for what a person can paste.
const NOT_FROM_A_PAGE = ["RefreshCookie", "SinchSignature"];

const canBeShown = (wanted) => !NOT_FROM_A_PAGE.some((scheme) => scheme in wanted);

function withoutThem(received) {
  const document = structuredClone(received);
  const schemes = Object.entries(document.components.securitySchemes);
  const shown = schemes.filter(([scheme]) => !NOT_FROM_A_PAGE.includes(scheme));
  document.components.securitySchemes = Object.fromEntries(shown);
  for (const operation of Object.values(document.paths).flatMap(Object.values)) {
    if (operation.security) operation.security = operation.security.filter(canBeShown);
  }
  return document;
}

// Each field of "Authorize" asks for the focus, and the last one gets it. The first token of the walk shall.
function focusFirstField(asked) {
  if (asked) requestAnimationFrame(() => document.querySelector(".auth-container input")?.focus());
}

const forPeople = () => ({
  statePlugins: {
    spec: {wrapActions: {updateJsonSpec: (update) => (received) => update(withoutThem(received))}},
    auth: {
      wrapActions: {
        showDefinitions: (show) => (asked) => {
          const shown = show(asked);
          focusFirstField(asked);
          return shown;
        },
      },
    },
  },
});

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [forPeople],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
});
"""


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


def _assets() -> Path:
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise RuntimeError(
            "fastapi-offline is not installed: install the packages of requirements/runtime.lock"
        )
    return Path(package.origin).parent / "static"
