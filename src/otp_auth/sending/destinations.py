"""Where a message may go at all, and by which channels."""

from otp_auth import phone_numbers
from otp_auth.phone_numbers import NumberKind
from otp_auth.sending.channels import Channel
from otp_auth.sending.reasons import Reason
from otp_auth.settings import SendSettings

EVERYWHERE = "*"
EVERY_CHANNEL = frozenset(Channel)
# What isn't named gets nothing: it costs the caller, or whoever answers isn't one person.
TAKEN_BY = {
    NumberKind.MOBILE: EVERY_CHANNEL,
    NumberKind.FIXED_LINE_OR_MOBILE: EVERY_CHANNEL,
    NumberKind.FIXED_LINE: frozenset({Channel.VOICE}),
    NumberKind.VOIP: frozenset({Channel.VOICE}),
}


def refusal_of(phone_number: str, policy: SendSettings, channel: Channel | None = None) -> Reason | None:
    """Say why no message may go to this number, in any mode."""
    if not _is_served(phone_numbers.country_of(phone_number), policy):
        return Reason.COUNTRY
    wanted = [channel] if channel else _offered(phone_number, policy)
    return None if _taken_by(phone_number).intersection(wanted) else Reason.NUMBER_TYPE


def channels_for(phone_number: str, policy: SendSettings) -> list[Channel]:
    """Return the channels of this number's country that its kind can take, best first.

    In watch mode its kind doesn't count.
    """
    offered = _offered(phone_number, policy)
    if policy.mode == "watch":
        return offered
    taken = _taken_by(phone_number)
    return [channel for channel in offered if channel in taken]


def _is_served(country: str, policy: SendSettings) -> bool:
    return EVERYWHERE in policy.countries or country in policy.countries


def _offered(phone_number: str, policy: SendSettings) -> list[Channel]:
    names = policy.methods_by_country.get(phone_numbers.country_of(phone_number), policy.methods)
    return [Channel(name) for name in names]


def _taken_by(phone_number: str) -> frozenset[Channel]:
    return TAKEN_BY.get(phone_numbers.number_kind(phone_number), frozenset())
