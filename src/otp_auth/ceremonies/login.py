"""Login: the password is proved, now the second factor."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.known_networks import note_network
from otp_auth.accounts.models import PreferredMethod, User
from otp_auth.ceremonies.proof import TWO_FACTORS, Authenticated, Proof
from otp_auth.ceremonies.start import Begun, Claim, start_ceremony
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending
from otp_auth.errors import AuthError
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.sessions.repository import open_session
from otp_auth.settings import ChallengeSettings, SendSettings, TokenSettings


async def start_login(
    sending: Sending,
    policy: ChallengeSettings,
    user: User,
    method: Channel | None,
    accept_language: str | None,
) -> Begun:
    """Send the second factor's code to somebody who has proved the password. Raises MethodNotOfferedError.

    Nothing goes to a phone that too many wrong codes have shut off.
    """
    if await sending.sends.is_phone_off(user.id):
        method = None
    claim = Claim(
        purpose=Purpose.LOGIN,
        user_id=user.id,
        phone_number=user.phone_number,
        accept_language=user.locale or accept_language,
    )
    return await start_ceremony(sending, policy, claim, method)


def default_channel(user: User, policy: SendSettings) -> Channel | None:
    """The channel an account likes best, if it is on offer; None for a factor that needs no message."""
    if user.preferred_method == PreferredMethod.TOTP:
        return None
    offered = channels_for(user.phone_number, policy)
    preferred = Channel(user.preferred_method.value)
    return preferred if preferred in offered or not offered else offered[0]


async def complete_login(
    tx: AsyncSession, challenge: Challenge, proof: Proof, policy: TokenSettings
) -> Authenticated | AuthError:
    """Open the session that both factors have earned."""
    user = await tx.get(User, challenge.user_id)
    if user is None:
        return ChallengeClosedError()
    await note_network(tx, user.id, proof.network, datetime.now(UTC))
    return Authenticated(user, await open_session(tx, user.id, proof.amr, TWO_FACTORS, policy))
