import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from otp_auth.errors import OverloadedError
from otp_auth.hashing import HashingPool

PATIENCE = 10  # seconds until a hanging test is given up


class Gate:
    """A job that runs until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def pass_through(self) -> str:
        self.entered.set()
        assert self.opened.wait(PATIENCE)
        return "through"


@pytest.fixture
def pool() -> Iterator[HashingPool]:
    """One thread, one waiting place."""
    pool = HashingPool(threads=1, queue=1)
    yield pool
    pool.close()


@pytest.fixture
def gate(pool: HashingPool) -> Iterator[Gate]:
    assert pool.in_flight == 0
    gate = Gate()
    yield gate
    gate.opened.set()  # before the pool closes: that waits for the job


async def _occupy(pool: HashingPool, gate: Gate) -> "asyncio.Task[str]":
    task = asyncio.create_task(pool.run(gate.pass_through))
    # The wait stands in another thread: this loop stays free to start the job.
    assert await asyncio.to_thread(gate.entered.wait, PATIENCE)
    return task


async def test_runs_with_arguments_in_another_thread(pool: HashingPool) -> None:
    assert await pool.run(divmod, 7, 2) == (3, 1)
    assert await pool.run(threading.get_ident) != threading.get_ident()


async def test_a_failure_reaches_the_caller_and_frees_the_place(pool: HashingPool) -> None:
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 1, 0)

    assert pool.in_flight == 0


async def test_full_means_overloaded_at_once(pool: HashingPool, gate: Gate) -> None:
    running = await _occupy(pool, gate)
    waiting = asyncio.create_task(pool.run(len, "four"))
    await asyncio.sleep(0)
    assert pool.in_flight == 2

    with pytest.raises(OverloadedError) as refusal:
        await pool.run(len, "")

    assert refusal.value.retry_after >= 1
    gate.opened.set()
    assert (await running, await waiting) == ("through", 4)


async def test_places_return_when_jobs_end(pool: HashingPool, gate: Gate) -> None:
    running = await _occupy(pool, gate)
    gate.opened.set()
    await running
    assert pool.in_flight == 0

    lengths: list[int] = list(await asyncio.gather(pool.run(len, "a"), pool.run(len, "ab")))
    assert lengths == [1, 2]


async def test_a_cancelled_caller_leaves_a_running_job_its_place(pool: HashingPool, gate: Gate) -> None:
    running = await _occupy(pool, gate)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert pool.in_flight == 1
    gate.opened.set()
    await pool.run(len, "behind the job")
    assert pool.in_flight == 0


async def test_a_cancelled_caller_gives_up_a_waiting_job(pool: HashingPool, gate: Gate) -> None:
    running = await _occupy(pool, gate)
    calls: list[str] = []
    waiting = asyncio.create_task(pool.run(calls.append, "ran"))
    await asyncio.sleep(0)
    assert pool.in_flight == 2
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pool.in_flight == 1

    gate.opened.set()
    await running
    await pool.run(len, "")
    assert calls == []


async def test_the_event_loop_goes_on_while_a_job_runs(pool: HashingPool, gate: Gate) -> None:
    running = await _occupy(pool, gate)
    turns = [await asyncio.sleep(0, turn) for turn in range(100)]

    assert len(turns) == 100
    assert not running.done()


async def test_a_closed_pool_refuses(pool: HashingPool) -> None:
    pool.close()

    with pytest.raises(OverloadedError):
        await pool.run(len, "")
    assert pool.in_flight == 0


def test_no_number_of_threads_means_one_for_each_core() -> None:
    pool = HashingPool(threads=0, queue=1)
    pool.close()

    assert pool.threads == os.cpu_count()


async def test_threads_stand_behind_the_event_loop(pool: HashingPool) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    ours = niceness()
    lower = min(ours + 10, 19) if sys.platform == "linux" else ours

    assert await pool.run(niceness) == lower
    assert niceness() == ours
