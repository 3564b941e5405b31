"""What other services need to check our tokens."""

from fastapi import APIRouter, Request, Response

from otp_auth.api.caching import cacheable
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import CurrentTokens
from otp_auth.tokens.timing import JWKS_MAX_AGE

_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",  # of RFC 7515, appendix A.3
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "kid": "0190b3c4-6f1c",
    "alg": "ES256",
    "use": "sig",
}
_TEXTS = {name: {"type": "string"} for name in ("kty", "kid", "alg", "use")}
_KEY_SET = {
    "type": "object",
    "required": ["keys"],
    "properties": {
        "keys": {
            "type": "array",
            "items": {"type": "object", "required": list(_TEXTS), "properties": _TEXTS},
        }
    },
}

router = APIRouter(route_class=ContractRoute)


@router.head("/.well-known/jwks.json", include_in_schema=False)
@router.get(
    "/.well-known/jwks.json",
    operation_id="getJwks",
    tags=["other services"],
    summary="Get the keys that check access tokens",
    response_class=Response,
    responses={
        200: {
            "description": "A JWK set (RFC 7517)",
            "content": {"application/json": {"schema": _KEY_SET, "example": {"keys": [_KEY]}}},
        },
        304: {"description": "Not changed since the ETag in If-None-Match"},
    },
)
async def jwks(request: Request, tokens: CurrentTokens) -> Response:
    """Return the keys that sign now, signed before, or will sign next. May be cached."""
    return cacheable(request, tokens.keys.jwks(), JWKS_MAX_AGE)
