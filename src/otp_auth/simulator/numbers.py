"""Numbers with a built-in behaviour, so that every state of a screen can be seen without set-up.

All lie in the range of Swedish mobile numbers that belongs to nobody (PTS: 070-1740605 to 070-1740699).
"""

from enum import StrEnum

from pydantic import BaseModel

from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.sinch.schemas import VerificationMethod

LATE = 20.0  # seconds until `delivered_late` arrives
SLOW = 5.0  # seconds until a `slow_start` begins


class Behaviour(StrEnum):
    """What is special about a number."""

    NEVER_DELIVERED = "never_delivered"
    DELIVERED_LATE = "delivered_late"
    REFUSED_BY_OPERATOR = "refused_by_operator"
    NO_CREDIT = "no_credit"
    SLOW_START = "slow_start"
    PROVIDER_DOWN = "provider_down"
    VOICE_ONLY = "voice_only"


class BuiltInNumber(BaseModel, frozen=True):
    """One number, and for people what happens to it."""

    number: str
    behaviour: Behaviour
    description: str


NUMBERS = (
    BuiltInNumber(
        number="+46701740611",
        behaviour=Behaviour.NEVER_DELIVERED,
        description="Sinch takes the message and nothing arrives: no message, no news, until it expires.",
    ),
    BuiltInNumber(
        number="+46701740622",
        behaviour=Behaviour.DELIVERED_LATE,
        description=f"The message and the news of it come {LATE:.0f} seconds late.",
    ),
    BuiltInNumber(
        number="+46701740633",
        behaviour=Behaviour.REFUSED_BY_OPERATOR,
        description="Sinch takes the message, then the operator refuses it: delivery fails.",
    ),
    BuiltInNumber(
        number="+46701740644",
        behaviour=Behaviour.NO_CREDIT,
        description="Every start is refused: not enough credit (402, 40200).",
    ),
    BuiltInNumber(
        number="+46701740655",
        behaviour=Behaviour.SLOW_START,
        description=f"Every start takes {SLOW:.0f} seconds, then all is well.",
    ),
    BuiltInNumber(
        number="+46701740666",
        behaviour=Behaviour.PROVIDER_DOWN,
        description="Every start is refused: Sinch is unavailable (503, 50300).",
    ),
    BuiltInNumber(
        number="+46701740677",
        behaviour=Behaviour.VOICE_ONLY,
        description="No text message or WhatsApp gets there (422, 42201), calls do.",
    ),
)
_BEHAVIOURS = {built_in.number: built_in.behaviour for built_in in NUMBERS}
_WITHOUT_VOICE = {VerificationMethod.SMS, VerificationMethod.WHATSAPP}


def behaviour_of(number: str) -> Behaviour | None:
    """Return what is special about a number (E.164), if anything is."""
    return _BEHAVIOURS.get(number)


def check_route(number: str, method: VerificationMethod) -> None:
    """Raise RefusalError if nothing can be started for the number by this method."""
    match behaviour_of(number):
        case Behaviour.NO_CREDIT:
            raise RefusalError(Refusal.NO_CREDIT)
        case Behaviour.PROVIDER_DOWN:
            raise RefusalError(Refusal.DOWN)
        case Behaviour.VOICE_ONLY if method in _WITHOUT_VOICE:
            raise RefusalError(Refusal.NO_ROUTE)
