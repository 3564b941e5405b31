"""Request heads end somewhere, whether their sender is done or not."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from otp_auth.cli.http_protocol import LARGEST_HEAD, ServiceProtocol

START = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def echo_length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo_length, http=ServiceProtocol, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await task


async def answer(port: int, *parts: bytes) -> bytes:
    """Send the parts and return all that comes back until the server closes, or has answered once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([START, b"X: " + b"a" * 2 * LARGEST_HEAD], id="a header without an end"),
        pytest.param([START + b"X: " + b"a" * 2 * LARGEST_HEAD + b"\r\n\r\n"], id="one large header"),
        pytest.param([START + b"X: aaaa\r\n" * 10_000 + b"\r\n"], id="many small ones"),
    ],
)
async def test_a_large_head_is_refused(port: int, parts: list[bytes]) -> None:
    assert b"400" in await answer(port, *parts)


async def test_a_usual_head_and_a_long_body_pass(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 8000 + b"\r\nContent-Length: 60000\r\n\r\n"

    assert b"200" in await answer(port, head, b"b" * 60_000)


async def test_each_request_of_a_connection_has_its_own_head(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(4):
        writer.write(START + b"X: " + b"a" * 7000 + b"\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert b"200" in head.split(b"\r\n")[0]
        await reader.readexactly(1)
    writer.close()
