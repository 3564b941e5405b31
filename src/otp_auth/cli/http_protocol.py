"""uvicorn's HTTP protocol with an end to request heads (httptools has none) and to answers without one."""

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LARGEST_HEAD = 16 * 1024  # bytes of all headers of one request
LAST_WORDS = 3  # seconds in which an answer without an end must end and be read when the server leaves


class ServiceProtocol(HttpToolsProtocol):
    """Answers 400 and closes the connection when a head is too large, complete or not.

    A route whose answer has no end sets `request.state.on_leaving`. That is called when the server shuts
    down; `request.state.is_leaving` is true then, also for a route that was about to begin. Who doesn't read
    the end of such an answer loses the connection.
    """

    _in_head = True
    _received = 0  # bytes of a head that isn't complete
    _head = 0  # bytes of its complete headers
    _open: tuple[RequestResponseCycle, ...] = ()  # the request that is answered now, and those behind it

    def on_message_begin(self) -> None:
        self._in_head, self._received, self._head = True, 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > LARGEST_HEAD:
            raise HttpParserError("the head is too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        self._open = (*self._unanswered(), self.cycle)

    def shutdown(self) -> None:
        super().shutdown()
        states = [cycle.scope["state"] for cycle in self._unanswered()]
        for state in states:
            state["is_leaving"] = True
        endless = [state["on_leaving"] for state in states if "on_leaving" in state]
        for on_leaving in endless:
            on_leaving()
        if endless:
            self.loop.call_later(LAST_WORDS, self.transport.abort)

    def _unanswered(self) -> tuple[RequestResponseCycle, ...]:
        return tuple(cycle for cycle in self._open if not cycle.response_complete)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._received += len(data)
            if self._received > LARGEST_HEAD:
                self.send_400_response("The request head is too large.")
