"""The sessions of an account: where am I logged in, and how do I end that."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from otp_auth.api import schemas
from otp_auth.api.answers import describe_session
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller
from otp_auth.api.dependencies import ClientNetwork, Sessions
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.pages import PAGE_SIZE, Cursor, next_cursor
from otp_auth.api.problems import NotFoundError, ValidationFailedError, refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.identifiers import parse_id
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/sessions", tags=["sessions"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError)


@router.get(
    "",
    operation_id="listSessions",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, ValidationFailedError),
    summary="List my sessions",
    response_description="One page of sessions",
)
async def list_sessions(
    caller: CurrentCaller, sessions: Sessions, cursor: Cursor = None
) -> schemas.SessionPage:
    """Return the live sessions of the account, the newest login first, 50 at a time."""
    found = await sessions.list_live(caller.user.id, cursor, PAGE_SIZE + 1)
    return schemas.SessionPage(
        items=[describe_session(each, caller.session.id) for each in found[:PAGE_SIZE]],
        next_cursor=next_cursor([each.id for each in found]),
    )


@router.delete(
    "/{session_id}",
    operation_id="endSession",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, NotFoundError),
    summary="End a session",
    response_description="The session has ended",
)
async def end_session(
    session_id: Annotated[str, Path(description="`id` of the list")],
    caller: CurrentCaller,
    sessions: Sessions,
    network: ClientNetwork,
) -> None:
    """End a session of the account at once; the own one too."""
    # A malformed id, an ended session and somebody else's answer alike.
    found = parse_id(session_id)
    if found is None or not await sessions.revoke(caller.user.id, found, network):
        raise NotFoundError


@router.delete(
    "",
    operation_id="endOtherSessions",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE),
    summary="End all other sessions",
    response_description="All other sessions have ended",
)
async def end_other_sessions(caller: CurrentCaller, sessions: Sessions, network: ClientNetwork) -> None:
    """End every session of the account but the caller's, at once."""
    await sessions.revoke_others(caller.user.id, caller.session.id, network)
