"""A small pool of threads for password hashes, so that logins never stall the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from otp_auth.errors import OverloadedError

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

POLITENESS = 10  # how much lower than the event loop the threads stand, in steps of nice(2)
LOWEST_PRIORITY = 19


class HashingPool:
    """Threads of lower priority than the event loop, and a queue that ends."""

    def __init__(self, threads: int, queue: int) -> None:
        """`threads`: 0 means one for each core. `queue`: how many jobs may wait beside the running ones."""
        self.threads = threads or os.cpu_count() or 1
        self._most = self.threads + queue
        self._in_flight = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(self.threads, "hashing", initializer=_lower_priority)

    @property
    def in_flight(self) -> int:
        """Jobs that run or wait."""
        return self._in_flight

    async def run(self, function: Callable[[*Arguments], T], *args: *Arguments) -> T:
        """Call a blocking function in a thread. Raises OverloadedError at once when the queue is full.

        A cancelled caller gives up a job that still waits; one that runs holds its place until it ends.
        """
        self._take_place()
        try:
            job = self._executor.submit(function, *args)
        except RuntimeError as error:  # closed: the service is going down
            self._leave_place()
            raise OverloadedError from error
        job.add_done_callback(self._leave_place)
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Drop what waits, and wait for what runs: one hash long at most."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _take_place(self) -> None:
        with self._lock:
            if self._in_flight >= self._most:
                raise OverloadedError
            self._in_flight += 1

    def _leave_place(self, _job: Future[T] | None = None) -> None:
        with self._lock:
            self._in_flight -= 1


def _lower_priority() -> None:
    # Only Linux has a priority for each thread; elsewhere this would hit the process or a stranger.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            priority = os.getpriority(os.PRIO_PROCESS, thread) + POLITENESS
            os.setpriority(os.PRIO_PROCESS, thread, min(priority, LOWEST_PRIORITY))
