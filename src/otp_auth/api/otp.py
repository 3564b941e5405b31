"""The second factor: send a code, see where it stands, prove it. Opened by the pending token alone."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from otp_auth.accounts.errors import AccountExistsError
from otp_auth.api import schemas
from otp_auth.api.answers import describe_challenge, describe_pending, describe_user, issue_tokens
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import PendingChallengeId
from otp_auth.api.dependencies import ClientNetwork, CodeProver, CodeSending, CurrentTokens, RecoveryCodes
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.proof import Factor, factors_taken, prove
from otp_auth.challenges.errors import ChallengeClosedError, TooManyAttemptsError, WrongCodeError
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.challenges.sending import send_code
from otp_auth.challenges.views import view
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.sending.channels import Channel
from otp_auth.sending.errors import (
    DestinationRefusedError,
    ProviderUnavailableError,
    ResendTooSoonError,
    TooManySendsError,
)
from otp_auth.tokens.jwt import InvalidTokenError

router = APIRouter(prefix="/auth/otp", tags=["second factor"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, ChallengeClosedError, RateLimitedError, OverloadedError, NotReadyError)


async def require_open(challenges: ChallengeRepository, challenge_id: UUID) -> Challenge:
    """Return the challenge of the pending token. Raises ChallengeClosedError."""
    challenge = await challenges.find_open(challenge_id)
    if challenge is None:
        raise ChallengeClosedError
    return challenge


@router.post(
    "/send",
    operation_id="sendCode",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(
        *EVERY_ROUTE,
        *BODY_REFUSALS,
        DestinationRefusedError,
        ResendTooSoonError,
        TooManySendsError,
        ProviderUnavailableError,
    ),
    summary="Send, resend, or change the channel",
)
async def send(
    body: schemas.SendBody, challenge_id: PendingChallengeId, sending: CodeSending
) -> schemas.Challenge:
    """Send a code by `method`. The attempts of the challenge stay as they are; an earlier code dies."""
    challenge = await require_open(sending.challenges, challenge_id)
    method = Channel(body.method)
    sent = await send_code(sending, challenge, method)
    return describe_challenge(await view(sending, sent), sent.method or method)


@router.get(
    "",
    operation_id="getChallenge",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(*EVERY_ROUTE),
    summary="Where the challenge stands",
)
async def show(
    challenge_id: PendingChallengeId, sending: CodeSending, recovery_codes: RecoveryCodes
) -> schemas.PendingState:
    """Restore a reloaded page, or see how far the message has come."""
    challenge = await require_open(sending.challenges, challenge_id)
    seen = await view(sending, challenge)
    return describe_pending(seen, await factors_taken(recovery_codes, sending.policy, challenge))


@router.post(
    "/verify",
    operation_id="verifyCode",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(
        *EVERY_ROUTE,
        *BODY_REFUSALS,
        WrongCodeError,
        TooManyAttemptsError,
        AccountExistsError,
        ProviderUnavailableError,
    ),
    summary="Prove the code",
)
async def verify(
    body: schemas.VerifyBody,
    challenge_id: PendingChallengeId,
    prover: CodeProver,
    tokens: CurrentTokens,
    network: ClientNetwork,
) -> schemas.Tokens:
    """Prove the code and get in. A code is accepted once, whatever runs in parallel."""
    challenge = await require_open(prover.challenges, challenge_id)
    factor = Factor(body.method) if body.method else None
    proved = await prove(prover, challenge, body.code.get_secret_value(), factor, network)
    unused = await prover.recovery_codes.count_unused(proved.user.id)
    return issue_tokens(tokens, proved.opened, describe_user(proved.user, unused), proved.recovery_codes)
