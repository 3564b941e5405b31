"""What may prove a challenge: a channel to the phone, or another factor of the account."""

from collections.abc import Sequence
from enum import StrEnum

from otp_auth.challenges.guises import guise_of
from otp_auth.challenges.models import Challenge
from otp_auth.factors.enrolled import FactorRepository
from otp_auth.factors.models import FactorKind
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.settings import SendSettings


class Factor(StrEnum):
    """What may prove a challenge: a channel to the phone, or another factor of the account."""

    SMS = "sms"
    VOICE = "voice"
    FLASHCALL = "flashcall"
    WHATSAPP = "whatsapp"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


# RFC 8176 has a value for text messages and one for calls; any other one-time code is `otp`.
AMR = {
    Factor.SMS: "sms",
    Factor.VOICE: "tel",
    Factor.FLASHCALL: "tel",
    Factor.WHATSAPP: "otp",
    Factor.TOTP: "otp",
    Factor.RECOVERY_CODE: "otp",
}


OTHER_FACTORS = {Factor.TOTP: FactorKind.TOTP, Factor.RECOVERY_CODE: FactorKind.RECOVERY_CODE}


async def factors_taken(
    enrolled: FactorRepository, policy: SendSettings, challenge: Challenge
) -> list[Factor]:
    """What this challenge takes as proof, the handiest first.

    The phone by the channel of the code that is alive. No factor that too many wrong codes have shut off.
    """
    of_phone = _of_phone(policy, challenge)
    if challenge.owner_id is None:  # a number was named: nothing but that phone tells whose it is
        return [of_phone]
    usable = await enrolled.usable(challenge.owner_id)
    # While no message was asked for, an app has its code at hand, and the phone has none.
    first = [of_phone, Factor.TOTP] if challenge.method else [Factor.TOTP, of_phone]
    ordered = [*first, Factor.RECOVERY_CODE]
    return [factor for factor in ordered if OTHER_FACTORS.get(factor, FactorKind.PHONE) in usable]


def default_factor(factors: Sequence[Factor], policy: SendSettings, challenge: Challenge) -> Factor:
    """What a code is taken for that comes without a method: the message's, or else the app's."""
    if challenge.method is None and Factor.TOTP in factors:
        return Factor.TOTP
    return _of_phone(policy, challenge)


def _of_phone(policy: SendSettings, challenge: Challenge) -> Factor:
    """The channel of the code that is alive, or else the best one for the number."""
    if guise := guise_of(challenge):
        return Factor(guise.method.value)
    channels = channels_for(challenge.phone_number, policy) or [Channel(policy.methods[0])]
    return Factor((challenge.verification_method or challenge.method or channels[0]).value)
