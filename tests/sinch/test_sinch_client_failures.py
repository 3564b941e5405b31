"""What becomes of each call when Sinch fails: one table. No row asks twice."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import respx
import sinch_answers
from sinch_answers import CODE, ID, NUMBER, REFERENCE, failure, sinch_client
from test_sinch_network import listening, read_request

from otp_auth.sinch.client import (
    NotFound,
    Refused,
    SinchVerificationClient,
    StartOutcome,
    StatusOutcome,
    Unavailable,
    Verdict,
)
from otp_auth.sinch.schemas import VerificationMethod

sinch, sinch_api = sinch_answers.sinch, sinch_answers.sinch_api

SMS = VerificationMethod.SMS
LOST, NOT_SENT = Unavailable(reached=True), Unavailable(reached=False)
TINY = timedelta(seconds=0.2)
BOUND = 5  # seconds in which each of these must have ended, many times what they take


@dataclass(frozen=True)
class Row:
    """How each call ends."""

    start: StartOutcome
    report: Verdict
    status: StatusOutcome


OUTAGE = Row(LOST, Verdict.UNAVAILABLE, LOST)
BROKEN = Row(Unavailable(reached=True, failed=True), Verdict.UNAVAILABLE, LOST)
UNREACHED = Row(NOT_SENT, Verdict.UNAVAILABLE, NOT_SENT)


def refused(error_code: str) -> Row:
    return Row(Refused(error_code), Verdict.REFUSED, Refused(error_code))


async def play(sinch: SinchVerificationClient) -> Row:
    async with asyncio.timeout(BOUND):
        return Row(
            await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE),
            await sinch.report(verification_id=ID, method=SMS, code=CODE),
            await sinch.status_by_reference(REFERENCE),
        )


@pytest.mark.parametrize(
    ("answer", "row"),
    [
        pytest.param(httpx.Response(500, json=failure(50000)), BROKEN, id="500"),
        pytest.param(httpx.Response(503, json=failure(50300)), BROKEN, id="503"),
        pytest.param(httpx.Response(503, json=failure(50301)), BROKEN, id="503 configuration"),
        pytest.param(httpx.Response(504, html="Gateway timeout"), OUTAGE, id="504 of a proxy"),
        pytest.param(httpx.Response(200, content=b"\x00\xff"), OUTAGE, id="garbage"),
        pytest.param(httpx.ReadTimeout("slow"), OUTAGE, id="slow"),
        pytest.param(httpx.ReadError("reset"), OUTAGE, id="reset after sending"),
        pytest.param(httpx.ConnectError("refused"), UNREACHED, id="no connection"),
        pytest.param(httpx.ConnectTimeout("slow"), UNREACHED, id="slow to connect"),
        pytest.param(httpx.Response(401, json=failure(40102)), refused("40102"), id="401"),
        pytest.param(httpx.Response(402, json=failure(40200)), refused("40200"), id="402"),
        pytest.param(httpx.Response(403, json=failure(40300)), refused("40300"), id="403 blacklisted"),
        pytest.param(httpx.Response(403, json=failure(40303)), refused("40303"), id="403 denied"),
        pytest.param(httpx.Response(422, json=failure(42201)), refused("42201"), id="422 no route"),
        pytest.param(httpx.Response(422, json=failure(42202)), refused("42202"), id="422 callback"),
        pytest.param(httpx.Response(429, json=failure(42900)), refused("42900"), id="429 capacity"),
        pytest.param(httpx.Response(429, json=failure(42901)), refused("42901"), id="429 too soon"),
        pytest.param(
            httpx.Response(404, json=failure(40400)),
            Row(Refused("40400"), Verdict.WRONG, NotFound()),
            id="404",
        ),
        # A start of ours is under this reference: it may have gone out, and is looked up.
        pytest.param(
            httpx.Response(409, json=failure(40900)), Row(LOST, Verdict.REFUSED, LOST), id="409 conflict"
        ),
    ],
)
async def test_failures(
    sinch: SinchVerificationClient,
    sinch_api: respx.MockRouter,
    answer: httpx.Response | Exception,
    row: Row,
) -> None:
    anything = sinch_api.route(host="sinch.test")
    anything.side_effect = [answer] * 3

    assert await play(sinch) == row
    assert anything.call_count == 3


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST, as a server that crashed."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def test_a_reset_before_the_request_was_read_may_have_been_one_after() -> None:
    """Bytes may have left this machine: nobody can tell whether they were read."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    async with listening(hang_up) as base_url, sinch_client(base_url=base_url) as sinch:
        assert await play(sinch) == OUTAGE


async def test_a_reset_after_the_request_was_read() -> None:
    requests: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        reset(writer)

    async with listening(hang_up) as base_url, sinch_client(base_url=base_url) as sinch:
        assert await play(sinch) == OUTAGE
    assert len(requests) == 3


async def test_slow_answers_end_in_bounded_time() -> None:
    is_over = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await is_over.wait()

    async with listening(say_nothing) as base_url, sinch_client(base_url=base_url, timeout=TINY) as sinch:
        assert await play(sinch) == OUTAGE
        is_over.set()


async def test_a_server_that_hangs_is_soon_not_asked_at_all() -> None:
    is_over, requests = asyncio.Event(), 0

    async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1
        await is_over.wait()

    async with (
        listening(say_nothing) as base_url,
        sinch_client(base_url=base_url, timeout=TINY, breaker_failures=3) as sinch,
    ):
        while_it_hangs = await play(sinch)
        afterwards = await play(sinch)
        is_over.set()

    assert (while_it_hangs, afterwards) == (OUTAGE, UNREACHED)
    assert requests == 3
