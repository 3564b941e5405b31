"""How a verification goes on: reported, asked about, expired. Where Sinch publishes nothing, we chose."""

import hmac
from datetime import UTC, datetime, timedelta

from otp_auth.simulator.methods import Method
from otp_auth.simulator.records import Ending, Reason, Verification
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.requests import Report
from otp_auth.simulator.simulation import Simulation
from otp_auth.sinch.schemas import VerificationStatus

WITH_SOURCE = {Method.SMS, Method.FLASHCALL, Method.WHATSAPP}


def report_by_id(simulation: Simulation, verification_id: str, report: Report) -> Verification:
    """Try a code. Raises RefusalError, also for a wrong code that leaves the verification open."""
    verification = find(simulation, verification_id)
    if verification.is_open:
        return _try(simulation, verification, report)
    if verification.reason == Reason.EXPIRED and simulation.settings.late_report == "usual":
        return verification
    return _answer_late(simulation, verification)


def report_by_number(simulation: Simulation, number: str, report: Report) -> Verification:
    """Try a code on what is open for the number. Raises RefusalError, also if nothing is."""
    simulation.expire_due()
    newest = simulation.store.find_newest(number, report.method)
    if newest is None:
        raise RefusalError(Refusal.INVALID_CODE)
    return _try(simulation, newest, report) if newest.is_open else _answer_late(simulation, newest)


def _answer_late(simulation: Simulation, verification: Verification) -> Verification:
    """Answer a report of what has ended. A success is told once: never to who reports after it."""
    match simulation.settings.late_report:
        case "not_found":
            raise RefusalError(Refusal.NOT_FOUND)
        case "answer" if verification.status is not VerificationStatus.SUCCESSFUL:
            return verification
    raise RefusalError(Refusal.INVALID_CODE)


def find(simulation: Simulation, verification_id: str) -> Verification:
    """Return how the verification stands now. Raises RefusalError."""
    simulation.expire_due()
    return _known(simulation.store.find(verification_id))


def find_by_reference(simulation: Simulation, reference: str) -> Verification:
    """Return how the verification with the caller's reference stands now. Raises RefusalError."""
    simulation.expire_due()
    return _known(simulation.store.find_by_reference(reference))


def find_by_number(simulation: Simulation, number: str, method: Method) -> Verification:
    """Return how the number's latest verification by that method stands now. Raises RefusalError."""
    simulation.expire_due()
    newest = _known(simulation.store.find_newest(number, method))
    found_for = timedelta(seconds=simulation.settings.look_up_by_number)
    if found_for and datetime.now(UTC) - newest.created_at >= found_for:
        raise RefusalError(Refusal.NOT_FOUND)
    return newest


def _known(verification: Verification | None) -> Verification:
    if verification is None:
        raise RefusalError(Refusal.NOT_FOUND)
    return verification


def _try(simulation: Simulation, verification: Verification, report: Report) -> Verification:
    """Judge and write down in one go, without an await: of two right reports only the first succeeds."""
    if report.method is not verification.method:
        raise RefusalError(Refusal.INVALID_CODE)
    if hmac.compare_digest(_comparable(report.code), _comparable(verification.code)):
        source = report.source if verification.method in WITH_SOURCE else None
        proved = verification.model_copy(update={"source": source})
        return simulation.end(proved, Ending(VerificationStatus.SUCCESSFUL))
    return _count_wrong_try(simulation, verification)


def _comparable(code: str) -> bytes:
    """Letters may be typed in either case, and a caller's number without its plus."""
    return code.upper().removeprefix("+").encode()


def _count_wrong_try(simulation: Simulation, verification: Verification) -> Verification:
    tried = verification.model_copy(update={"wrong_tries": verification.wrong_tries + 1})
    if tried.wrong_tries < simulation.settings.wrong_tries:
        simulation.store.keep(tried)
        raise RefusalError(Refusal.INVALID_CODE)
    is_call = tried.method is Method.FLASHCALL
    reason = Reason.INVALID_CLI if is_call else Reason.INVALID_CODE
    failed = simulation.end(tried, Ending(VerificationStatus.FAIL, reason))
    if simulation.settings.last_wrong_answer == "error":
        raise RefusalError(Refusal.INVALID_CODE)
    return failed
