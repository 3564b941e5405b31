"""What a screen may know of a challenge (contract, section 2)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from otp_auth.challenges.models import Challenge, Delivery
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.sending.channels import Channel
from otp_auth.settings import SendSettings


@dataclass(frozen=True)
class ChallengeView:
    """A challenge, and what may be asked for next."""

    challenge: Challenge
    resend_at: datetime | None  # None: nothing more can be sent
    next_methods: list[Channel]  # best first


async def view(challenges: ChallengeRepository, policy: SendSettings, challenge: Challenge) -> ChallengeView:
    if challenge.sends_left == 0:
        return ChallengeView(challenge, None, [])
    now = datetime.now(UTC)
    resend_at = max(await challenges.may_send_at(challenge) or now, now)
    if resend_at >= challenge.expires_at:
        return ChallengeView(challenge, None, [])  # it dies before another message may go out
    return ChallengeView(challenge, resend_at, next_methods(challenge, policy))


def next_methods(challenge: Challenge, policy: SendSettings) -> list[Channel]:
    """The channels on offer; one that has just failed comes last."""
    failed = challenge.method if challenge.delivery == Delivery.FAILED else None
    offered = [Channel(name) for name in policy.methods]
    return sorted(offered, key=lambda channel: channel == failed)
