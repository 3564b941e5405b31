"""The account: who am I, and what may I change about it."""

from typing import Any

from fastapi import APIRouter

from otp_auth.accounts.errors import EmailTakenError, NoAppToPreferError
from otp_auth.accounts.models import PreferredMethod
from otp_auth.api import schemas
from otp_auth.api.answers import describe_user
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller
from otp_auth.api.dependencies import Profiles, Users
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me", tags=["account"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError)


@router.get(
    "",
    operation_id="getMe",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE),
    summary="Show my account",
    response_description="The account",
)
async def get_me(caller: CurrentCaller, profiles: Profiles) -> schemas.User:
    """Return the account behind the access token.

    `factors` says what is enrolled: offer the app where `totp` isn't there. While `password_reset_at` isn't
    null, show it with a button that cancels the reset.
    """
    return describe_user(await profiles.of(caller.user))


@router.patch(
    "",
    operation_id="changeMe",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, *BODY_REFUSALS, EmailTakenError, NoAppToPreferError),
    summary="Change my account",
    response_description="The account, changed",
)
async def change_me(
    caller: CurrentCaller,
    users: Users,
    profiles: Profiles,
    body: schemas.ChangeMeBody | None = None,
) -> schemas.User:
    """Change what is given and leave the rest; null clears a field that may be empty."""
    user = caller.user
    if body is not None and (changes := _changes(body)):
        user = await users.change(user.id, caller.session.id, changes)
    return describe_user(await profiles.of(user))


def _changes(body: schemas.ChangeMeBody) -> dict[str, Any]:
    changes = body.model_dump(exclude_unset=True)
    if "preferred_method" in changes:
        changes["preferred_method"] = PreferredMethod(changes["preferred_method"])
    return changes
