"""A bound around all routes: each body is read here, before anybody looks at it, and no further than that."""

from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otp_auth.simulator.refusals import error_answer

LARGEST_BODY = 64 * 1024  # bytes
TOO_LARGE = 41300  # not one of Sinch's codes


class BoundedBodies:
    """Answers 413 for a body that is too large, whatever length it claims."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:  # nobody is left to answer
            return
        if len(body) > LARGEST_BODY:
            answer = error_answer(TOO_LARGE, f"Send at most {LARGEST_BODY} bytes.")
            await answer(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """Return the body, or so much of it that it is too large; None if the sender has gone."""
    body = bytearray()
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _once(body: bytes, receive: Receive) -> Receive:
    """Give the body, then whatever else comes."""
    whole: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive_again() -> Message:
        return next(whole, None) or await receive()

    return receive_again
