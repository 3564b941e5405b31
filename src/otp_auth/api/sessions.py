"""Tokens after the second factor: refresh and logout."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth.api import schemas
from otp_auth.api.answers import describe_user, issue_tokens
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller
from otp_auth.api.dependencies import CurrentTokens, RecoveryCodes, Sessions, Users
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/auth", tags=["tokens"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError)


@router.post(
    "/token/refresh",
    operation_id="refreshTokens",
    dependencies=[limited(RouteGroup.TOKENS)],
    responses=refusals(*EVERY_ROUTE, *BODY_REFUSALS),
    summary="Trade a refresh token for new tokens",
)
async def refresh(
    body: schemas.RefreshBody,
    sessions: Sessions,
    users: Users,
    recovery_codes: RecoveryCodes,
    tokens: CurrentTokens,
) -> schemas.Tokens:
    """Spend the refresh token. Its successor is in the answer; what was proved at login stays as it was."""
    opened = await sessions.rotate(body.refresh_token.get_secret_value())
    if opened is None:
        raise InvalidTokenError
    user = await users.get(opened.session.user_id)
    if user is None:
        raise InvalidTokenError
    unused = await recovery_codes.count_unused(user.id)
    return issue_tokens(tokens, opened, describe_user(user, unused))


@router.post(
    "/logout",
    operation_id="logOut",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.TOKENS)],
    responses=refusals(*EVERY_ROUTE, *BODY_REFUSALS),
    summary="End this session, or all",
)
async def log_out(caller: CurrentCaller, sessions: Sessions, body: schemas.LogoutBody | None = None) -> None:
    """End the session of the access token, or with `everywhere` all of the account's, at once."""
    if body is not None and body.everywhere:
        await sessions.end_all(caller.user.id)
    else:
        await sessions.end(caller.session.id)
