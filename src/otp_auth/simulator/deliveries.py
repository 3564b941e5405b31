"""How a message gets to its phone, or doesn't."""

import asyncio
from datetime import UTC, datetime
from enum import Enum

from otp_auth.identifiers import new_id
from otp_auth.simulator import numbers
from otp_auth.simulator.languages import PLACE_OF_CODE, template_of
from otp_auth.simulator.methods import CALLS, Method
from otp_auth.simulator.numbers import Behaviour, behaviour_of
from otp_auth.simulator.records import CallResult, Ending, Message, MessageStatus, Reason, Verification
from otp_auth.simulator.simulation import Simulation
from otp_auth.sinch.schemas import VerificationStatus


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
_UNTAKEN_CALLS = {Behaviour.NO_ANSWER: CallResult.NO_ANSWER, Behaviour.BUSY: CallResult.BUSY}


def send(simulation: Simulation, verification: Verification) -> None:
    """Show the message in the inbox at once, for the developer's sake, unless its number says otherwise."""
    if verification.method is Method.SEAMLESS:
        return  # no message: the phone opens an address
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
    if fate is Fate.ARRIVES_LATE and verification.method is not Method.SEAMLESS:
        simulation.store.deliver(_message(verification, "delivered"))
    else:
        _mark(simulation, verification, "failed" if fate is Fate.FAILS else "delivered")
    if verification.method is Method.SMS:
        simulation.events.tell_delivery(verification, successful=fate is not Fate.FAILS)
    current = simulation.store.find(verification.id)
    if fate is Fate.FAILS and current and current.is_open:
        simulation.end(current, _failure(current))


def _failure(verification: Verification) -> Ending:
    is_text = verification.method is Method.SMS
    reason = Reason.SMS_DELIVERY_FAILURE if is_text else Reason.UNREACHABLE
    return Ending(VerificationStatus.ERROR, reason, _call_result(verification))


def _call_result(verification: Verification) -> CallResult | None:
    """Return why nobody took the call; None if it is no call, or if that isn't special about its number."""
    behaviour = behaviour_of(verification.number)
    return _UNTAKEN_CALLS.get(behaviour) if behaviour and verification.method in CALLS else None


def _mark(simulation: Simulation, verification: Verification, status: MessageStatus) -> None:
    """Change the message, if nobody has emptied the inbox."""
    message = simulation.store.message_of(verification.id)
    if message is not None:
        simulation.store.deliver(message.model_copy(update={"status": status}))


def _fate_of(verification: Verification) -> Fate:
    if _call_result(verification):
        return Fate.FAILS
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
