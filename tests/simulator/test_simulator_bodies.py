"""No body of any size takes the simulator's memory."""

from collections.abc import AsyncIterator

import pytest
import simulator_fixtures as fixtures
from simulator_client import VERIFICATIONS, Simulator, assert_refused

from otp_auth.simulator.bodies import LARGEST_BODY

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

FAULT = b'{"on":"start","kind":"garbage"}'


@pytest.mark.parametrize(
    ("verb", "path"), [("PUT", "/faults"), ("PUT", "/endings"), ("POST", VERIFICATIONS), ("GET", "/stats")]
)
async def test_a_large_body_is_refused(simulator: Simulator, verb: str, path: str) -> None:
    assert_refused(await simulator.http.request(verb, path, content=b" " * (LARGEST_BODY + 1)), 41300)


async def test_a_body_without_an_end_is_read_no_further(simulator: Simulator) -> None:
    sent: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while sum(sent) < 100 * LARGEST_BODY:
            sent.append(4096)
            yield b" " * 4096

    answer = await simulator.http.put("/faults", content=endless())

    assert_refused(answer, 41300)
    assert sum(sent) <= LARGEST_BODY + 4096


async def test_the_largest_body_is_read(simulator: Simulator) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield FAULT
        yield b" " * (LARGEST_BODY - len(FAULT))

    answer = await simulator.http.put("/faults", content=parts())

    assert answer.status_code == 200, answer.text
    assert [fault["kind"] for fault in await simulator.get("/faults")] == ["garbage"]
