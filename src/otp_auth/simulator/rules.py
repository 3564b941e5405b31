"""How a verification lives: started, reported, expired, replaced. Where Sinch publishes nothing, we chose."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from otp_auth.identifiers import new_id
from otp_auth.settings import SimulatorSettings
from otp_auth.simulator.languages import PLACE_OF_CODE, choose_language, template_of
from otp_auth.simulator.records import EXPIRED, INVALID_CODE, Message, Verification
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.requests import ALPHABETS, Report, WantedStart
from otp_auth.simulator.store import Store
from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

NewCode = Callable[[str], str]  # from an alphabet


@dataclass(frozen=True)
class Simulation:
    """One simulated Sinch."""

    store: Store
    settings: SimulatorSettings
    new_code: NewCode


def start(simulation: Simulation, wanted: WantedStart, accept_language: str) -> Verification:
    """Send a code; an older open verification of the number ends. Raises RefusalError."""
    now, store = datetime.now(UTC), simulation.store
    if wanted.reference and store.find_by_reference(wanted.reference):
        raise RefusalError(Refusal.REFERENCE_TAKEN)
    older = store.find_newest(wanted.number)
    if older and now - older.created_at < timedelta(seconds=simulation.settings.start_gap):
        raise RefusalError(Refusal.TOO_SOON)
    if older and older.as_of(now).is_open:
        store.keep(older.ended(VerificationStatus.ABORTED))
    verification = _new_verification(simulation, wanted, choose_language(wanted.locale or accept_language))
    store.keep(verification)
    store.deliver(_message(verification))
    return verification


def report_by_id(simulation: Simulation, verification_id: str, report: Report) -> Verification:
    """Try a code. Raises RefusalError, also for a wrong code that leaves the verification open."""
    verification = find(simulation, verification_id)
    if verification.reason == EXPIRED:
        return verification
    return _try(simulation, verification, report)


def report_by_number(simulation: Simulation, number: str, report: Report) -> Verification:
    """Try a code on what is open for the number. Raises RefusalError, also if nothing is."""
    newest = simulation.store.find_newest(number, report.method)
    if newest is None:
        raise RefusalError(Refusal.INVALID_CODE)
    return _try(simulation, newest.as_of(datetime.now(UTC)), report)


def find(simulation: Simulation, verification_id: str) -> Verification:
    """Return how the verification stands now. Raises RefusalError."""
    return _now(simulation.store.find(verification_id))


def find_by_reference(simulation: Simulation, reference: str) -> Verification:
    """Return how the verification with the caller's reference stands now. Raises RefusalError."""
    return _now(simulation.store.find_by_reference(reference))


def find_by_number(simulation: Simulation, number: str, method: VerificationMethod) -> Verification:
    """Return how the number's latest verification by that method stands now. Raises RefusalError."""
    return _now(simulation.store.find_newest(number, method))


def _now(verification: Verification | None) -> Verification:
    if verification is None:
        raise RefusalError(Refusal.NOT_FOUND)
    return verification.as_of(datetime.now(UTC))


def _try(simulation: Simulation, verification: Verification, report: Report) -> Verification:
    """Judge and write down in one go, without an await: of two right reports only the first succeeds."""
    if not verification.is_open or report.method is not verification.method:
        raise RefusalError(Refusal.INVALID_CODE)
    if hmac.compare_digest(report.code.upper().encode(), verification.code.encode()):
        successful = verification.ended(VerificationStatus.SUCCESSFUL)
        simulation.store.keep(successful)
        return successful
    return _count_wrong_try(simulation, verification)


def _count_wrong_try(simulation: Simulation, verification: Verification) -> Verification:
    tried = verification.model_copy(update={"wrong_tries": verification.wrong_tries + 1})
    if tried.wrong_tries < simulation.settings.wrong_tries:
        simulation.store.keep(tried)
        raise RefusalError(Refusal.INVALID_CODE)
    failed = tried.ended(VerificationStatus.FAIL, INVALID_CODE)
    simulation.store.keep(failed)
    return failed


def _new_verification(simulation: Simulation, wanted: WantedStart, language: str) -> Verification:
    now = datetime.now(UTC)
    return Verification(
        id=str(new_id()),
        method=wanted.method,
        number=wanted.number,
        code=simulation.new_code(ALPHABETS[wanted.code_type]),
        code_type=wanted.code_type,
        language=language,
        reference=wanted.reference,
        custom=wanted.custom,
        created_at=now,
        expires_at=now + (wanted.lifetime or simulation.settings.code_lifetime),
    )


def _message(verification: Verification) -> Message:
    template = template_of(verification.method, verification.language)
    return Message(
        id=str(new_id()),
        verification_id=verification.id,
        method=verification.method,
        to=verification.number,
        code=verification.code,
        text=template.replace(PLACE_OF_CODE, verification.code),
        created_at=verification.created_at,
    )
