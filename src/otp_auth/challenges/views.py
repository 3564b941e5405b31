"""What a screen may know of a challenge (contract, section 2)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from otp_auth.challenges.guises import Guise, every_channel, guise_of, in_guise
from otp_auth.challenges.models import Challenge, Delivery
from otp_auth.challenges.sending import Sending
from otp_auth.challenges.sends import WantedSend
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.sending.models import Cooldown
from otp_auth.settings import SendSettings


@dataclass(frozen=True)
class ChallengeView:
    """A challenge, and what may be asked for next."""

    challenge: Challenge
    resend_at: datetime | None  # None: nothing more can be sent
    next_methods: list[Channel]  # may be asked for now, best first


async def view(sending: Sending, challenge: Challenge, opens_at: datetime | None = None) -> ChallengeView:
    """Look at a challenge, as whoever holds its pending token may see it.

    `opens_at` is when a message may go out, where that has just been asked.
    """
    if guise := guise_of(challenge):
        return await _view_of_reset(sending, challenge, guise)
    methods = next_methods(challenge, sending.policy)
    is_off = await sending.sends.is_phone_off(challenge.owner_id)
    if challenge.sends_left == 0 or not methods or is_off:
        return ChallengeView(challenge, None, [])
    now = datetime.now(UTC)
    cooldown = await sending.sends.cooldown_of(challenge) if opens_at is None else None
    resend_at = opens_at or (cooldown.next_send_at if cooldown else challenge.created_at)
    if resend_at > now:
        methods = _others_at_once(sending, challenge, methods, cooldown)
    if methods:
        closed_until = await _closed_until(sending, challenge, methods[0])
        resend_at = max(resend_at, closed_until or resend_at)
        methods = [] if closed_until else methods
    # None: it dies before the same message may go out again.
    return ChallengeView(challenge, resend_at if resend_at < challenge.expires_at else None, methods)


async def _view_of_reset(sending: Sending, challenge: Challenge, guise: Guise) -> ChallengeView:
    """What depends on the name that was typed alone, never on whose it is."""
    seen = in_guise(challenge, guise)
    cooldown = await sending.sends.cooldown_of(challenge)
    resend_at = cooldown.next_send_at if cooldown else challenge.created_at
    if challenge.sends_left == 0 or resend_at >= challenge.expires_at:
        return ChallengeView(seen, None, [])
    waits = resend_at > datetime.now(UTC)
    return ChallengeView(seen, resend_at, [] if waits else every_channel(sending.policy))


def next_methods(challenge: Challenge, policy: SendSettings) -> list[Channel]:
    """The channels on offer for the number; one that brought nothing comes last."""
    offered = [
        channel
        for channel in channels_for(challenge.phone_number, policy)
        if channel.value not in challenge.refused_methods
    ]
    is_in_doubt = challenge.delivery is Delivery.FAILED or challenge.is_unheard_of(
        policy.patience, datetime.now(UTC)
    )
    return sorted(offered, key=lambda channel: is_in_doubt and channel == challenge.method)


async def _closed_until(sending: Sending, challenge: Challenge, method: Channel) -> datetime | None:
    """When the budget that stands in a message's way begins anew; None when nothing does."""
    if sending.policy.mode == "watch":
        return None
    refusals = await sending.sends.look(WantedSend(challenge, method, sending.network), sending.policy)
    return max((each.retry_at or challenge.expires_at for each in refusals), default=None)


def _others_at_once(
    sending: Sending, challenge: Challenge, methods: list[Channel], cooldown: Cooldown | None
) -> list[Channel]:
    """Other channels, while the cool-down is that of a message which seems not to have arrived."""
    is_own = cooldown is not None and cooldown.reference == challenge.reference
    if not is_own or not challenge.is_unheard_of(sending.policy.patience, datetime.now(UTC)):
        return []
    return [method for method in methods if method != challenge.method]
