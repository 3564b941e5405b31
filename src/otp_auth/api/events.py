"""What happened to the own account."""

from fastapi import APIRouter

from otp_auth.api import schemas
from otp_auth.api.answers import describe_event
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller
from otp_auth.api.dependencies import Audit
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.pages import PAGE_SIZE, Cursor, next_cursor
from otp_auth.api.problems import ValidationFailedError, refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/events", tags=["account"], route_class=ContractRoute)


@router.get(
    "",
    operation_id="listEvents",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(
        InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError, ValidationFailedError
    ),
    summary="List what happened to my account",
    response_description="One page of events",
)
async def list_events(caller: CurrentCaller, audit: Audit, cursor: Cursor = None) -> schemas.EventPage:
    """Return the audit trail of the account, the newest event first, 50 at a time."""
    found = await audit.list_of(caller.user.id, cursor, PAGE_SIZE + 1)
    return schemas.EventPage(
        items=[describe_event(each) for each in found[:PAGE_SIZE]],
        next_cursor=next_cursor([each.id for each in found]),
    )
