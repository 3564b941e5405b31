"""What an SDK must see of the simulator, whichever SDK it is, and answers that it must not see."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sdk_driver import Json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Answer = tuple[int, Json]  # status and body
Change = Callable[[int, Json], Answer]


def answer_of(reply: Json) -> Json:
    """What the SDK returned."""
    assert "answer" in reply, reply
    answer: Json = reply["answer"]
    return answer


def error_of(reply: Json) -> Json:
    """What the SDK raised."""
    assert "error" in reply, reply
    error: Json = reply["error"]
    return error


def is_refusal(error: Json, error_code: int) -> bool:
    """Tell whether an SDK's error holds Sinch's error of that code, with all its members."""
    body = error["body"]
    assert set(body) == {"errorCode", "message", "reference"}, error
    return (error["status"], body["errorCode"]) == (error_code // 100, error_code)


def wrong(code: str) -> str:
    """Another code, or another caller's number."""
    return f"{code[:-1]}{(int(code[-1]) + 1) % 10}"


def check_links(started: Json, base_url: str) -> None:
    href = f"{base_url}/verification/v1/verifications/id/{started['id']}"
    assert started.get("_links") == [
        {"rel": "status", "href": href, "method": "GET"},
        {"rel": "report", "href": href, "method": "PUT"},
    ]


def _unchanged(status: int, body: Json) -> Answer:
    return status, body


class Altered:
    """Changes a simulator's answers on their way, as long as somebody wants it."""

    def __init__(self) -> None:
        self._change: Change = _unchanged

    @contextmanager
    def changed(self, change: Change) -> Iterator[None]:
        self._change = change
        try:
            yield
        finally:
            self._change = _unchanged

    def around(self, app: ASGIApp) -> ASGIApp:
        async def altered(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or "/verification/" not in scope["path"]:
                await app(scope, receive, send)
                return
            messages: list[Message] = []

            async def hold(message: Message) -> None:
                messages.append(message)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    await self._send(messages, send)

            await app(scope, receive, hold)

        return altered

    async def _send(self, messages: list[Message], send: Send) -> None:
        start, *parts = messages
        content = b"".join(part.get("body", b"") for part in parts)
        status, body = self._change(start["status"], json.loads(content))
        content = json.dumps(body).encode()
        headers = [header for header in start["headers"] if header[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({**start, "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _without(member: str) -> Change:
    return lambda status, body: (status, {key: value for key, value in body.items() if key != member})


def _renamed(member: str, name: str) -> Change:
    return lambda status, body: (
        status,
        {name if key == member else key: value for key, value in body.items()},
    )


def _valued(member: str, value: str) -> Change:
    return lambda status, body: (status, body | ({member: value} if member in body else {}))


def _answering(before: int, after: int) -> Change:
    return lambda status, body: (after if status == before else status, body)


# Each makes a simulator that isn't Sinch to an SDK.
ALTERATIONS = [
    pytest.param(_without("id"), id="no id"),
    pytest.param(_without("message"), id="errors without a message"),
    pytest.param(_without("reference"), id="no reference"),
    pytest.param(_without("identity"), id="no identity"),
    pytest.param(_without("_links"), id="no links"),
    pytest.param(_without("price"), id="no price"),
    pytest.param(_renamed("sms", "SMS"), id="details under another name"),
    pytest.param(_renamed("errorCode", "error_code"), id="error code under another name"),
    pytest.param(_valued("status", "OK"), id="another word for success"),
    pytest.param(_valued("method", "SMS"), id="method in capitals"),
    pytest.param(_valued("errorCode", "40003"), id="error code as text"),
    pytest.param(_answering(400, 200), id="200 for a wrong code"),
    pytest.param(_answering(200, 400), id="400 for what went well"),
]
