"""What the inbox page shows, told as server-sent events: no page has to ask again and again."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from otp_auth.simulator.dependencies import CurrentChanges, CurrentFaults, CurrentSimulation
from otp_auth.simulator.faults import Fault, Faults
from otp_auth.simulator.inbox import HEADERS, as_number
from otp_auth.simulator.leaving import is_leaving, wake_at_shutdown
from otp_auth.simulator.records import Message
from otp_auth.simulator.store import Store

SHOWN = 100  # messages
HEARTBEAT = 15.0  # seconds without news, after which the page hears that the connection stands
BREATH = 0.05  # seconds in which more changes become one event
RETRY = "retry: 1000\n\n"  # milliseconds until a browser asks again
STILL_HERE = "event: beat\ndata: .\n\n"
_MESSAGES, _FAULTS = TypeAdapter(list[Message]), TypeAdapter(list[Fault])

router = APIRouter()


@router.get("/stream")
async def stream(
    request: Request,
    simulation: CurrentSimulation,
    faults: CurrentFaults,
    changes: CurrentChanges,
    to: str = "",
) -> StreamingResponse:
    """Tell all that the page shows, and all of it anew at each change.

    The event `messages` has the newest messages to numbers that begin with `to`, `faults` the faults in
    force; `beat` says that there is no news.
    """

    async def events() -> AsyncIterator[str]:
        with changes.watched() as changed:
            wake_at_shutdown(request.state, changed)
            sent: dict[str, bytes] = {}
            yield RETRY
            while not is_leaving(request.state):
                changed.clear()
                for name, content in _snapshot(simulation.store, faults, as_number(to) or ""):
                    if sent.get(name) != content:
                        sent[name] = content
                        yield f"event: {name}\ndata: {content.decode()}\n\n"
                await asyncio.sleep(BREATH)
                if not await _is_set_soon(changed):
                    yield STILL_HERE

    return StreamingResponse(
        events(), headers=HEADERS | {"X-Accel-Buffering": "no"}, media_type="text/event-stream"
    )


def _snapshot(store: Store, faults: Faults, to: str) -> Iterator[tuple[str, bytes]]:
    yield "messages", _MESSAGES.dump_json(store.newest(SHOWN, to))
    yield "faults", _FAULTS.dump_json(faults.all_in_force())


async def _is_set_soon(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(HEARTBEAT):
            return await event.wait()
    except TimeoutError:
        return False
