"""Trouble on demand: slow, broken and lost answers, so that a client's behaviour in an outage can be seen."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal, Self

from fastapi import Response
from pydantic import BaseModel, Field, model_validator
from starlette.types import Receive, Scope, Send

from otp_auth.simulator.refusals import RefusalError, error_answer

LONGEST_DELAY = 600
WITHOUT_BODY = (204, 205, 304)
Call = Literal["start", "report"]


class Fault(BaseModel, frozen=True, extra="forbid"):
    """What goes wrong with starts or reports.

    `delay`: the work begins `value` seconds late. `status`: nothing is done, the answer is the HTTP status
    `value`. `drop_before`: nothing is done, the connection is lost. `drop_after`: the work is done, then the
    connection is lost. `garbage`: the work is done, the answer is 200 but no JSON.
    """

    on: Call
    kind: Literal["delay", "status", "drop_before", "drop_after", "garbage"]
    value: float | None = None
    times: Annotated[int, Field(ge=1)] | None = None  # None: until cleared

    @model_validator(mode="after")
    def _value_fits_kind(self) -> Self:
        value = -1.0 if self.value is None else self.value
        if self.kind == "delay" and not 0 <= value <= LONGEST_DELAY:
            raise ValueError(f"a delay needs a value: seconds from 0 to {LONGEST_DELAY}")
        if self.kind == "status" and (value not in range(200, 600) or value in WITHOUT_BODY):
            raise ValueError("a status needs a value: an HTTP status with a body, from 200 to 599")
        return self


class Faults:
    """The fault in force for starts and the one for reports."""

    def __init__(self) -> None:
        self._in_force: dict[Call, Fault] = {}

    def put(self, fault: Fault) -> None:
        """Let a fault happen from now on, instead of an earlier one for the same call."""
        self._in_force[fault.on] = fault

    def clear(self) -> None:
        self._in_force.clear()

    async def play(self, call: Call, work: Callable[[], Response]) -> Response:
        """Do the work with whatever is to go wrong with it. Uses up one of the fault's times."""
        fault = self._take(call)
        if fault is None:
            return work()
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.value or 0)
                return work()
            case "status":
                status = int(fault.value or 0)
                return error_answer(status * 100, f"The simulator was told to answer {status}.")
            case "drop_before":
                return LostAnswer()
        with suppress(RefusalError):
            work()
        return LostAnswer() if fault.kind == "drop_after" else Response(b"\xff{", media_type="text/html")

    def _take(self, call: Call) -> Fault | None:
        fault = self._in_force.get(call)
        if fault is None or fault.times is None:
            return fault
        if fault.times > 1:
            self._in_force[call] = fault.model_copy(update={"times": fault.times - 1})
        else:
            del self._in_force[call]
        return fault


class LostAnswer(Response):
    """An answer that breaks off: the server closes the connection because a promised body does not come."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1024")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
