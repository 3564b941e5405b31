"""The own phone number: changed by whoever has proved a second factor of late, and then the new number."""

from http import HTTPStatus

from fastapi import APIRouter

from otp_auth import phone_numbers
from otp_auth.accounts.errors import SameNumberError
from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import RecentlyProvedCaller
from otp_auth.api.dependencies import CodeSending, CurrentSettings, CurrentTokens, Factors
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.ceremonies.phone_change import start_phone_change
from otp_auth.ceremonies.step_up import InsufficientAuthenticationError
from otp_auth.challenges.errors import MethodNotOfferedError
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.phone_numbers import PhoneNumberInvalidError
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import DestinationRefusedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/phone", tags=["account"], route_class=ContractRoute)


@router.post(
    "",
    operation_id="changePhone",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[limited(RouteGroup.CREDENTIALS)],
    responses=refusals(
        *BODY_REFUSALS,
        MethodNotOfferedError,
        InvalidTokenError,
        InsufficientAuthenticationError,
        SameNumberError,
        PhoneNumberInvalidError,
        DestinationRefusedError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Change the phone number",
    response_description="A code is on its way to the new number, or `challenge.delivery` says why not",
)
async def change(
    body: schemas.ChangePhoneBody,
    caller: RecentlyProvedCaller,
    sending: CodeSending,
    factors: Factors,
    tokens: CurrentTokens,
    settings: CurrentSettings,
    languages: AcceptedLanguages,
) -> schemas.Pending:
    """Send a code to the new number; `otp/verify` answers `phone_changed`. Until then nothing has changed.

    The answer is the same whether or not the number has an account: who proves a taken one gets 409 there.
    The challenge ends with the session of the access token.
    """
    phone_number = phone_numbers.parse(body.phone_number, body.region)
    method = Channel(body.method) if body.method else None
    policy, user, session = settings.challenge, caller.user, caller.session
    begun = await start_phone_change(sending, policy, user, session, phone_number, method, languages)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))
