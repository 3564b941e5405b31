"""How a verification begins: checked, asked about at the callback URL, and sent."""

import asyncio
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from otp_auth.identifiers import new_id
from otp_auth.simulator import deliveries, numbers
from otp_auth.simulator.decisions import Allowed, Decision, Denied
from otp_auth.simulator.languages import choose_language, preferred_tags
from otp_auth.simulator.methods import Method
from otp_auth.simulator.numbers import Behaviour, behaviour_of, check_route
from otp_auth.simulator.options import ALPHABETS, DIGITS, Options
from otp_auth.simulator.records import Ending, Verification
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.requests import WantedStart
from otp_auth.simulator.simulation import Simulation
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.schemas import VerificationStatus

NUMERIC = "Numeric"
CALLERS = "+1500555"  # and four digits: numbers that the library takes for valid and that ring nowhere


async def start(simulation: Simulation, wanted: WantedStart, accept_language: str) -> Verification:
    """Send a code, if the callback allows it; an older open verification of the number ends.

    Raises RefusalError. The verification is not open if a newer one came while the callback was asked:
    nothing has been sent then.
    """
    if behaviour_of(wanted.number) is Behaviour.SLOW_START:
        await asyncio.sleep(numbers.SLOW)
    opened = _open(simulation, wanted, accept_language)
    decision = await simulation.events.ask(opened, preferred_tags(accept_language))
    simulation.expire_due()
    verification = simulation.store.find(opened.id) or opened
    if not verification.is_open:
        return verification
    verification = _decided(simulation, verification, decision)
    deliveries.send(simulation, verification)
    return verification


def _open(simulation: Simulation, wanted: WantedStart, accept_language: str) -> Verification:
    """Check and write down in one go, without an await.

    The older one ends by the request itself, as Sinch words it: also if the callback then denies.
    """
    now = datetime.now(UTC)
    older = _check(simulation, wanted, now)
    if older and older.is_open:
        simulation.end(older, Ending(VerificationStatus.ABORTED))
    # A phone call doesn't look at the header: Sinch speaks en-US unless its own option says otherwise.
    is_spoken = wanted.method is Method.CALLOUT
    language = choose_language((wanted.options.locale or "") if is_spoken else accept_language)
    verification = _new_verification(simulation, wanted, language, now)
    simulation.store.keep(verification)
    return verification


def _check(simulation: Simulation, wanted: WantedStart, now: datetime) -> Verification | None:
    """Return the number's latest verification. Raises RefusalError if nothing may be started now."""
    simulation.charge_start(now)
    if wanted.method is Method.SEAMLESS and not simulation.settings.seamless:
        raise RefusalError(Refusal.NO_SEAMLESS)
    check_route(wanted.number, wanted.method)
    if wanted.reference and simulation.store.find_by_reference(wanted.reference):
        raise RefusalError(Refusal.REFERENCE_TAKEN)
    simulation.expire_due()
    older = simulation.store.find_newest(wanted.number)
    gap = timedelta(seconds=simulation.settings.start_gap)
    if older and timedelta(0) <= now - older.created_at < gap:
        raise RefusalError(Refusal.TOO_SOON)
    return older


def _decided(simulation: Simulation, verification: Verification, decision: Decision) -> Verification:
    """Write down what the callback's answer decides. Raises RefusalError if it denies."""
    if isinstance(decision, Denied):
        simulation.end(verification, Ending(VerificationStatus.DENIED, decision.reason))
        raise RefusalError(decision.refusal)
    changes = _changes(simulation, verification, decision)
    if changes:
        verification = verification.model_copy(update=changes)
        simulation.store.keep(verification)
    return verification


def _changes(simulation: Simulation, verification: Verification, allowed: Allowed) -> dict[str, object]:
    options = allowed.options
    changes: dict[str, object] = {}
    if options.code_type:
        changes["code_type"] = options.code_type
        changes["code"] = _new_code(simulation, verification.method, options.code_type)
    if allowed.code:
        changes["code"] = allowed.code
    if options.lifetime or options.interception:
        lifetime = _lifetime(simulation.settings, verification.method, options)
        changes["expires_at"] = verification.created_at + lifetime
        changes["interception"] = options.interception
    if options.locale or allowed.languages:
        changes["language"] = choose_language(options.locale or ",".join(allowed.languages))
    return changes


def _new_verification(
    simulation: Simulation, wanted: WantedStart, language: str, now: datetime
) -> Verification:
    code_type = wanted.options.code_type or NUMERIC
    return Verification(
        id=str(new_id()),
        method=wanted.method,
        number=wanted.number,
        code=_new_code(simulation, wanted.method, code_type),
        code_type=code_type,
        language=language,
        reference=wanted.reference,
        custom=wanted.custom,
        created_at=now,
        expires_at=now + _lifetime(simulation.settings, wanted.method, wanted.options),
        interception=wanted.options.interception,
    )


def _new_code(simulation: Simulation, method: Method, code_type: str) -> str:
    if method is Method.FLASHCALL:
        return f"{CALLERS}{simulation.new_code(DIGITS)[:4]}"
    if method is Method.SEAMLESS:
        return token_urlsafe(16)  # in the address that the phone opens
    return simulation.new_code(ALPHABETS[code_type])


def _lifetime(settings: SimulatorSettings, method: Method, options: Options) -> timedelta:
    if method is Method.FLASHCALL:
        return max(settings.flash_call_lifetime, timedelta(seconds=options.interception or 0))
    return options.lifetime or settings.code_lifetime
