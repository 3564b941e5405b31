from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import time_machine
from simulator_client import NOW, Simulator, new_simulator


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
async def simulators(clock: time_machine.Traveller) -> AsyncIterator[Callable[..., Simulator]]:
    """Make simulators with other settings than the usual ones."""
    assert clock
    async with AsyncExitStack() as stack:

        def make(**changes: Any) -> Simulator:
            simulator = Simulator(new_simulator(**changes))
            stack.push_async_callback(simulator.http.aclose)
            stack.push_async_callback(simulator.app.state.simulation.close)
            return simulator

        yield make


@pytest.fixture
def simulator(simulators: Callable[..., Simulator]) -> Simulator:
    return simulators()
