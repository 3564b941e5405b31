"""The channels a code can travel by, and what Sinch calls them."""

from enum import StrEnum

from otp_auth.sinch.schemas import VerificationMethod


class Channel(StrEnum):
    """The names of the public contract, section 2."""

    SMS = "sms"
    VOICE = "voice"
    FLASHCALL = "flashcall"
    WHATSAPP = "whatsapp"


# Sinch takes a code of ours for these (Sinch Verification API, request event).
OWN_CODE_CHANNELS = frozenset({Channel.SMS, Channel.VOICE})
SINCH_METHODS = {
    Channel.SMS: VerificationMethod.SMS,
    Channel.VOICE: VerificationMethod.CALLOUT,
    Channel.FLASHCALL: VerificationMethod.FLASHCALL,
    Channel.WHATSAPP: VerificationMethod.WHATSAPP,
}
