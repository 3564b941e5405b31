"""uvicorn's HTTP protocol with an end to request heads: httptools alone would read one header for ever."""

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 16 * 1024  # bytes of all headers of one request


class BoundedHeadProtocol(HttpToolsProtocol):
    """Answers 400 and closes the connection when a head is too large, complete or not."""

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

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._received += len(data)
            if self._received > LARGEST_HEAD:
                self.send_400_response("The request head is too large.")
