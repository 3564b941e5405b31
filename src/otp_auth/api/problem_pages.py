"""`/problems/{code}`: where the `type` of each refusal leads, as a page for people and as JSON."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from otp_auth.api import schemas
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.problem_catalogue import LESSONS
from otp_auth.api.problems import NotFoundError, all_refusals, problem, refusals

router = APIRouter(route_class=ContractRoute)

STYLE = """
:root { color-scheme: light dark;
  --ink: #1c2127; --soft: #5c6670; --line: #d9dee3; --ground: #fff; --box: #f5f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa4ae; --line: #353c44; --ground: #14181c; --box: #1d2329 }
}
body { margin: 0 auto; padding: 3rem 1.25rem; max-width: 44rem; color: var(--ink); background: var(--ground);
  font: 1rem/1.6 system-ui, sans-serif }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.25 }
h2 { margin: 2rem 0 .25rem; font-size: 1rem }
p { margin: 0 }
.facts, nav { color: var(--soft) }
code, pre { font: .875em/1.6 ui-monospace, monospace }
pre { margin: .5rem 0 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--box); border: 1px solid var(--line); border-radius: .5rem }
nav { margin-top: 3rem; padding-top: 1.25rem; border-top: 1px solid var(--line) }
nav a { margin-right: .75rem; color: inherit; display: inline-block }
nav a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none }
"""
_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PARTS = {
    "meaning": "What it means",
    "when": "When it comes",
    "show": "What to show",
    "next_step": "What to do next",
}


@router.get(
    "/problems/{code}",
    operation_id="getProblem",
    tags=["operation"],
    summary="Explain a problem code",
    response_class=Response,
    responses={
        200: {
            "model": schemas.ProblemExplanation,
            "description": "The explanation",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        **refusals(NotFoundError),
    },
)
async def explain_problem(
    code: Annotated[str, Path(description="of a refusal", examples=["wrong_code"])], request: Request
) -> Response:
    """Explain a code: as JSON to whoever asks for it, as a page to a browser."""
    if code not in LESSONS:
        raise NotFoundError
    explanation = explain(code, request.app.state.settings.public_url)
    if "text/html" not in request.headers.get("accept", ""):
        return Response(explanation.model_dump_json(), media_type="application/json")
    return HTMLResponse(page(explanation), headers={"Content-Security-Policy": CSP})


def explain(code: str, public_url: str) -> schemas.ProblemExplanation:
    """Put together what a refusal says of itself and what the catalogue teaches of it."""
    error, lesson = all_refusals()[code], LESSONS[code]
    general = problem(error(), public_url)
    return schemas.ProblemExplanation(
        **{name: general[name] for name in ("type", "title", "status", "detail", "code")},
        **{name: getattr(lesson, name) for name in PARTS},
        example=problem(error.example(), public_url),
    )


def page(explanation: schemas.ProblemExplanation) -> str:
    """Draw it for people. Links are relative: a proxy may put a path before ours."""
    parts = "".join(
        f"<h2>{heading}</h2><p>{_marked_up(getattr(explanation, name))}</p>"
        for name, heading in PARTS.items()
    )
    title, example = escape(explanation.title), escape(_indented(explanation.example))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p class="facts"><code>{escape(explanation.code)}</code>, HTTP status {explanation.status}</p>'
        f"{parts}<h2>An example</h2><pre>{example}</pre></main>"
        f'<nav aria-label="All codes">{_links(explanation.code)}</nav></body></html>\n'
    )


def _marked_up(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _indented(example: dict[str, Any]) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)


def _links(present: str) -> str:
    marks = {present: ' aria-current="page"'}
    return " ".join(f'<a href="{code}"{marks.get(code, "")}>{code}</a>' for code in sorted(LESSONS))
