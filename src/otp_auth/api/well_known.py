"""What other services need to check our tokens, and what people need to understand our refusals."""

import json
from html import escape

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from otp_auth.api.caching import cacheable
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import CurrentTokens
from otp_auth.api.problems import NotFoundError, all_refusals, problem, refusals
from otp_auth.tokens.timing import JWKS_MAX_AGE

router = APIRouter(route_class=ContractRoute)


@router.head("/.well-known/jwks.json", include_in_schema=False)
@router.get(
    "/.well-known/jwks.json",
    operation_id="getJwks",
    tags=["other services"],
    summary="Public keys of access tokens",
    response_class=Response,
    responses={
        200: {
            "description": "A JWK set (RFC 7517)",
            "content": {"application/json": {"schema": {"type": "object", "required": ["keys"]}}},
        },
        304: {"description": "Not changed since the ETag in If-None-Match"},
    },
)
async def jwks(request: Request, tokens: CurrentTokens) -> Response:
    """Return the keys that sign now, signed before, or will sign next. May be cached."""
    return cacheable(request, tokens.keys.jwks(), JWKS_MAX_AGE)


@router.get(
    "/problems/{code}",
    operation_id="getProblem",
    tags=["operation"],
    summary="What a problem code means",
    response_class=Response,
    responses={
        200: {"description": "The explanation", "content": {"text/html": {}, "application/json": {}}},
        **refusals(NotFoundError),
    },
)
async def explain_problem(code: str, request: Request) -> Response:
    """Explain a code: as JSON to whoever asks for it, as a page to a browser."""
    error = all_refusals().get(code)
    if error is None:
        raise NotFoundError
    example = problem(error(), request.app.state.settings.public_url)
    explained = {name: example[name] for name in ("type", "title", "status", "detail", "code")}
    if "text/html" not in request.headers.get("accept", ""):
        return Response(json.dumps(explained), media_type="application/json")
    return HTMLResponse(_page(explained))


def _page(explained: dict[str, object]) -> str:
    title, detail, code, status = (
        escape(str(explained[name])) for name in ("title", "detail", "code", "status")
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{detail}</p><p>Code <code>{code}</code>, HTTP status {status}.</p></html>"
    )
