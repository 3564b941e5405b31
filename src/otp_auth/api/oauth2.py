"""What gateways ask: does this token hold (RFC 7662), and let it hold no more (RFC 7009)."""

from typing import Any

from fastapi import APIRouter, Response

from otp_auth.accounts.repository import UserRepository
from otp_auth.api.credentials import find_caller
from otp_auth.api.dependencies import ClientNetwork, CurrentTokens, Sessions, Users
from otp_auth.api.examples import EXAMPLES, TOKEN
from otp_auth.api.floods import RateLimitedError
from otp_auth.api.oauth_answers import INACTIVE, Introspection, describe_token
from otp_auth.api.oauth_errors import oauth_refusals
from otp_auth.api.oauth_route import FORM, FormToken, OAuthRoute
from otp_auth.api.problems import refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.sessions.models import Session
from otp_auth.sessions.repository import SessionRepository
from otp_auth.tokens.errors import InvalidTokenError
from otp_auth.tokens.jwt import Tokens

router = APIRouter(prefix="/oauth2", tags=["other services"], route_class=OAuthRoute)

BY_SERVICE = {"by": "service_client"}  # of the audit trail
_TOKEN = {"type": "string", "minLength": 1, "format": "password"}
_HINT = {"type": "string", "description": "`access_token` or `refresh_token`; taken, and without effect"}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "required": ["token"],
                "properties": {"token": _TOKEN, "token_type_hint": _HINT},
            },
            "example": {"token": TOKEN, "token_type_hint": "access_token"},
        }
    },
}
_ANSWERS = {
    "active": {"summary": "An access token that holds", "value": EXAMPLES["Introspection"]},
    "inactive": {"summary": "Anything else", "value": {"active": False}},
}
_REFUSALS = oauth_refusals() | refusals(RateLimitedError, OverloadedError, NotReadyError)


@router.post(
    "/introspect",
    operation_id="introspectToken",
    responses={200: {"content": {"application/json": {"examples": _ANSWERS}}}, **_REFUSALS},
    openapi_extra={"requestBody": _BODY},
    summary="Check an access token",
    response_description="Whether the token holds",
)
async def introspect(token: FormToken, users: Users, tokens: CurrentTokens) -> Introspection:
    """Look an access token up, as this service's own routes do: of an ended session it is inactive at once.

    Only access tokens are ever active. Were a refresh token, whoever looks at `active` alone would let it in
    as a bearer.
    """
    try:
        caller = await find_caller(tokens, users, token)
    except InvalidTokenError:
        return INACTIVE
    return describe_token(caller.claims)


@router.post(
    "/revoke",
    operation_id="revokeToken",
    response_class=Response,
    responses={200: {"description": "The token holds no more, or never did"}, **_REFUSALS},
    openapi_extra={"requestBody": _BODY},
    summary="Revoke a token",
)
async def revoke(
    token: FormToken, users: Users, tokens: CurrentTokens, sessions: Sessions, network: ClientNetwork
) -> Response:
    """End the session of an access or refresh token, and with it all of its tokens (RFC 7009 2.1).

    Of a token that holds no more, or that isn't ours, nothing is told: the answer is the same.
    """
    session = await _session_of(token, users, tokens, sessions, network)
    if session is not None:
        await sessions.revoke(session.user_id, session.id, network, BY_SERVICE)
    return Response()


async def _session_of(
    token: str, users: UserRepository, tokens: Tokens, sessions: SessionRepository, network: str | None
) -> Session | None:
    try:
        return (await find_caller(tokens, users, token)).session
    except InvalidTokenError:
        return await sessions.find_by_refresh_token(token, network)
