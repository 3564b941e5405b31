"""The own password: changed by whoever is logged in and knows the present one."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth.accounts.errors import TooManyPasswordsError, WrongPasswordError
from otp_auth.accounts.models import User
from otp_auth.accounts.password_change import change_password, prove_password
from otp_auth.accounts.password_policy import PasswordTooShortError, WeakPasswordError, check_password
from otp_auth.api import schemas
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import TwiceProvedCaller
from otp_auth.api.dependencies import (
    Audit,
    ClientNetwork,
    CurrentDatabase,
    CurrentSettings,
    Hasher,
    Passwords,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.step_up import OneFactorError
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me", tags=["password"], route_class=ContractRoute)


@router.post(
    "/password",
    operation_id="changePassword",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(
        *BODY_REFUSALS,
        PasswordTooShortError,
        InvalidTokenError,
        OneFactorError,
        WrongPasswordError,
        WeakPasswordError,
        TooManyPasswordsError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Change the password",
    response_description="The new password holds",
)
async def change(
    body: schemas.ChangePasswordBody,
    caller: TwiceProvedCaller,
    database: CurrentDatabase,
    hasher: Hasher,
    passwords: Passwords,
    audit: Audit,
    network: ClientNetwork,
    settings: CurrentSettings,
) -> None:
    """Set a new password, by the present one. This session goes on; all others, and logins under way, end.

    The same password as before is taken too, and ends as much. A login with a trusted device alone needs a
    step-up first.
    """
    new_password = body.new_password.get_secret_value()
    check_password(
        new_password,
        context=names_of(caller.user),
        field="body.new_password",
        shortest=settings.shortest_password,
    )
    present = body.current_password.get_secret_value()
    await prove_password(hasher, passwords, audit, caller.user, caller.session.id, present, network)
    new_hash = await hasher.hash(new_password)
    await change_password(database, caller.user, caller.session.id, new_hash, network)


def names_of(user: User) -> list[str]:
    """What no password of theirs may be."""
    return [name for name in (user.phone_number, user.email, user.display_name) if name]
