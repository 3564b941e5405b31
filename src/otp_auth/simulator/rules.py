"""How a verification goes on: reported, asked about, expired. Where Sinch publishes nothing, we chose."""

import hmac

from otp_auth.simulator.records import Reason, Verification
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.requests import Report
from otp_auth.simulator.simulation import Simulation
from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

WITH_SOURCE = {VerificationMethod.SMS, VerificationMethod.FLASHCALL, VerificationMethod.WHATSAPP}


def report_by_id(simulation: Simulation, verification_id: str, report: Report) -> Verification:
    """Try a code. Raises RefusalError, also for a wrong code that leaves the verification open."""
    verification = find(simulation, verification_id)
    if verification.reason == Reason.EXPIRED:
        return verification
    return _try(simulation, verification, report)


def report_by_number(simulation: Simulation, number: str, report: Report) -> Verification:
    """Try a code on what is open for the number. Raises RefusalError, also if nothing is."""
    simulation.expire_due()
    newest = simulation.store.find_newest(number, report.method)
    if newest is None:
        raise RefusalError(Refusal.INVALID_CODE)
    return _try(simulation, newest, report)


def find(simulation: Simulation, verification_id: str) -> Verification:
    """Return how the verification stands now. Raises RefusalError."""
    simulation.expire_due()
    return _known(simulation.store.find(verification_id))


def find_by_reference(simulation: Simulation, reference: str) -> Verification:
    """Return how the verification with the caller's reference stands now. Raises RefusalError."""
    simulation.expire_due()
    return _known(simulation.store.find_by_reference(reference))


def find_by_number(simulation: Simulation, number: str, method: VerificationMethod) -> Verification:
    """Return how the number's latest verification by that method stands now. Raises RefusalError."""
    simulation.expire_due()
    return _known(simulation.store.find_newest(number, method))


def _known(verification: Verification | None) -> Verification:
    if verification is None:
        raise RefusalError(Refusal.NOT_FOUND)
    return verification


def _try(simulation: Simulation, verification: Verification, report: Report) -> Verification:
    """Judge and write down in one go, without an await: of two right reports only the first succeeds."""
    if not verification.is_open or report.method is not verification.method:
        raise RefusalError(Refusal.INVALID_CODE)
    if hmac.compare_digest(_comparable(report.code), _comparable(verification.code)):
        source = report.source if verification.method in WITH_SOURCE else None
        proved = verification.model_copy(update={"source": source})
        return simulation.end(proved, VerificationStatus.SUCCESSFUL)
    return _count_wrong_try(simulation, verification)


def _comparable(code: str) -> bytes:
    """Letters may be typed in either case, and a caller's number without its plus."""
    return code.upper().removeprefix("+").encode()


def _count_wrong_try(simulation: Simulation, verification: Verification) -> Verification:
    tried = verification.model_copy(update={"wrong_tries": verification.wrong_tries + 1})
    if tried.wrong_tries < simulation.settings.wrong_tries:
        simulation.store.keep(tried)
        raise RefusalError(Refusal.INVALID_CODE)
    is_call = tried.method is VerificationMethod.FLASHCALL
    failed = simulation.end(
        tried, VerificationStatus.FAIL, Reason.INVALID_CLI if is_call else Reason.INVALID_CODE
    )
    if simulation.settings.last_wrong_answer == "error":
        raise RefusalError(Refusal.INVALID_CODE)
    return failed
