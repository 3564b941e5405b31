"""Beside Sinch's API, for tests and without authentication: counters, faults, endings, events."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from otp_auth.simulator import endings
from otp_auth.simulator.dependencies import CurrentFaults, CurrentSimulation
from otp_auth.simulator.endings import WantedEnding
from otp_auth.simulator.faults import Call, Fault
from otp_auth.simulator.inbox import HEADERS, as_number
from otp_auth.simulator.leaving import is_leaving, wake_at_shutdown
from otp_auth.simulator.records import SentEvent

LONGEST_WAIT = 30  # seconds

router = APIRouter()


@router.get("/stats")
async def stats(simulation: CurrentSimulation, response: Response) -> dict[str, Any]:
    """Tell how many starts and reports have arrived since the beginning, as ground truth for tests.

    Counted is every request with good credentials, before anything else is looked at: also one that is then
    refused, fails to parse, or falls to a fault (`drop_before` too). What was really sent is in the inbox.
    `by_number` has the numbers that could be read, as E.164; a report by id counts for its verification's
    number, a report by number for that number's latest verification. Unknown ids count in `reports` alone.
    """
    response.headers.update(HEADERS)
    store = simulation.store
    return store.totals.model_dump() | {
        "by_number": {number: counts.model_dump() for number, counts in store.counts_by_number.items()},
        "by_verification": {key: {"reports": n} for key, n in store.reports_by_verification.items()},
    }


@router.put("/faults")
async def put_fault(request: Request, faults: CurrentFaults) -> Response:
    """Let starts, reports or events go wrong; any content type will do, so that curl needs no header."""
    try:
        fault = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        return _unreadable(error)
    faults.put(fault)
    return JSONResponse(fault.model_dump(mode="json"), headers=HEADERS)


@router.get("/faults")
async def faults_in_force(faults: CurrentFaults, response: Response) -> list[Fault]:
    """List what goes wrong now; `times` is what is left of them."""
    response.headers.update(HEADERS)
    return faults.all_in_force()


@router.delete("/faults", status_code=204)
async def clear_faults(faults: CurrentFaults, on: Call | None = None) -> None:
    """Let everything go well again, or one kind of call."""
    faults.clear(on)


@router.put("/endings")
async def put_ending(request: Request, simulation: CurrentSimulation) -> Response:
    """Let an open verification end at once, without success, and tell it to the callback URL."""
    try:
        wanted = WantedEnding.model_validate_json(await request.body())
    except ValidationError as error:
        return _unreadable(error)
    ended = endings.end(simulation, wanted)
    if ended is None:
        return JSONResponse({"detail": "nothing is open there"}, status_code=404, headers=HEADERS)
    content = {"id": ended.id, "to": ended.number, "status": ended.status, "reason": ended.reason}
    return JSONResponse(content | {"call_result": ended.call_result}, headers=HEADERS)


@router.get("/events")
async def events(
    request: Request,
    simulation: CurrentSimulation,
    response: Response,
    to: str = "",
    event: str = "",
    verification_id: str = "",
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> list[SentEvent]:
    """List the events that were sent to the callback URL and what it answered, newest first.

    `wait`: where there is none yet, answer when the first has come, at the latest after so many seconds.
    """
    response.headers.update(HEADERS)
    number = as_number(to)

    def matches(sent: SentEvent) -> bool:
        return (
            number in {None, sent.to}
            and event in {"", sent.event}
            and verification_id in {"", sent.verification_id}
        )

    def found() -> list[SentEvent]:
        return simulation.events.sent(matches)

    if wait:
        with suppress(TimeoutError), simulation.events.news.watched() as changed:
            wake_at_shutdown(request.state, changed)
            async with asyncio.timeout(wait):
                while not found() and not is_leaving(request.state):
                    changed.clear()
                    await changed.wait()
    return found()


def _unreadable(error: ValidationError) -> Response:
    problems = [{"where": list(e["loc"]), "problem": e["msg"]} for e in error.errors(include_url=False)]
    return JSONResponse({"detail": problems}, status_code=422, headers=HEADERS)
