"""Sinch's endpoints. Bodies are read by hand: Sinch's errors are not FastAPI's."""

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTask

from otp_auth.simulator import answers, deliveries, rules, starts
from otp_auth.simulator.dependencies import CurrentFaults, CurrentSimulation, require_credentials
from otp_auth.simulator.faults import play
from otp_auth.simulator.refusals import RefusalError
from otp_auth.simulator.requests import read_method, read_number, read_report, read_start, starting_number
from otp_auth.simulator.simulation import Simulation

router = APIRouter(prefix=answers.VERIFICATIONS, dependencies=[Depends(require_credentials)])


@router.post("")
async def start(request: Request, simulation: CurrentSimulation, faults: CurrentFaults) -> Response:
    """Start a verification: a code goes to the inbox. What becomes of it is told after the answer."""
    body = await request.body()
    accept_language = request.headers.get("accept-language", "")
    simulation.store.count_start(starting_number(body))
    fault = faults.take("start")
    undelivered = fault is not None and fault.kind == "undelivered"

    async def work() -> Response:
        verification = await starts.start(simulation, read_start(body), accept_language)
        answer = answers.started(request, verification)
        answer.background = BackgroundTask(
            deliveries.follow, simulation, verification, undelivered=undelivered
        )
        return answer

    return await play(fault, work)


@router.put("/id/{verification_id}")
async def report_by_id(
    verification_id: str, request: Request, simulation: CurrentSimulation, faults: CurrentFaults
) -> Response:
    """Report a code for a verification."""
    body = await request.body()
    known = simulation.store.find(verification_id)
    simulation.store.count_report(known.number if known else None, known.id if known else None)

    async def work() -> Response:
        return answers.reported(rules.report_by_id(simulation, verification_id, read_report(body)))

    return await play(faults.take("report"), work)


@router.put("/number/{endpoint}")
async def report_by_number(
    endpoint: str, request: Request, simulation: CurrentSimulation, faults: CurrentFaults
) -> Response:
    """Report a code for whatever is open for a number."""
    body = await request.body()
    _count_report_by_number(simulation, endpoint)

    async def work() -> Response:
        number = read_number(endpoint)
        return answers.reported(rules.report_by_number(simulation, number, read_report(body)))

    return await play(faults.take("report"), work)


@router.get("/id/{verification_id}")
async def status_by_id(verification_id: str, simulation: CurrentSimulation) -> Response:
    """Tell how a verification stands."""
    return answers.status(rules.find(simulation, verification_id), simulation.settings)


@router.get("/{method}/number/{endpoint}")
async def status_by_number(method: str, endpoint: str, simulation: CurrentSimulation) -> Response:
    """Tell how a number's latest verification by that method stands."""
    number = read_number(endpoint)
    return answers.status(rules.find_by_number(simulation, number, read_method(method)), simulation.settings)


@router.get("/reference/{reference}")
async def status_by_reference(reference: str, simulation: CurrentSimulation) -> Response:
    """Tell how the verification stands that was started with the caller's reference."""
    return answers.status(rules.find_by_reference(simulation, reference), simulation.settings)


def _count_report_by_number(simulation: Simulation, endpoint: str) -> None:
    """Count it for the number's latest verification, open or not."""
    try:
        number = read_number(endpoint)
    except RefusalError:
        simulation.store.count_report(None, None)
        return
    newest = simulation.store.find_newest(number)
    simulation.store.count_report(number, newest.id if newest else None)
