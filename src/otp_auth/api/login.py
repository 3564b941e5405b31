"""Log in: identifier and password are the first factor."""

from typing import Annotated

from fastapi import APIRouter, Depends

from otp_auth.accounts.authentication import authenticate
from otp_auth.accounts.errors import InvalidCredentialsError, TooManyPasswordsError
from otp_auth.accounts.models import User
from otp_auth.accounts.password_budgets import PasswordBudgets
from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import (
    ClientNetwork,
    CodeSending,
    CurrentDatabase,
    CurrentSettings,
    CurrentTokens,
    Hasher,
    RecoveryCodes,
    Users,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.login import default_channel, start_login
from otp_auth.ceremonies.proof import factors_taken
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.sending.channels import Channel
from otp_auth.settings import SendSettings

router = APIRouter(prefix="/auth", tags=["login"], route_class=ContractRoute)


async def get_password_budgets(database: CurrentDatabase, settings: CurrentSettings) -> PasswordBudgets:
    return PasswordBudgets(database, settings.guesses)


Passwords = Annotated[PasswordBudgets, Depends(get_password_budgets)]


@router.post(
    "/login",
    operation_id="logIn",
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(
        *BODY_REFUSALS,
        InvalidCredentialsError,
        TooManyPasswordsError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Prove the password, get a code",
)
async def log_in(
    body: schemas.LoginBody,
    users: Users,
    hasher: Hasher,
    passwords: Passwords,
    network: ClientNetwork,
    sending: CodeSending,
    recovery_codes: RecoveryCodes,
    tokens: CurrentTokens,
    settings: CurrentSettings,
    languages: AcceptedLanguages,
) -> schemas.Pending:
    """Check the password and send a code, on `method` or on the account's own channel.

    The pending token opens only the `otp` routes. `challenge.delivery` tells whether a message went out.
    """
    password = body.password.get_secret_value()
    user = await authenticate(users, hasher, passwords, body.identifier, body.region, password, network)
    channel = _channel(body, user, settings.send)
    begun = await start_login(sending, settings.challenge, user, channel, languages)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(recovery_codes, sending.policy, begun.challenge))


def _channel(body: schemas.LoginBody, user: User, policy: SendSettings) -> Channel | None:
    if body.method == "none":
        return None
    return Channel(body.method) if body.method else default_channel(user, policy)
