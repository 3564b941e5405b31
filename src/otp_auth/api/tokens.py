"""Tokens after the second factor: refresh and logout."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth.api import schemas
from otp_auth.api.answers import describe_user, issue_tokens
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.cookies import CurrentTransport, RefreshCookie, ShownCookie
from otp_auth.api.credentials import LeavingCaller
from otp_auth.api.dependencies import (
    ClientNetwork,
    CurrentClient,
    CurrentDatabase,
    CurrentSettings,
    CurrentTokens,
    Profiles,
    Sessions,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, NotAllowedError, refusals
from otp_auth.ceremonies.refresh import refresh
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError, NoRefreshTokenError, RefreshTokenEndedError

router = APIRouter(prefix="/auth", tags=["tokens"], route_class=ContractRoute)
FLOODS_AND_OUTAGES = (RateLimitedError, OverloadedError, NotReadyError)


@router.post(
    "/token/refresh",
    operation_id="refreshTokens",
    dependencies=[limited(RouteGroup.TOKENS)],
    responses=refusals(
        RefreshTokenEndedError, NoRefreshTokenError, NotAllowedError, *FLOODS_AND_OUTAGES, *BODY_REFUSALS
    ),
    openapi_extra={"security": [{}]},  # the cookie, or nothing but the body
    summary="Get new tokens",
    response_description="New tokens; the refresh token that was shown is spent",
)
async def refresh_tokens(
    cookie: RefreshCookie,
    transport: CurrentTransport,
    database: CurrentDatabase,
    profiles: Profiles,
    tokens: CurrentTokens,
    client: CurrentClient,
    settings: CurrentSettings,
    body: schemas.RefreshBody | None = None,
) -> schemas.Tokens:
    """Spend the refresh token. Its successor is in the answer; what was proved at login stays as it was.

    Call it shortly before the access token ends, and once on 401 `invalid_token`. A token that was spent a
    moment ago (a lost answer, a second tab) gets the newest one of its session; later than that it is taken
    for stolen, and the session ends. 401 here means: log in. In cookie mode the cookie is spent, or where
    there is none the token of the body, and the successor goes into the cookie.
    """
    shown = _shown_token(cookie, body)
    refreshed = await refresh(database, shown, client, settings.session_policy)
    user = describe_user(await profiles.of(refreshed.user))
    return transport.deliver(issue_tokens(tokens, refreshed.opened, user))


def _shown_token(cookie: ShownCookie, body: schemas.RefreshBody | None) -> str:
    """Return the token to spend. Raises NotAllowedError, NoRefreshTokenError.

    It is judged after the fields, since it may be one of them.
    """
    shown = body.refresh_token.get_secret_value() if body else None
    if cookie.counts:
        shown = cookie.token
    elif not shown:
        cookie.refuse_without_header()
    if not shown:
        raise NoRefreshTokenError
    return shown


@router.post(
    "/logout",
    operation_id="logOut",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.TOKENS)],
    responses=refusals(InvalidTokenError, NotAllowedError, *FLOODS_AND_OUTAGES, *BODY_REFUSALS),
    summary="Log out",
    response_description="The session has ended",
)
async def log_out(
    caller: LeavingCaller,
    cookie: RefreshCookie,
    transport: CurrentTransport,
    sessions: Sessions,
    network: ClientNetwork,
    body: schemas.LogoutBody | None = None,
) -> None:
    """End the session of the access token, or with `everywhere` all of the account's, at once.

    In cookie mode the session of the cookie ends, needs no access token beside it, and the cookie is gone
    afterwards, also when that session was over already.
    """
    if caller is None:
        cookie.refuse_without_header()
    left = [caller.session] if caller else []
    if cookie.counts and cookie.token:
        of_cookie = await sessions.find_by_refresh_token(cookie.token, network)
        left += [of_cookie] if of_cookie else []
    for session in left:
        if body and body.everywhere:
            await sessions.log_out_everywhere(session.user_id, network)
        else:
            await sessions.log_out(session.id, network)
    if cookie.counts:
        transport.clear()
