"""Log in: identifier and password are the first factor."""

from fastapi import APIRouter

from otp_auth.accounts.authentication import authenticate
from otp_auth.accounts.errors import InvalidCredentialsError, TooManyPasswordsError
from otp_auth.accounts.password_policy import may_stand_alone
from otp_auth.api import schemas
from otp_auth.api.answers import describe_user, issue_pending, issue_tokens
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.cookies import CurrentTransport
from otp_auth.api.dependencies import (
    ClientNetwork,
    CodeSending,
    CurrentClient,
    CurrentDatabase,
    CurrentSettings,
    CurrentTokens,
    CurrentTrust,
    Devices,
    Factors,
    Hasher,
    Passwords,
    Profiles,
    Users,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.device_login import log_in_by_device
from otp_auth.ceremonies.login import start_login, wanted_channel
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.challenges.errors import MethodNotOfferedError
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError

router = APIRouter(prefix="/auth", tags=["login"], route_class=ContractRoute)


@router.post(
    "/login",
    operation_id="logIn",
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(
        *BODY_REFUSALS,
        MethodNotOfferedError,
        InvalidCredentialsError,
        TooManyPasswordsError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Log in with a password",
    response_description="The password was right: prove the code, or on a trusted device go in",
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
    devices: Devices,
    trust: CurrentTrust,
    client: CurrentClient,
    transport: CurrentTransport,
    profiles: Profiles,
) -> schemas.LoggedIn:
    """Check the password and send a code, on `method` or on the account's own channel.

    Show the code field that `challenge` describes and go on with `otp/verify`; `methods` lists what else
    proves it. `challenge` is null where no message was wanted, as for accounts that prefer their app. With
    the `device_token` of a trusted device there is no code: its next token and those of a session are in the
    answer (`status` tells).
    """
    password = body.password.get_secret_value()
    shown = trust.read(body.device_token.get_secret_value() if body.device_token else None)
    user = await authenticate(
        database,
        users,
        hasher,
        passwords,
        sending.audit,
        body.identifier,
        body.region,
        password,
        network,
        devices,
        shown,
    )
    known = await log_in_by_device(database, trust, settings.session_policy, user, shown, client)
    if known is not None:
        owner = describe_user(await profiles.of(known.user))
        return transport.deliver(issue_tokens(tokens, known.opened, owner, device_token=known.device_token))
    channel = wanted_channel(body.method, user, settings.send)
    begun = await start_login(
        sending,
        settings.challenge,
        user,
        channel,
        languages,
        may_stand_alone(password),
    )
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))
