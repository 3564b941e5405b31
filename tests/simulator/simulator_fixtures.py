from collections.abc import AsyncIterator, Callable, Iterator
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
    made: list[Simulator] = []

    def make(**changes: Any) -> Simulator:
        made.append(Simulator(new_simulator(**changes)))
        return made[-1]

    yield make
    for simulator in made:
        await simulator.http.aclose()


@pytest.fixture
def simulator(simulators: Callable[..., Simulator]) -> Simulator:
    return simulators()
