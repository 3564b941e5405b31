"""uvicorn's HTTP protocol with an end to request heads (httptools has none) and to answers without one."""

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 16 * 1024  # bytes of all headers of one request


class ServiceProtocol(HttpToolsProtocol):
    """Answers 400 and closes the connection when a head is too large, complete or not.

    A route whose answer has no end sets `request.state.on_leaving`. That is called when the server shuts
    down; `request.state.is_leaving` is true then, also for a route that was about to begin.
    """

    _in_head = True
    _received = 0  # bytes of a head that isn't complete
    _head = 0  # bytes of its complete headers

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

    def shutdown(self) -> None:
        super().shutdown()
        if self.cycle is not None:
            state = self.cycle.scope["state"]
            state["is_leaving"] = True
            if on_leaving := state.get("on_leaving"):
                on_leaving()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._received += len(data)
            if self._received > LARGEST_HEAD:
                self.send_400_response("The request head is too large.")
