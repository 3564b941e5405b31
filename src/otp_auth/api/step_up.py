"""Step-up: a code for somebody who is in already, before something that wants a recent proof."""

from fastapi import APIRouter

from otp_auth.api import schemas
from otp_auth.api.answers import issue_pending
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import CurrentCaller
from otp_auth.api.dependencies import CodeSending, CurrentSettings, CurrentTokens, Factors
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.languages import AcceptedLanguages
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.login import wanted_channel
from otp_auth.ceremonies.methods import factors_taken
from otp_auth.ceremonies.step_up import start_step_up
from otp_auth.challenges.errors import MethodNotOfferedError
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/auth", tags=["step-up"], route_class=ContractRoute)


@router.post(
    "/step-up",
    operation_id="stepUp",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(
        *BODY_REFUSALS,
        MethodNotOfferedError,
        InvalidTokenError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Prove a second factor again",
    response_description="A code is on its way, or `challenge.delivery` says why not",
)
async def step_up(
    caller: CurrentCaller,
    sending: CodeSending,
    factors: Factors,
    tokens: CurrentTokens,
    settings: CurrentSettings,
    languages: AcceptedLanguages,
    body: schemas.StepUpBody | None = None,
) -> schemas.Pending:
    """Send a code to somebody who is logged in, before a route that wants a recent proof.

    Call it on 401 `insufficient_user_authentication`, have the code typed, and repeat the refused request
    once with the access token of `otp/verify` (`elevated`). Keep the usual token beside it. The challenge
    ends with the session.
    """
    channel = wanted_channel(body.method if body else None, caller.user, settings.send)
    begun = await start_step_up(sending, settings.challenge, caller.user, caller.session, channel, languages)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))
