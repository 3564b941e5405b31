"""What a screen may know of a challenge (contract, section 2)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from otp_auth.challenges.models import UNHEARD, Challenge, Delivery
from otp_auth.challenges.repository import WantedSend
from otp_auth.challenges.sending import Sending
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
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
    methods = next_methods(challenge, sending.policy)
    is_off = await sending.challenges.is_phone_off(challenge.user_id)
    if challenge.sends_left == 0 or not methods or is_off:
        return ChallengeView(challenge, None, [])
    now = datetime.now(UTC)
    resend_at = max(opens_at or await _opens_at(sending, challenge, methods[0]) or now, now)
    if resend_at <= now:
        return ChallengeView(challenge, now, methods)
    at_once = await _others_at_once(sending, challenge, methods, now)
    # None: it dies before another message may go out.
    return ChallengeView(challenge, resend_at if resend_at < challenge.expires_at else None, at_once)


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


async def _opens_at(sending: Sending, challenge: Challenge, method: Channel) -> datetime | None:
    """When the next message may go out: after the cool-down, and after a budget that stood in its way."""
    cooldown = await sending.challenges.cooldown_of(challenge)
    opens_at = cooldown.next_send_at if cooldown else None
    if challenge.delivery is not Delivery.NOT_SENT:
        return opens_at
    refusals = await sending.challenges.look(WantedSend(challenge, method, sending.network), sending.policy)
    moments = [each.retry_at or challenge.expires_at for each in refusals]
    return max([*moments, *([opens_at] if opens_at else [])], default=None)


async def _others_at_once(
    sending: Sending, challenge: Challenge, methods: list[Channel], now: datetime
) -> list[Channel]:
    """Other channels, while the cool-down is that of a message which seems not to have arrived."""
    if challenge.delivery not in UNHEARD or not challenge.is_unheard_of(sending.policy.patience, now):
        return []
    cooldown = await sending.challenges.cooldown_of(challenge)
    is_own = cooldown is not None and cooldown.reference == challenge.reference
    return [method for method in methods if method != challenge.method] if is_own else []
