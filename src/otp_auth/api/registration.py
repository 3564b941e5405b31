"""Register: a phone number and a password; the account follows when the phone has answered."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth import phone_numbers
from otp_auth.accounts.password_policy import PasswordTooShortError, WeakPasswordError, check_password
from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import CodeSending, CurrentSettings, CurrentTokens, Factors, Hasher
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.ceremonies.register import NewAccount, start_registration
from otp_auth.challenges.errors import MethodNotOfferedError
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.phone_numbers import PhoneNumberInvalidError
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import DestinationRefusedError

router = APIRouter(prefix="/auth", tags=["registration"], route_class=ContractRoute)


@router.post(
    "/register",
    operation_id="register",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(
        *BODY_REFUSALS,
        MethodNotOfferedError,
        PasswordTooShortError,
        WeakPasswordError,
        PhoneNumberInvalidError,
        DestinationRefusedError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Register with a phone number",
    response_description="A code is on its way, or `challenge.delivery` says why not",
)
async def register(
    body: schemas.RegisterBody,
    sending: CodeSending,
    hasher: Hasher,
    factors: Factors,
    tokens: CurrentTokens,
    settings: CurrentSettings,
    languages: AcceptedLanguages,
) -> schemas.Pending:
    """Keep a registration in waiting and send its code; the account exists once the phone has answered.

    Show the code field that `challenge` describes, and go on with `otp/verify`. The answer is the same
    whether or not the number or the e-mail address has an account: only the person who proves the phone
    learns of it, there.
    """
    account = _read(body, languages, settings.shortest_password)
    method = Channel(body.method) if body.method else None
    begun = await start_registration(sending, hasher, settings.challenge, account, method)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))


def _read(body: schemas.RegisterBody, languages: str | None, shortest: int) -> NewAccount:
    phone_number = phone_numbers.parse(body.phone_number, body.region)
    password = body.password.get_secret_value()
    words = (phone_number, body.email, body.display_name)
    check_password(password, context=[word for word in words if word], shortest=shortest)
    return NewAccount(
        phone_number=phone_number,
        password=password,
        email=body.email,
        display_name=body.display_name,
        locale=body.locale,
        accept_language=body.locale or languages,
    )
