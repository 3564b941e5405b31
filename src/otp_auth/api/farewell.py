"""Farewell: take everything along, and be forgotten. Both want a recent proof."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from otp_auth.accounts.deletion import delete_account
from otp_auth.accounts.export import collect
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.cookies import CurrentTransport
from otp_auth.api.credentials import RecentlyProvedCaller
from otp_auth.api.dependencies import CurrentDatabase, Profiles
from otp_auth.api.export_answers import Export, describe_export
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import refusals
from otp_auth.ceremonies.step_up import InsufficientAuthenticationError
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me", tags=["account"], route_class=ContractRoute)
EVERY_ROUTE = (
    InvalidTokenError,
    InsufficientAuthenticationError,
    RateLimitedError,
    OverloadedError,
    NotReadyError,
)


@router.get(
    "/export",
    operation_id="exportMe",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE),
    summary="Export all that is stored about me",
    response_description="Everything, as one JSON file",
)
async def export_me(
    caller: RecentlyProvedCaller, database: CurrentDatabase, profiles: Profiles, response: Response
) -> Export:
    """Return all that is stored about the account, but for hashes, secrets and counters that guard it.

    A browser that opens it saves a file.
    """
    profile = await profiles.of(caller.user)
    response.headers["Content-Disposition"] = 'attachment; filename="otp-auth-export.json"'
    return describe_export(profile, await collect(database, caller.user.id))


@router.delete(
    "",
    operation_id="deleteMe",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE),
    summary="Delete my account",
    response_description="The account is gone",
)
async def delete_me(
    caller: RecentlyProvedCaller, database: CurrentDatabase, transport: CurrentTransport
) -> None:
    """Delete the account and all that belongs to it, at once and for good.

    Every token and every pending login of it is dead. The phone number may register again, as somebody new.
    """
    await delete_account(database, caller.user.id, caller.session.id)
    if transport.in_cookie:
        transport.clear()
