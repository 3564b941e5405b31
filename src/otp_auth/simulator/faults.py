"""Trouble on demand: slow, broken and lost answers, so that a client's behaviour in an outage can be seen."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Literal, Self

from fastapi import Response
from pydantic import BaseModel, Field, model_validator
from starlette.types import Receive, Scope, Send

from otp_auth.simulator.changes import Changes
from otp_auth.simulator.refusals import MESSAGES, RefusalError, error_answer

LONGEST_DELAY = 600
STATUSES = set(range(200, 600)) - {204, 205, 304}  # with a body
Call = Literal["start", "report", "callback"]


class Fault(BaseModel, frozen=True, extra="forbid"):
    """What goes wrong with starts, with reports, or with the events that are called back.

    Starts and reports. `delay`: the work begins `value` seconds late. `status`: nothing is done, the answer
    is the HTTP status `value`, or Sinch's error of that code where `value` has five digits. `drop_before`:
    nothing is done, the connection is lost. `drop_after`: the work is done, then the connection is lost.
    `garbage`: the work is done, the answer is 200 but no JSON. `undelivered` (starts only): all is well, but
    the message never reaches the phone: its delivery fails.

    Callbacks. `delay`: the event is sent `value` seconds late. `status`: the event is sent, and its answer
    taken as one with the HTTP status `value`. `drop_before`: the event is not sent; a start goes on as
    without a callback URL. `drop_after`: the event is sent, its answer is lost. `garbage`: the event is sent
    without the last byte of its body, so that neither JSON nor signature hold. `undelivered`: no event is
    sent but the request event of a start. `repeat`: the event is sent twice, its first answer counts.
    """

    on: Call
    kind: Literal["delay", "status", "drop_before", "drop_after", "garbage", "undelivered", "repeat"]
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    times: Annotated[int, Field(ge=1, le=10**6)] | None = None  # None: until cleared

    @model_validator(mode="after")
    def _value_fits_kind(self) -> Self:
        value = -1.0 if self.value is None else self.value
        if self.kind == "delay" and not 0 <= value <= LONGEST_DELAY:
            raise ValueError(f"a delay needs a value: seconds from 0 to {LONGEST_DELAY}")
        if self.kind == "status" and value not in STATUSES and not self._is_error_code(value):
            raise ValueError("a status needs a value: an HTTP status with a body, or Sinch's error code")
        if self.kind == "undelivered" and self.on == "report":
            raise ValueError("nothing is delivered by a report: use start or callback")
        if self.kind == "repeat" and self.on != "callback":
            raise ValueError("only events are repeated: use callback")
        return self

    def _is_error_code(self, value: float) -> bool:
        return self.on != "callback" and value in MESSAGES


class Faults:
    """The faults in force, one for each kind of call."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._in_force: dict[Call, Fault] = {}

    def put(self, fault: Fault) -> None:
        """Let a fault happen from now on, instead of an earlier one for the same call."""
        self._in_force[fault.on] = fault
        self._changes.tell()

    def clear(self, call: Call | None = None) -> None:
        """Let one kind of call go well again, or all."""
        for each in [call] if call else list(self._in_force):
            self._in_force.pop(each, None)
        self._changes.tell()

    def all_in_force(self) -> list[Fault]:
        return list(self._in_force.values())

    def in_force(self, call: Call) -> Fault | None:
        """Return what would go wrong with the next call."""
        return self._in_force.get(call)

    def take(self, call: Call) -> Fault | None:
        """Return what goes wrong with this call, and use up one of its times."""
        fault = self._in_force.get(call)
        if fault is None or fault.times is None:
            return fault
        if fault.times > 1:
            self._in_force[call] = fault.model_copy(update={"times": fault.times - 1})
        else:
            del self._in_force[call]
        self._changes.tell()
        return fault


async def play(fault: Fault | None, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do the work of a start or report with whatever is to go wrong with it."""
    match fault:
        case Fault(kind="status"):
            return _error(int(fault.value or 0))
        case Fault(kind="drop_before"):
            return LostAnswer()
        case Fault(kind="drop_after" | "garbage"):
            return await _spoil(fault, work)
        case Fault(kind="delay"):
            await asyncio.sleep(fault.value or 0)
    return await work()


def _error(value: int) -> Response:
    """Answer with an HTTP status, or with an error code: with Sinch's words where Sinch has some."""
    code = value if value in MESSAGES else value * 100
    return error_answer(code, MESSAGES.get(code, f"The simulator was told to answer {value}."))


async def _spoil(fault: Fault, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do the work and spoil its answer; what was to follow an answer follows all the same."""
    follow = None
    with suppress(RefusalError):
        follow = (await work()).background
    if fault.kind == "drop_after":
        return LostAnswer(background=follow)
    return Response(b"\xff{", media_type="text/html", background=follow)


class LostAnswer(Response):
    """An answer that breaks off: the server closes the connection because a promised body does not come."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        if self.background is not None:
            await self.background()
