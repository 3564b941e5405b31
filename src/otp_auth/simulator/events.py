"""Events to the callback URL: asked before a message goes out, and told what became of it."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from otp_auth.identifiers import new_id
from otp_auth.simulator.authorization import Credentials
from otp_auth.simulator.background import Background
from otp_auth.simulator.callbacks import CallbackClient, Reply
from otp_auth.simulator.changes import Changes
from otp_auth.simulator.decisions import Allowed, Decision, read_decision
from otp_auth.simulator.event_bodies import (
    REQUEST,
    delivered_event,
    request_event,
    result_event,
    serialised,
    signed_headers,
)
from otp_auth.simulator.faults import Fault, Faults
from otp_auth.simulator.members import Json
from otp_auth.simulator.records import SentEvent, Verification

REMEMBERED = 10_000  # events


class Events:
    """Sends events and remembers what was sent, until the end of the process.

    Events other than the request event leave in the background, each by itself: they may overtake each other,
    as Sinch's may. Nothing is sent twice.
    """

    def __init__(
        self, callback_url: str, client: CallbackClient, credentials: Credentials, faults: Faults
    ) -> None:
        self.callback_url = callback_url  # empty: nothing is sent. May be changed at any time
        self._client = client
        self._credentials = credentials
        self._faults = faults
        self._under_way = Background()
        self._sent: deque[SentEvent] = deque(maxlen=REMEMBERED)  # newest first
        self.news = Changes()  # told once an event has its answer

    async def ask(self, verification: Verification, languages: list[str]) -> Decision:
        """Send the request event and return what its answer decides; allowed where nobody is to be asked."""
        reply = await self._send(verification, request_event(verification, languages))
        return Allowed() if reply is None else read_decision(verification.method, reply)

    def tell_result(self, verification: Verification) -> None:
        """Send the result event of a verification that has ended."""
        self._tell(verification, result_event(verification))

    def tell_delivery(self, verification: Verification, *, successful: bool) -> None:
        """Send the operator's receipt for a text message."""
        self._tell(verification, delivered_event(verification, successful=successful))

    def sent(self, matches: Callable[[SentEvent], bool]) -> list[SentEvent]:
        """Return what was sent, newest first, once the answer is known."""
        return [event for event in self._sent if matches(event)]

    async def idle(self) -> None:
        """Wait until every event that is under way has its answer."""
        await self._under_way.idle()

    async def close(self) -> None:
        """Give up what is under way."""
        await self._under_way.close()
        await self._client.close()

    def _tell(self, verification: Verification, event: Json) -> None:
        if self.callback_url:
            self._under_way.spawn(self._tell_now(verification, event))

    async def _tell_now(self, verification: Verification, event: Json) -> None:
        await self._send(verification, event)

    async def _send(self, verification: Verification, event: Json) -> Reply | None:
        """Return the reply, or None if the event was not sent at all."""
        url = self.callback_url
        fault = self._fault(event) if url else None
        if not url or (fault and fault.kind in {"drop_before", "undelivered"}):
            return None
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.value or 0)
        now = datetime.now(UTC)
        reply = await self._post(url, event, now, fault)
        self._sent.appendleft(_sent_event(verification, url, event, reply, now))
        self.news.tell()
        return reply

    async def _post(self, url: str, event: Json, now: datetime, fault: Fault | None) -> Reply:
        content = serialised(event)
        headers = signed_headers(self._credentials, url, content, now)
        match fault:
            case Fault(kind="garbage"):
                return await self._client.post(url, content[:-1], headers)
            case Fault(kind="status"):
                reply = await self._client.post(url, content, headers)
                return replace(reply, status=int(fault.value or 0))
            case Fault(kind="drop_after"):
                await self._client.post(url, content, headers)
                return Reply(None, problem="the answer was lost")
            case Fault(kind="repeat"):
                reply = await self._client.post(url, content, headers)
                await self._client.post(url, content, headers)
                return reply
        return await self._client.post(url, content, headers)

    def _fault(self, event: Json) -> Fault | None:
        fault = self._faults.in_force("callback")
        if fault and fault.kind == "undelivered" and event["event"] == REQUEST:
            return None
        return self._faults.take("callback")


def _sent_event(
    verification: Verification, url: str, event: Json, reply: Reply, sent_at: datetime
) -> SentEvent:
    return SentEvent(
        id=str(new_id()),
        event=event["event"],
        verification_id=verification.id,
        to=verification.number,
        url=url,
        body=event,
        sent_at=sent_at,
        status=reply.status,
        answer=_readable(reply.body),
        problem=reply.problem,
    )


def _readable(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")
