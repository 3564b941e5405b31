"""Login: the password is proved, now the second factor."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import InvalidCredentialsError
from otp_auth.accounts.known_networks import note_network
from otp_auth.accounts.models import PreferredMethod, User
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.ceremonies.outcomes import Authenticated
from otp_auth.ceremonies.proof import Proof, let_in
from otp_auth.ceremonies.start import PASSWORD_IS_LONG, Begun, claim_of, finds_as_it_was, start_on_own_phone
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending
from otp_auth.errors import AuthError
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.settings import ChallengeSettings, SendSettings, SessionPolicy
from otp_auth.tokens.errors import InvalidTokenError


async def start_login(
    sending: Sending,
    policy: ChallengeSettings,
    user: User,
    method: Channel | None,
    accept_language: str | None,
    password_is_long: bool,
) -> Begun:
    """Send the second factor's code to somebody who has proved the password.

    Raises MethodNotOfferedError, and InvalidCredentialsError when the account was deleted meanwhile.
    """
    # Only now is its length known: what is stored doesn't tell.
    payload = {PASSWORD_IS_LONG: password_is_long}
    claim = claim_of(user, Purpose.LOGIN, accept_language, payload=payload)
    try:
        return await start_on_own_phone(sending, policy, claim, method)
    except InvalidTokenError:
        raise InvalidCredentialsError from None


def wanted_channel(method: str | None, user: User, policy: SendSettings) -> Channel | None:
    """The channel that a client names, or else the account's own; None for `none`: nothing is to be sent."""
    if method == "none":
        return None
    return Channel(method) if method else default_channel(user, policy)


def default_channel(user: User, policy: SendSettings) -> Channel | None:
    """The channel an account likes best, if it is on offer; None for a factor that needs no message."""
    if user.preferred_method == PreferredMethod.TOTP:
        return None
    offered = channels_for(user.phone_number, policy)
    preferred = Channel(user.preferred_method.value)
    return preferred if preferred in offered or not offered else offered[0]


async def complete_login(
    tx: AsyncSession, challenge: Challenge, proof: Proof, policy: SessionPolicy
) -> Authenticated | AuthError:
    """Open the session that both factors have earned."""
    # Locked until the commit: parallel logins of an account must count each other's sessions.
    user = await lock_user(tx, challenge.user_id)
    if user is None or not finds_as_it_was(challenge, user):
        return ChallengeClosedError()
    is_new = await note_network(tx, user.id, proof.client.network, datetime.now(UTC))
    opened = await let_in(tx, user, proof, policy)
    record(
        tx,
        EventName.LOGIN_SUCCEEDED,
        user_id=user.id,
        session_id=opened.session.id,
        network=proof.client.network,
        detail={"method": proof.factor.value, "new_network": is_new},
    )
    return Authenticated(user, opened)
