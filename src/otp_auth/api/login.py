"""Log in: identifier and password are the first factor."""

from fastapi import APIRouter

from otp_auth.accounts.authentication import authenticate
from otp_auth.accounts.errors import InvalidCredentialsError, TooManyPasswordsError
from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import (
    ClientNetwork,
    CodeSending,
    CurrentDatabase,
    CurrentSettings,
    CurrentTokens,
    Factors,
    Hasher,
    Passwords,
    Users,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.login import start_login, wanted_channel
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError

router = APIRouter(prefix="/auth", tags=["login"], route_class=ContractRoute)


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
    database: CurrentDatabase,
    users: Users,
    hasher: Hasher,
    passwords: Passwords,
    network: ClientNetwork,
    sending: CodeSending,
    factors: Factors,
    tokens: CurrentTokens,
    settings: CurrentSettings,
    languages: AcceptedLanguages,
) -> schemas.Pending:
    """Check the password and send a code, on `method` or on the account's own channel.

    The pending token opens only the `otp` routes. `challenge.delivery` tells whether a message went out.
    """
    password = body.password.get_secret_value()
    user = await authenticate(
        database, users, hasher, passwords, sending.audit, body.identifier, body.region, password, network
    )
    channel = wanted_channel(body.method, user, settings.send)
    begun = await start_login(sending, settings.challenge, user, channel, languages)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))
