"""Password reset: somebody names an account, and its phone answers. It opens no session.

A name is all that a stranger shows, so what they see depends on it alone. In the request a challenge is
written, the same for any name; beside it somebody looks whether there is an account to send a code to.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.login_names import LoginName, find_by_login_name
from otp_auth.accounts.models import User
from otp_auth.accounts.password_resets import add_reset
from otp_auth.accounts.repository import UserRepository, lock_user
from otp_auth.audit.models import EventName
from otp_auth.ceremonies.outcomes import ResetAllowed
from otp_auth.ceremonies.proof import Proof
from otp_auth.ceremonies.start import finds_as_it_was
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.guises import Guise, digest_of_name, every_channel, guise_of
from otp_auth.challenges.models import Challenge, CodeMaker
from otp_auth.challenges.resets import ResetRepository
from otp_auth.challenges.sending import Sending, check_named, send_code
from otp_auth.errors import AuthError
from otp_auth.factors.authenticators import has_app
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.settings import SessionPolicy


@dataclass(frozen=True)
class Resetting:
    """What it takes to begin a reset."""

    sending: Sending
    resets: ResetRepository
    users: UserRepository


@dataclass(frozen=True)
class Asked:
    """A challenge as a stranger sees it, and what is to be done for it where they don't."""

    challenge: Challenge
    aside: Coroutine[None, None, None]


async def start_reset(
    resetting: Resetting, name: LoginName, method: Channel | None, accept_language: str | None
) -> Asked:
    """Open a challenge for a name, known or not. Raises MethodNotOfferedError."""
    sending = resetting.sending
    channel = method or every_channel(sending.policy)[0]
    guise, maker = await _new_guise(sending, digest_of_name(name.text), channel)
    challenge, goes = await resetting.resets.open(guise, maker, accept_language)
    return Asked(challenge, _find_and_send(resetting, name, challenge, goes=goes))


async def send_reset_again(resetting: Resetting, challenge: Challenge, method: Channel) -> Asked:
    """Send once more, or as if.

    Raises MethodNotOfferedError, ResendTooSoonError, TooManySendsError, ChallengeClosedError.
    """
    shown = guise_of(challenge)
    if shown is None:
        raise ChallengeClosedError
    guise, _ = await _new_guise(resetting.sending, shown.name_digest, method)
    taken = await resetting.resets.send_again(challenge, guise)
    return Asked(taken, _send(resetting, taken))


async def complete_password_reset(
    tx: AsyncSession, challenge: Challenge, _proof: Proof, _policy: SessionPolicy, *, lifetime: timedelta
) -> ResetAllowed | AuthError:
    """Hand out a reset token, if the account still is what it was when its phone was sent the code."""
    user = await lock_user(tx, challenge.user_id)
    if user is None or not finds_as_it_was(challenge, user):
        return ChallengeClosedError()
    expires_at = datetime.now(UTC) + lifetime
    token = await add_reset(tx, user, expires_at)
    return ResetAllowed(token, expires_at, proof_required=await has_app(tx, user.id))


async def _new_guise(sending: Sending, name_digest: str, method: Channel) -> tuple[Guise, CodeMaker]:
    check_named(method, sending.policy)
    kind = await sending.sends.foresee_code(method, sending.sinch_texts)
    return Guise(name_digest, method, kind.code_type, kind.code_length), kind.maker


async def _find_and_send(resetting: Resetting, name: LoginName, challenge: Challenge, *, goes: bool) -> None:
    """Look whose name it is, and let that phone prove the challenge."""
    user = await find_by_login_name(resetting.users, name)
    if user is None:
        return
    await resetting.sending.audit.record_refusal(
        EventName.PASSWORD_RESET_REQUESTED, user_id=user.id, network=resetting.sending.network, detail={}
    )
    if not await _may_get_codes(resetting.sending, user):
        return
    bound = await resetting.resets.bind(
        challenge.id, user.id, user.phone_number, user.password_version, user.locale
    )
    if bound is not None and goes:
        await _deliver(resetting.sending, bound)


async def _send(resetting: Resetting, challenge: Challenge) -> None:
    """Send to the account that was found at the start, if it still is what it was then."""
    if challenge.user_id is None:
        return
    user = await resetting.users.get(challenge.user_id)
    if user is None or not finds_as_it_was(challenge, user):
        return
    if await _may_get_codes(resetting.sending, user):
        await _deliver(resetting.sending, challenge)


async def _may_get_codes(sending: Sending, user: User) -> bool:
    return user.locked_at is None and not await sending.sends.is_phone_off(user.id)


async def _deliver(sending: Sending, challenge: Challenge) -> None:
    """Send the code to the account's phone, under all limits of a stranger's message. No refusal is seen."""
    offered = channels_for(challenge.phone_number, sending.policy)
    wanted = challenge.method if challenge.method in offered or not offered else offered[0]
    try:
        await send_code(sending, challenge, wanted or Channel.SMS)
    except AuthError as refusal:
        logger.info("no code for a password reset", cause=refusal.code)
