"""Beside Sinch's API, for people and tests and without authentication: inbox, counters, faults."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from otp_auth.simulator.dependencies import CurrentFaults, CurrentSimulation
from otp_auth.simulator.faults import Fault
from otp_auth.simulator.records import Message

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = files("otp_auth.simulator") / "page"

router = APIRouter()


@router.get("/")
async def page() -> Response:
    """Show people what reached which phone."""
    return _file("inbox.html", "text/html", {"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get("/inbox.js")
async def script() -> Response:
    return _file("inbox.js", "text/javascript")


@router.get("/inbox.css")
async def stylesheet() -> Response:
    return _file("inbox.css", "text/css")


@router.get("/messages")
async def messages(
    simulation: CurrentSimulation,
    response: Response,
    to: str = "",
    limit: Annotated[int, Query(ge=1)] = 10**6,
) -> list[Message]:
    """List what was delivered, newest first; `to` is one number, its plus may have become a space."""
    response.headers.update(HEADERS)
    number = f"+{to.strip().removeprefix('+')}" if to.strip() else None
    return simulation.store.messages(number)[:limit]


@router.delete("/messages", status_code=204)
async def empty_inbox(simulation: CurrentSimulation) -> None:
    """Throw all messages away. Verifications and counters stay."""
    simulation.store.empty_inbox()


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
    """Let starts or reports go wrong; any content type will do, so that curl needs no header."""
    try:
        fault = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        problems = [{"where": list(e["loc"]), "problem": e["msg"]} for e in error.errors(include_url=False)]
        return JSONResponse({"detail": problems}, status_code=422, headers=HEADERS)
    faults.put(fault)
    return JSONResponse(fault.model_dump(mode="json"), headers=HEADERS)


@router.delete("/faults", status_code=204)
async def clear_faults(faults: CurrentFaults) -> None:
    """Let everything go well again."""
    faults.clear()


def _file(name: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    content = (_PAGE / name).read_bytes()
    return Response(content, media_type=media_type, headers=HEADERS | (headers or {}))
