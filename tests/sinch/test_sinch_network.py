"""What only a real connection shows: time limits, redirects, and what reaches the log."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sinch_answers import CODE, ID, KEY, NUMBER, REFERENCE, SECRET, sinch_client

from otp_auth.logs import configure_logs
from otp_auth.settings import load_settings
from otp_auth.sinch.client import Unavailable, Verdict, new_http_client
from otp_auth.sinch.schemas import VerificationMethod
from otp_auth.sinch.signing import decode_secret

SMS = VerificationMethod.SMS
TINY = timedelta(seconds=0.2)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handler) -> AsyncIterator[str]:
    """A server on a free port that answers as the test wants."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    return head + await reader.readexactly(length)


async def test_an_answer_that_trickles_is_cut_off() -> None:
    has_left = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        end = asyncio.create_task(reader.read())
        # Each byte comes well within a read timeout; only a bound on the whole call ends this.
        while not (await asyncio.wait([end], timeout=0.02))[0]:
            writer.write(b" ")
        assert end.exception() is None or isinstance(end.exception(), ConnectionError)
        has_left.set()

    async with listening(trickle) as base_url, sinch_client(base_url=base_url, timeout=TINY) as sinch:
        outcome = await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)
        await asyncio.wait_for(has_left.wait(), 5)

    assert outcome == Unavailable(reached=True)


async def test_silence_is_no_answer() -> None:
    is_over = asyncio.Event()
    requests: list[bytes] = []

    async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        await is_over.wait()

    async with listening(say_nothing) as base_url, sinch_client(base_url=base_url, timeout=TINY) as sinch:
        verdict = await sinch.report(verification_id=ID, method=SMS, code=CODE)
        is_over.set()

    assert verdict is Verdict.UNAVAILABLE
    assert len(requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="cut off"),
    ],
)
async def test_a_connection_that_breaks_is_not_tried_again(answer: bytes) -> None:
    requests: list[bytes] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(answer)
        await writer.drain()

    async with listening(break_off) as base_url, sinch_client(base_url=base_url) as sinch:
        outcome = await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)

    assert outcome == Unavailable(reached=True)
    assert len(requests) == 1


async def test_a_closed_port_was_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async with sinch_client(base_url=f"http://127.0.0.1:{port}") as sinch:
        outcome = await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)

    assert outcome == Unavailable(reached=False)


async def test_a_redirect_gets_no_second_request() -> None:
    requests: list[bytes] = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(redirect) as base_url, sinch_client(base_url=base_url) as sinch:
        verdict = await sinch.report(verification_id=ID, method=SMS, code=CODE)

    assert verdict is Verdict.UNAVAILABLE
    assert len(requests) == 1


async def test_no_proxy_of_the_environment_sees_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\n{"id": "1", "status": "SUCCESSFUL"}')
        await writer.drain()

    async with listening(answer) as base_url, sinch_client(base_url=base_url) as sinch:
        state = await sinch.status_by_id("1")

    assert not isinstance(state, Unavailable)


@pytest.mark.parametrize("authentication", ["signed", "basic"])
@pytest.mark.parametrize("environment", ["development", "production"])
async def test_nothing_secret_reaches_the_log(authentication: str, environment: str) -> None:
    stream = io.StringIO()
    seen: list[bytes] = []

    async def quote_the_number(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        echo = b'{"errorCode": "40001", "message": "Number +46700000000 or code 4711 is invalid."}'
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(echo), echo))
        await writer.drain()

    configure_logs(load_settings(environment=environment, log_level="DEBUG"), stream)
    async with (
        listening(quote_the_number) as base_url,
        sinch_client(base_url=base_url, authentication=authentication) as sinch,
    ):
        await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)
        await sinch.report(verification_id=ID, method=SMS, code=CODE)
    async with sinch_client(base_url="http://127.0.0.1:1", authentication=authentication) as sinch:
        await sinch.report(verification_id=ID, method=SMS, code=CODE)

    authorizations = [
        line.split(b" ")[-1].decode().rpartition(":")[2]
        for request in seen
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"authorization:")
    ]
    assert "Sinch said no" in stream.getvalue()
    assert "Sinch did not answer" in stream.getvalue()
    assert len(authorizations) == 2
    secrets = [SECRET, KEY, decode_secret(SECRET).hex(), NUMBER, NUMBER[1:], CODE, *authorizations]
    assert [secret for secret in secrets if secret in stream.getvalue()] == []


async def test_the_http_client_checks_certificates_and_bounds_every_wait() -> None:
    settings = load_settings(sinch={"timeout": 7, "connect_timeout": 3}).sinch

    async with new_http_client(settings) as http:
        timeout, follows = http.timeout, http.follow_redirects

    assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (3, 7, 7, 7)
    assert (follows, http.trust_env) == (False, False)
