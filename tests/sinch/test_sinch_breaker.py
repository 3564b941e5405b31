"""The breaker: when it opens, whom it lets through, and what the client makes of it."""

import asyncio
import io
from datetime import timedelta
from random import SystemRandom
from typing import Any

import httpx
import pytest
import respx
import sinch_answers
from sinch_answers import BASE_URL, CODE, ID, NUMBER, REFERENCE, Clock, failure, sinch_client, sinch_settings

from otp_auth.logs import configure_logs
from otp_auth.settings import load_settings
from otp_auth.sinch.breaker import Breaker
from otp_auth.sinch.client import SinchVerificationClient, Started, Unavailable, Verdict
from otp_auth.sinch.schemas import VerificationMethod

sinch_api = sinch_answers.sinch_api

SMS = VerificationMethod.SMS
LIMIT, WINDOW, GAP = 3, 30, 15
SETTINGS: dict[str, Any] = {
    "breaker_failures": LIMIT,
    "breaker_window": timedelta(seconds=WINDOW),
    "breaker_probe": timedelta(seconds=GAP),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(sinch_settings(**SETTINGS), clock)


def pass_through(breaker: Breaker, *, answered: bool | None) -> bool:
    """Make one call; return whether it was let through."""
    with breaker.call() as call:
        if call is not None:
            call.was_answered = answered
        return call is not None


def fail(breaker: Breaker, times: int = LIMIT) -> None:
    for _ in range(times):
        pass_through(breaker, answered=False)


class TestOpening:
    def test_one_failure_less_leaves_it_closed(self, breaker: Breaker) -> None:
        fail(breaker, LIMIT - 1)

        assert (breaker.is_open, breaker.lets_through) == (False, True)

    def test_enough_failures_open_it(self, breaker: Breaker) -> None:
        fail(breaker)

        assert (breaker.is_open, breaker.lets_through) == (True, False)
        assert not pass_through(breaker, answered=True)

    @pytest.mark.parametrize(("seconds", "is_open"), [(WINDOW, True), (WINDOW + 0.1, False)])
    def test_only_failures_within_the_window_count(
        self, breaker: Breaker, clock: Clock, seconds: float, is_open: bool
    ) -> None:
        fail(breaker, 1)
        clock.now += seconds
        fail(breaker, LIMIT - 1)

        assert breaker.is_open is is_open

    def test_answers_between_failures_do_not_hide_them(self, breaker: Breaker) -> None:
        for _ in range(LIMIT):
            pass_through(breaker, answered=False)
            pass_through(breaker, answered=True)

        assert breaker.is_open

    def test_what_was_broken_off_counts_as_neither(self, breaker: Breaker) -> None:
        for _ in range(10 * LIMIT):
            pass_through(breaker, answered=None)

        assert not breaker.is_open


class TestProbes:
    def test_none_before_its_time(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP - 0.1

        assert not pass_through(breaker, answered=True)

    def test_one_that_is_answered_closes_it(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP

        assert pass_through(breaker, answered=True)
        assert not breaker.is_open

    def test_after_closing_it_takes_all_failures_again_to_open(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP
        pass_through(breaker, answered=True)
        fail(breaker, LIMIT - 1)

        assert not breaker.is_open

    def test_one_that_fails_delays_the_next(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP
        fail(breaker, 1)

        assert not breaker.lets_through
        clock.now += GAP - 0.1
        assert not breaker.lets_through
        clock.now += 0.1
        assert breaker.lets_through

    def test_they_are_spaced_from_start_to_start(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP
        with breaker.call() as call:
            assert call is not None
            clock.now += 8  # seconds until it is given up
            call.was_answered = False
        clock.now += GAP - 8

        assert breaker.lets_through

    def test_one_at_a_time(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP
        with breaker.call() as probe:
            clock.now += 10 * GAP
            others = [pass_through(breaker, answered=True) for _ in range(5)]

        assert probe is not None
        assert others == [False] * 5

    def test_one_that_is_broken_off_makes_room_at_once(self, breaker: Breaker, clock: Clock) -> None:
        fail(breaker)
        clock.now += GAP
        with pytest.raises(asyncio.CancelledError), breaker.call():
            raise asyncio.CancelledError

        assert (breaker.is_open, breaker.lets_through) == (True, True)

    def test_a_failure_from_before_moves_no_probe(self, breaker: Breaker, clock: Clock) -> None:
        with breaker.call() as straggler:
            assert straggler is not None
            clock.now += 5
            fail(breaker)
            straggler.was_answered = False
        clock.now += GAP - 0.1

        assert not breaker.lets_through
        clock.now += 0.1
        assert breaker.lets_through

    def test_an_answer_from_before_closes_it(self, breaker: Breaker) -> None:
        with breaker.call() as straggler:
            assert straggler is not None
            fail(breaker)
            straggler.was_answered = True

        assert not breaker.is_open

    def test_a_straggler_leaves_the_probe_its_place(self, breaker: Breaker, clock: Clock) -> None:
        straggling = breaker.call()
        straggling.__enter__()
        fail(breaker)
        clock.now += GAP
        with breaker.call() as probe:
            straggling.__exit__(None, None, None)

            assert probe is not None
            assert not breaker.lets_through


def test_it_is_logged_once_when_it_opens_and_once_when_it_closes(breaker: Breaker, clock: Clock) -> None:
    stream = io.StringIO()
    configure_logs(load_settings(environment="production"), stream)

    fail(breaker, 10 * LIMIT)
    clock.now += GAP
    fail(breaker)
    clock.now += GAP
    for _ in range(3):
        pass_through(breaker, answered=True)

    assert stream.getvalue().count("Sinch is down") == 1
    assert stream.getvalue().count("Sinch answers again") == 1


async def start(sinch: SinchVerificationClient) -> object:
    return await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)


class TestInTheClient:
    async def test_when_open_nothing_is_asked_and_nothing_is_reached(
        self, sinch_api: respx.MockRouter
    ) -> None:
        anything = sinch_api.route(host="sinch.test").respond(503)

        async with sinch_client(**SETTINGS) as sinch:
            for _ in range(LIMIT):
                await start(sinch)
            outcomes = [
                await start(sinch),
                await sinch.status_by_id(ID),
                await sinch.status_by_reference(REFERENCE),
            ]
            verdict = await sinch.report(verification_id=ID, method=SMS, code=CODE)

            assert sinch.is_down
        assert outcomes == [Unavailable(reached=False)] * 3
        assert verdict is Verdict.UNAVAILABLE
        assert anything.call_count == LIMIT

    async def test_a_caller_who_looks_first_still_lets_a_probe_out(
        self, clock: Clock, sinch_api: respx.MockRouter
    ) -> None:
        anything = sinch_api.route(host="sinch.test")
        anything.side_effect = [httpx.Response(500)] * LIMIT + [httpx.Response(200, json={"id": ID})]

        async with sinch_client(clock, **SETTINGS) as sinch:
            for _ in range(LIMIT):
                await start(sinch)
            was_down = sinch.is_down
            clock.now += GAP

            assert (was_down, sinch.is_down) == (True, False)
            assert await start(sinch) == Started(ID)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(httpx.Response(500, json=failure(50000)), id="500"),
            pytest.param(httpx.Response(503, json=failure(50300)), id="503"),
            pytest.param(httpx.Response(502, html="Bad gateway"), id="502"),
            pytest.param(httpx.Response(200, html="Hello"), id="garbage"),
            pytest.param(httpx.Response(200), id="empty"),
            pytest.param(httpx.Response(302, headers={"Location": BASE_URL}), id="redirect"),
            pytest.param(httpx.ConnectError("refused"), id="connection refused"),
            pytest.param(httpx.ReadTimeout("slow"), id="timeout"),
            pytest.param(httpx.ReadError("reset"), id="reset"),
        ],
    )
    async def test_what_opens_it(
        self, sinch_api: respx.MockRouter, answer: httpx.Response | Exception
    ) -> None:
        sinch_api.route(host="sinch.test").side_effect = [answer] * LIMIT

        async with sinch_client(**SETTINGS) as sinch:
            for _ in range(LIMIT):
                await start(sinch)

            assert sinch.is_down

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(httpx.Response(200, json={"id": ID}), id="started"),
            pytest.param(httpx.Response(400, json=failure(40003)), id="wrong code"),
            pytest.param(httpx.Response(401, json=failure(40102)), id="credentials"),
            pytest.param(httpx.Response(402, json=failure(40200)), id="credit"),
            pytest.param(httpx.Response(404, json=failure(40400)), id="unknown"),
            pytest.param(httpx.Response(409, json=failure(40900)), id="conflict"),
            pytest.param(httpx.Response(429, json=failure(42900)), id="capacity"),
            pytest.param(httpx.Response(403, html="Forbidden"), id="403 HTML"),
        ],
    )
    async def test_what_does_not(self, sinch_api: respx.MockRouter, answer: httpx.Response) -> None:
        sinch_api.route(host="sinch.test").side_effect = [answer] * 10 * LIMIT

        async with sinch_client(**SETTINGS) as sinch:
            for _ in range(10 * LIMIT):
                await start(sinch)

            assert not sinch.is_down

    async def test_of_many_at_once_only_one_is_the_probe(
        self, clock: Clock, sinch_api: respx.MockRouter
    ) -> None:
        probe_is_out, may_answer = asyncio.Event(), asyncio.Event()
        anything = sinch_api.route(host="sinch.test")
        anything.side_effect = [httpx.Response(500)] * LIMIT

        async def answer_late(_request: httpx.Request) -> httpx.Response:
            probe_is_out.set()
            await may_answer.wait()
            return httpx.Response(200, json={"id": ID})

        async with sinch_client(clock, **SETTINGS) as sinch:
            for _ in range(LIMIT):
                await start(sinch)
            anything.side_effect = answer_late
            clock.now += GAP
            probe = asyncio.create_task(start(sinch))
            await probe_is_out.wait()
            others = await asyncio.gather(*(start(sinch) for _ in range(20)))
            may_answer.set()

            assert await probe == Started(ID)
            assert not sinch.is_down
        assert others == [Unavailable(reached=False)] * 20
        assert anything.call_count == LIMIT + 1

    async def test_cancelled_starts_count_as_neither(self, clock: Clock, sinch_api: respx.MockRouter) -> None:
        under_way = asyncio.Event()

        async def never(_request: httpx.Request) -> httpx.Response:
            under_way.set()
            await asyncio.Event().wait()
            raise AssertionError

        anything = sinch_api.route(host="sinch.test")
        anything.side_effect = never

        async def cancel_one(sinch: SinchVerificationClient) -> None:
            under_way.clear()
            task = asyncio.create_task(start(sinch))
            await under_way.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        async with sinch_client(clock, **SETTINGS) as sinch:
            for _ in range(2 * LIMIT):
                await cancel_one(sinch)
            was_down_by_them = sinch.is_down
            anything.side_effect = httpx.ConnectError("refused")
            for _ in range(LIMIT):
                await start(sinch)
            clock.now += GAP
            anything.side_effect = never
            await cancel_one(sinch)  # a probe
            anything.side_effect = [httpx.Response(200, json={"id": ID})]

            assert not was_down_by_them
            assert await start(sinch) == Started(ID)


class TestHowLongStartsTake:
    async def test_a_usual_time_is_taken_at_first(self) -> None:
        async with sinch_client() as sinch:
            assert 0.2 <= sinch.typical_start_seconds(SystemRandom()) <= 0.5

    async def test_it_is_drawn_from_the_last_twenty(self, clock: Clock, sinch_api: respx.MockRouter) -> None:
        seconds = iter(range(1, 31))

        def answer(_request: httpx.Request) -> httpx.Response:
            clock.now += next(seconds)
            return httpx.Response(200, json={"id": ID})

        sinch_api.route(host="sinch.test").side_effect = answer
        random = SystemRandom()

        async with sinch_client(clock) as sinch:
            for _ in range(30):
                await start(sinch)
            drawn = {sinch.typical_start_seconds(random) for _ in range(1000)}

        assert drawn == set(range(11, 31))

    async def test_calls_that_start_nothing_do_not_count(
        self, clock: Clock, sinch_api: respx.MockRouter
    ) -> None:
        anything = sinch_api.route(host="sinch.test").respond(404, json=failure(40400))

        async with sinch_client(clock) as sinch:
            await sinch.status_by_id(ID)
            await sinch.report(verification_id=ID, method=SMS, code=CODE)
            anything.side_effect = httpx.ConnectError("refused")
            await start(sinch)

            assert not sinch._start_seconds
