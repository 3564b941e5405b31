"""The factors of an account: which there are, and the authenticator app."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth.accounts.authenticator_app import confirm_app, enrol_app, remove_app
from otp_auth.accounts.errors import AppEnrolledError, AppReplacedError, NoAppWaitsError
from otp_auth.api import schemas
from otp_auth.api.answers import describe_factor
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller, RecentlyProvedCaller
from otp_auth.api.dependencies import (
    Apps,
    Audit,
    ClientNetwork,
    CurrentDatabase,
    CurrentSeeds,
    CurrentSettings,
    Factors,
    Guesses,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, NotFoundError, refusals
from otp_auth.ceremonies.step_up import InsufficientAuthenticationError
from otp_auth.challenges.errors import TooManyAttemptsError, WrongAppCodeError
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.factors.enrolled import Enrolled
from otp_auth.factors.models import FactorKind
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/factors", tags=["factors"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError)


@router.get(
    "",
    operation_id="listFactors",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE),
    summary="List my factors",
    response_description="All factors; there is one page",
)
async def list_factors(caller: CurrentCaller, factors: Factors) -> schemas.FactorList:
    """Return the phone, the authenticator app if it is confirmed, and recovery codes while one is unused."""
    user = caller.user
    phone = Enrolled(FactorKind.PHONE, user.phone_verified_at)
    disabled = await factors.disabled(user.id)
    enrolled = [phone, *await factors.besides_phone(user.id)]
    return schemas.FactorList(items=[describe_factor(each, user, disabled) for each in enrolled])


@router.post(
    "/totp",
    operation_id="enrolTotp",
    status_code=HTTPStatus.CREATED,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, InsufficientAuthenticationError, AppEnrolledError),
    summary="Enrol an authenticator app",
    response_description="The secret, shown this once",
)
async def enrol_totp(
    caller: RecentlyProvedCaller, database: CurrentDatabase, seeds: CurrentSeeds, settings: CurrentSettings
) -> schemas.TotpEnrolment:
    """Make a secret for an app, shown this once. It counts once its first code was confirmed.

    Show `qr_svg`, and `secret` for those who type; on a phone, a link to `otpauth_uri`. Then ask for the
    first code and confirm it. A secret that was never confirmed is replaced by the next one.
    """
    issuer = settings.totp.issuer
    enrolment = await enrol_app(database, seeds, issuer, caller.user, caller.session.id)
    return schemas.TotpEnrolment(
        secret=enrolment.secret, otpauth_uri=enrolment.otpauth_uri, qr_svg=enrolment.qr_svg
    )


@router.post(
    "/totp/confirm",
    operation_id="confirmTotp",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(
        *EVERY_ROUTE,
        *BODY_REFUSALS,
        WrongAppCodeError(),
        TooManyAttemptsError,
        NoAppWaitsError,
        AppReplacedError,
    ),
    summary="Confirm the app by its first code",
    response_description="From now on the app counts",
)
async def confirm_totp(
    body: schemas.ConfirmTotpBody,
    caller: CurrentCaller,
    database: CurrentDatabase,
    apps: Apps,
    guesses: Guesses,
    audit: Audit,
    network: ClientNetwork,
) -> schemas.Factor:
    """Prove that the app has the secret: from now on it logs in. This code is used up by that."""
    code = body.code.get_secret_value()
    app = await confirm_app(database, apps, guesses, audit, caller.session, code, network)
    return describe_factor(Enrolled(FactorKind.TOTP, app.created_at), caller.user, set())


@router.delete(
    "/totp",
    operation_id="removeTotp",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, InsufficientAuthenticationError, NotFoundError),
    summary="Remove the authenticator app",
    response_description="The app is forgotten",
)
async def remove_totp(
    caller: RecentlyProvedCaller, database: CurrentDatabase, network: ClientNetwork
) -> None:
    """Forget the app at once. Logins that preferred it get a text message again."""
    if not await remove_app(database, caller.session, network):
        raise NotFoundError
