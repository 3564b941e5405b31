"""A forgotten password: the phone answers, and with a second proof, or after a while, there is a new one."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from otp_auth.accounts.errors import ProofRequiredError
from otp_auth.accounts.login_names import read_login_name
from otp_auth.accounts.password_policy import PasswordTooShortError, WeakPasswordError, check_password
from otp_auth.accounts.password_renewal import SecondProof, renew_password
from otp_auth.accounts.password_resets import cancel_by_owner
from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentResetter, TwiceProvedCaller
from otp_auth.api.dependencies import (
    ClientNetwork,
    CodeResetting,
    CurrentDatabase,
    CurrentSettings,
    CurrentTokens,
    DoAside,
    Factors,
    PasswordRenewing,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.password import names_of
from otp_auth.api.problems import BODY_REFUSALS, NotFoundError, refusals
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.ceremonies.password_reset import start_reset
from otp_auth.ceremonies.step_up import OneFactorError
from otp_auth.challenges.errors import (
    ChallengeClosedError,
    MethodNotOfferedError,
    TooManyAttemptsError,
    WrongAppCodeError,
    WrongRecoveryCodeError,
)
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.factors.models import FactorKind
from otp_auth.sending.channels import Channel
from otp_auth.tokens.errors import InvalidResetTokenError, InvalidTokenError

router = APIRouter(route_class=ContractRoute)
EVERY_ROUTE = (RateLimitedError, OverloadedError, NotReadyError)


@router.post(
    "/auth/password/forgot",
    tags=["password"],
    operation_id="forgotPassword",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(*EVERY_ROUTE, *BODY_REFUSALS, MethodNotOfferedError),
    summary="Ask for a password reset",
    response_description="If there is such an account, a code is on its way",
)
async def forgot(
    body: schemas.ForgotPasswordBody,
    resetting: CodeResetting,
    factors: Factors,
    tokens: CurrentTokens,
    languages: AcceptedLanguages,
    do_aside: DoAside,
) -> schemas.Pending:
    """Send a code to the phone of the account with this name, if there is one.

    Say "if there is an account, a code is on its way", and go on with `otp/verify`: it brings a
    `reset_token`. This answer, and all that the `otp` routes say of it, is the same for a name that nobody
    has.
    """
    name = read_login_name(body.identifier, body.region)
    method = Channel(body.method) if body.method else None
    asked = await start_reset(resetting, name, method, languages)
    await do_aside(asked.aside)
    sending = resetting.sending
    seen = await view(sending, asked.challenge)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, asked.challenge))


@router.post(
    "/auth/password/reset",
    tags=["password"],
    operation_id="resetPassword",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    response_class=Response,
    responses={
        HTTPStatus.ACCEPTED.value: {
            "model": schemas.ResetHeld,
            "description": "The new password waits; until then the old one holds",
        },
        **refusals(
            *EVERY_ROUTE,
            *BODY_REFUSALS,
            PasswordTooShortError,
            InvalidResetTokenError,
            WeakPasswordError,
            ProofRequiredError,
            WrongAppCodeError(),  # no challenge, so no attempts of one
            WrongRecoveryCodeError(),
            TooManyAttemptsError,
            ChallengeClosedError,
        ),
    },
    summary="Set a new password",
    response_description="The new password holds",
)
async def reset(
    body: schemas.ResetPasswordBody,
    resetter: CurrentResetter,
    renewing: PasswordRenewing,
    settings: CurrentSettings,
) -> Response:
    """Set a new password: at once with a second proof (204), or held until `effective_at` (202).

    Take the `reset_token` of `otp/verify`. Where its `proof_required` is true, ask for a code of the app or
    a recovery code along with the new password. Once it holds all sessions have ended: go to the login.
    """
    new_password = body.new_password.get_secret_value()
    check_password(
        new_password,
        context=names_of(resetter.user),
        field="body.new_password",
        shortest=settings.shortest_password,
    )
    until = await renew_password(renewing, resetter.reset, resetter.user, new_password, _proof(body.proof))
    if until is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    held = schemas.ResetHeld(effective_at=until)
    return JSONResponse(held.model_dump(mode="json"), status_code=HTTPStatus.ACCEPTED)


@router.delete(
    "/me/password-reset",
    tags=["password"],
    operation_id="cancelPasswordReset",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, InvalidTokenError, OneFactorError, NotFoundError),
    summary="Cancel a held password reset",
    response_description="The old password stays",
)
async def cancel(caller: TwiceProvedCaller, database: CurrentDatabase, network: ClientNetwork) -> None:
    """Cancel a reset that waits, and void reset tokens that nobody has used. Any session of two factors may.

    Offer it while `password_reset_at` in the account isn't null.
    """
    if not await cancel_by_owner(database, caller.user.id, caller.session.id, network):
        raise NotFoundError


def _proof(shown: schemas.ResetProof | None) -> SecondProof | None:
    return SecondProof(FactorKind(shown.method), shown.code.get_secret_value()) if shown else None
