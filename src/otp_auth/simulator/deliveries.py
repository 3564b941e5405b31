"""How a message gets to its phone, or doesn't."""

import asyncio
from datetime import UTC, datetime
from enum import Enum
from typing import Literal

from otp_auth.identifiers import new_id
from otp_auth.simulator import numbers
from otp_auth.simulator.languages import PLACE_OF_CODE, template_of
from otp_auth.simulator.numbers import Behaviour, behaviour_of
from otp_auth.simulator.records import Message, Reason, Verification
from otp_auth.simulator.simulation import Simulation
from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

MessageStatus = Literal["sent", "delivered", "failed"]


class Fate(Enum):
    """What becomes of a message."""

    ARRIVES = "arrives"
    ARRIVES_LATE = "arrives late"
    FAILS = "fails"
    VANISHES = "vanishes"


_FATES = {
    Behaviour.NEVER_DELIVERED: Fate.VANISHES,
    Behaviour.DELIVERED_LATE: Fate.ARRIVES_LATE,
    Behaviour.REFUSED_BY_OPERATOR: Fate.FAILS,
}


def send(simulation: Simulation, verification: Verification) -> None:
    """Show the message in the inbox at once, for the developer's sake, unless its number says otherwise."""
    if _fate_of(verification) in {Fate.ARRIVES, Fate.FAILS}:
        simulation.store.deliver(_message(verification, "sent"))


async def follow(simulation: Simulation, verification: Verification, *, undelivered: bool) -> None:
    """Let the delivery end after its delay; called when the start has been answered.

    A restart forgets deliveries that are under way.
    """
    fate = Fate.FAILS if undelivered else _fate_of(verification)
    if not verification.is_open or fate is Fate.VANISHES:
        return
    delay = numbers.LATE if fate is Fate.ARRIVES_LATE else simulation.settings.delivery_delay
    if delay:
        simulation.background.spawn(_end_later(simulation, verification, fate, delay))
    else:
        _end(simulation, verification, fate)


async def _end_later(simulation: Simulation, verification: Verification, fate: Fate, delay: float) -> None:
    await asyncio.sleep(delay)
    _end(simulation, verification, fate)


def _end(simulation: Simulation, verification: Verification, fate: Fate) -> None:
    """Write down and tell how the delivery ended."""
    if fate is Fate.ARRIVES_LATE:
        simulation.store.deliver(_message(verification, "delivered"))
    else:
        _mark(simulation, verification, "failed" if fate is Fate.FAILS else "delivered")
    if verification.method is VerificationMethod.SMS:
        simulation.events.tell_delivery(verification, successful=fate is not Fate.FAILS)
    current = simulation.store.find(verification.id)
    if fate is Fate.FAILS and current and current.is_open:
        is_text = verification.method is VerificationMethod.SMS
        reason = Reason.SMS_DELIVERY_FAILURE if is_text else Reason.UNREACHABLE
        simulation.end(current, VerificationStatus.ERROR, reason)


def _mark(simulation: Simulation, verification: Verification, status: MessageStatus) -> None:
    """Change the message, if nobody has emptied the inbox."""
    message = simulation.store.message_of(verification.id)
    if message is not None:
        simulation.store.deliver(message.model_copy(update={"status": status}))


def _fate_of(verification: Verification) -> Fate:
    behaviour = behaviour_of(verification.number)
    return _FATES.get(behaviour, Fate.ARRIVES) if behaviour else Fate.ARRIVES


def _message(verification: Verification, status: MessageStatus) -> Message:
    template = template_of(verification.method, verification.language)
    return Message(
        id=str(new_id()),
        verification_id=verification.id,
        method=verification.method,
        to=verification.number,
        code=verification.code,
        text=template.replace(PLACE_OF_CODE, verification.code),
        status=status,
        created_at=datetime.now(UTC),
    )
