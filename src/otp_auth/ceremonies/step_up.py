"""Step-up: somebody with a session proves a second factor again, for what wants a recent proof (RFC 9470)."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import User
from otp_auth.ceremonies.outcomes import Elevated
from otp_auth.ceremonies.proof import TWO_FACTORS, Proof
from otp_auth.ceremonies.start import Begun, claim_of, finds_as_it_was, start_on_own_phone
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending
from otp_auth.errors import AuthError
from otp_auth.sending.channels import Channel
from otp_auth.sessions.models import Session
from otp_auth.settings import ChallengeSettings, SessionPolicy
from otp_auth.tokens.jwt import AccessClaims


class InsufficientAuthenticationError(AuthError):
    """The token is good, but what it says of the proof isn't enough (RFC 9470 3)."""

    status = HTTPStatus.UNAUTHORIZED
    code = "insufficient_user_authentication"
    title = "A recent proof is needed"
    # Stands in a header too: ASCII, without quotes and backslashes (RFC 6750 3).
    detail = (
        "Prove a second factor again with a step-up, then repeat this with the access token that it gives."
    )

    def __init__(self, max_age: timedelta | None = timedelta(minutes=10)) -> None:
        aged: dict[str, Any] = {} if max_age is None else {"max_age": int(max_age.total_seconds())}
        super().__init__(acr_values=TWO_FACTORS, **aged)


class OneFactorError(InsufficientAuthenticationError):
    """The same where two factors are wanted, proved however long ago."""

    title = "Two factors are needed"

    def __init__(self) -> None:
        super().__init__(max_age=None)


def require_recent_proof(claims: AccessClaims, max_age: timedelta) -> None:
    """Return if the token tells of two factors, the last one proved at most `max_age` ago.

    What its session was opened with doesn't count. Raises InsufficientAuthenticationError.
    """
    is_recent = datetime.now(UTC) - claims.auth_time <= max_age
    if claims.acr != TWO_FACTORS or not is_recent:
        raise InsufficientAuthenticationError(max_age)


def require_two_factors(claims: AccessClaims) -> None:
    """Return if the token tells of two factors, whenever they were proved. Raises OneFactorError."""
    if claims.acr != TWO_FACTORS:
        raise OneFactorError


async def start_step_up(
    sending: Sending,
    policy: ChallengeSettings,
    user: User,
    session: Session,
    method: Channel | None,
    accept_language: str | None,
) -> Begun:
    """Send a code to somebody with a session; the challenge dies with it.

    Raises MethodNotOfferedError, and InvalidTokenError when the account was deleted meanwhile.
    """
    claim = claim_of(user, Purpose.STEP_UP, accept_language, session.id)
    return await start_on_own_phone(sending, policy, claim, method)


async def complete_step_up(
    tx: AsyncSession, challenge: Challenge, proof: Proof, _policy: SessionPolicy
) -> Elevated | AuthError:
    """Let one access token tell of this proof, beside what its session was opened with."""
    user = await tx.get(User, challenge.user_id)
    session = await tx.get(Session, challenge.session_id)
    if user is None or session is None or not finds_as_it_was(challenge, user):
        return ChallengeClosedError()
    return Elevated(session, proof.added_to(session.amr), TWO_FACTORS, datetime.now(UTC))
