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
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/auth", tags=["second factor"], route_class=ContractRoute)


@router.post(
    "/step-up",
    operation_id="stepUp",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(*BODY_REFUSALS, InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError),
    summary="Prove the second factor again",
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
    """Send a code, on `method` or on the account's own channel; verify answers `elevated`.

    The challenge ends with the session of the access token. `challenge.delivery` tells whether a message went
    out.
    """
    channel = wanted_channel(body.method if body else None, caller.user, settings.send)
    begun = await start_step_up(sending, settings.challenge, caller.user, caller.session, channel, languages)
    seen = await view(sending, begun.challenge, begun.opens_at)
    return issue_pending(tokens, seen, await factors_taken(factors, sending.policy, begun.challenge))
