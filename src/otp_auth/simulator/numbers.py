"""Numbers with a built-in behaviour, so that every state of a screen can be seen without set-up.

All lie in the range of Swedish mobile numbers that belongs to nobody (PTS: 070-1740605 to 070-1740699).
"""

from enum import StrEnum

from pydantic import BaseModel

from otp_auth.simulator.methods import Method
from otp_auth.simulator.refusals import Refusal, RefusalError

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
    NO_ROUTE = "no_route"
    BLACKLISTED = "blacklisted"
    INTERNAL_ERROR = "internal_error"
    NO_ANSWER = "no_answer"
    BUSY = "busy"


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
    BuiltInNumber(
        number="+46701740606",
        behaviour=Behaviour.NO_ROUTE,
        description="Nothing gets there by any method (422, 42201).",
    ),
    BuiltInNumber(
        number="+46701740607",
        behaviour=Behaviour.BLACKLISTED,
        description="Every start is refused: the number is blacklisted (403, 40300).",
    ),
    BuiltInNumber(
        number="+46701740608",
        behaviour=Behaviour.INTERNAL_ERROR,
        description="Every start fails at Sinch (500, 50000).",
    ),
    BuiltInNumber(
        number="+46701740609",
        behaviour=Behaviour.NO_ANSWER,
        description="Nobody answers a call; text messages arrive.",
    ),
    BuiltInNumber(
        number="+46701740610",
        behaviour=Behaviour.BUSY,
        description="The line is busy for calls; text messages arrive.",
    ),
)
_BEHAVIOURS = {built_in.number: built_in.behaviour for built_in in NUMBERS}
_REFUSALS = {
    Behaviour.NO_CREDIT: Refusal.NO_CREDIT,
    Behaviour.PROVIDER_DOWN: Refusal.DOWN,
    Behaviour.NO_ROUTE: Refusal.NO_ROUTE,
    Behaviour.BLACKLISTED: Refusal.BLACKLISTED,
    Behaviour.INTERNAL_ERROR: Refusal.INTERNAL_ERROR,
}
_WITHOUT_VOICE = {Method.SMS, Method.WHATSAPP}


def behaviour_of(number: str) -> Behaviour | None:
    """Return what is special about a number (E.164), if anything is."""
    return _BEHAVIOURS.get(number)


def check_route(number: str, method: Method) -> None:
    """Raise RefusalError if nothing can be started for the number by this method."""
    behaviour = behaviour_of(number)
    if behaviour is Behaviour.VOICE_ONLY and method in _WITHOUT_VOICE:
        raise RefusalError(Refusal.NO_ROUTE)
    if behaviour in _REFUSALS:
        raise RefusalError(_REFUSALS[behaviour])
