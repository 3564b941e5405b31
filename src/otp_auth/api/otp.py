"""The second factor: send a code, see where it stands, prove it. Opened by the pending token alone."""

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from otp_auth.accounts.errors import AccountExistsError
from otp_auth.api import schemas
from otp_auth.api.answers import (
    describe_challenge,
    describe_pending,
    describe_reset_allowed,
    describe_user,
    issue_elevated,
    issue_tokens,
)
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.cookies import CurrentTransport
from otp_auth.api.credentials import PendingChallengeId
from otp_auth.api.dependencies import (
    CodeProver,
    CodeResetting,
    CodeSending,
    CurrentClient,
    CurrentTokens,
    DoAside,
    Factors,
    Profiles,
)
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.methods import Factor, factors_taken
from otp_auth.ceremonies.outcomes import Authenticated, Elevated, PhoneChanged, ResetAllowed
from otp_auth.ceremonies.password_reset import send_reset_again
from otp_auth.ceremonies.proof import prove
from otp_auth.challenges.errors import (
    ChallengeClosedError,
    MethodNotOfferedError,
    NoCodeYetError,
    TooManyAttemptsError,
    WrongAppCodeError,
    WrongCodeError,
    WrongRecoveryCodeError,
)
from otp_auth.challenges.models import Challenge, Purpose
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
from otp_auth.sessions.clients import Client
from otp_auth.tokens.errors import InvalidTokenError

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
        MethodNotOfferedError,
        DestinationRefusedError,
        ResendTooSoonError,
        TooManySendsError,
        ProviderUnavailableError,
    ),
    summary="Send a code again, or by another channel",
    response_description="A message is on its way, or was handed over",
)
async def send(
    body: schemas.SendBody,
    challenge_id: PendingChallengeId,
    sending: CodeSending,
    resetting: CodeResetting,
    do_aside: DoAside,
) -> schemas.Challenge:
    """Send a code by `method`: the first one, the same way again, or by another channel ("call me instead").

    Offer what `next_methods` of the challenge lists, and the same channel from `resend_at` on. Tries that
    are gone stay gone. The code stays the same unless Sinch makes it (flash call, WhatsApp, no callbacks).
    """
    challenge = await require_open(sending.challenges, challenge_id)
    method = Channel(body.method)
    if challenge.purpose is Purpose.PASSWORD_RESET:
        asked = await send_reset_again(resetting, challenge, method)
        await do_aside(asked.aside)
        sent = asked.challenge
    else:
        sent = await send_code(sending, challenge, method)
    seen = await view(sending, sent)
    return describe_challenge(seen, seen.challenge.method or method)


@router.get(
    "",
    operation_id="getChallenge",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(*EVERY_ROUTE),
    summary="See where the code stands",
    response_description="What register, login or step-up has answered, as it stands now",
)
async def show(
    challenge_id: PendingChallengeId, sending: CodeSending, factors: Factors
) -> schemas.PendingState:
    """Restore a reloaded page, or see how far the message has come.

    While a person waits, ask every three seconds or so: `delivery` tells of the message, `next_methods` of
    another way. 410 means that this attempt is over: go back to where it began.
    """
    challenge = await require_open(sending.challenges, challenge_id)
    seen = await view(sending, challenge)
    return describe_pending(seen, await factors_taken(factors, sending.policy, challenge))


@router.post(
    "/verify",
    operation_id="verifyCode",
    dependencies=[limited(RouteGroup.CODES)],
    responses=refusals(
        *EVERY_ROUTE,
        *BODY_REFUSALS,
        MethodNotOfferedError,
        WrongCodeError,
        NoCodeYetError,
        WrongAppCodeError,
        WrongRecoveryCodeError,
        TooManyAttemptsError,
        AccountExistsError,
        ProviderUnavailableError,
    ),
    summary="Prove the code",
    response_description="The code was right; `status` tells what it has opened",
)
async def verify(
    body: schemas.VerifyBody,
    challenge_id: PendingChallengeId,
    prover: CodeProver,
    tokens: CurrentTokens,
    client: CurrentClient,
    transport: CurrentTransport,
    profiles: Profiles,
) -> schemas.Verified:
    """Prove the code and get what the challenge was for. A code is accepted once.

    `status` tells what follows: `authenticated` (show the `recovery_codes` where there are any, then the
    person is in), `elevated` (repeat what asked for a recent proof, with this access token),
    `phone_changed`, or `reset_allowed` (ask for the new password). After a wrong code `attempts_left` says
    how many tries are left.
    """
    challenge = await require_open(prover.challenges, challenge_id)
    factor = Factor(body.method) if body.method else None
    code, named = body.code.get_secret_value(), _named(client, body)
    outcome = await prove(prover, challenge, code, factor, named, trusts_device=body.trust_device)
    match outcome:
        case Authenticated():
            user = describe_user(await profiles.of(outcome.user))
            issued = issue_tokens(tokens, outcome.opened, user, outcome.recovery_codes, outcome.device_token)
            return transport.deliver(issued)
        case Elevated():
            return issue_elevated(tokens, outcome)
        case PhoneChanged():
            return schemas.PhoneChanged(user=describe_user(await profiles.of(outcome.user)))
        case ResetAllowed():
            return describe_reset_allowed(outcome)


def _named(client: Client, body: schemas.VerifyBody) -> Client:
    """The device as its owner calls it, if they do."""
    name = (body.device_name or "").strip()
    return replace(client, device=name) if name else client
