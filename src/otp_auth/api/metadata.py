"""Where a library that knows only the issuer finds the rest (RFC 8414)."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from otp_auth.api.caching import cacheable
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import CurrentSettings

router = APIRouter(route_class=ContractRoute)
LIFETIME = timedelta(seconds=300)
_ADDRESS = {"type": "string", "format": "uri"}
_NAMES = {"type": "array", "items": {"type": "string"}}
_SCHEMA = {
    "type": "object",
    "required": ["issuer", "jwks_uri", "response_types_supported"],
    "properties": {
        "issuer": _ADDRESS,
        "jwks_uri": _ADDRESS,
        "response_types_supported": _NAMES,
        "acr_values_supported": _NAMES,
        "introspection_endpoint": _ADDRESS,
        "introspection_endpoint_auth_methods_supported": _NAMES,
        "revocation_endpoint": _ADDRESS,
        "revocation_endpoint_auth_methods_supported": _NAMES,
        "service_documentation": _ADDRESS,
    },
}


def metadata_of(public_url: str, *, has_docs: bool) -> dict[str, Any]:
    """Return the metadata of RFC 8414 2. The Host header of a request has no say in it."""
    documentation = {"service_documentation": f"{public_url}/docs"} if has_docs else {}
    return {
        "issuer": public_url,
        "jwks_uri": f"{public_url}/.well-known/jwks.json",
        # Required, and an empty list would have to be left out. Nobody logs in here by OAuth: there is no
        # authorization endpoint, and "none" is the registered type that asks for nothing.
        "response_types_supported": ["none"],
        "acr_values_supported": ["aal1", "aal2"],  # registered by RFC 9470
        "introspection_endpoint": f"{public_url}/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint": f"{public_url}/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
        **documentation,
    }


@router.head("/.well-known/oauth-authorization-server", include_in_schema=False)
@router.get(
    "/.well-known/oauth-authorization-server",
    operation_id="getMetadata",
    tags=["other services"],
    summary="Get the addresses of keys, introspection and revocation",
    response_class=Response,
    responses={
        200: {
            "description": "Authorization server metadata (RFC 8414)",
            "content": {
                "application/json": {
                    "schema": _SCHEMA,
                    "example": metadata_of("https://auth.example.com", has_docs=True),
                }
            },
        },
        304: {"description": "Not changed since the ETag in If-None-Match"},
    },
)
async def metadata(request: Request, settings: CurrentSettings) -> Response:
    """Say where everything is, as the public URL has it. May be cached."""
    found = metadata_of(settings.public_url, has_docs=settings.docs_enabled)
    return cacheable(request, found, LIFETIME)
