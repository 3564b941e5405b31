"""Work that goes on beside the requests: held until it ends, never more than so much of it at once."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from loguru import logger

MOST_WAITING = 1000  # beyond it work is dropped: a flood must not fill the memory
MOST_AT_ONCE = 8  # the rest waits, so that requests keep connections to the database
LONGEST_FAREWELL = 12  # seconds that a shutdown waits: a message may be on its way to Sinch


class Background:
    """Tasks of one application."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside the requests. What fails is logged, and ends nothing else."""
        if len(self._tasks) >= MOST_WAITING:
            work.close()
            logger.error("too much work waits in the background: some was dropped")
            return
        task = asyncio.create_task(self._do(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Let what is under way end, and cut off what takes too long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LONGEST_FAREWELL)
        for task in self._tasks:
            task.cancel()
        await self.idle()

    async def _do(self, work: Coroutine[None, None, None]) -> None:
        try:
            async with self._turns:
                await work
        except Exception as error:  # noqa: BLE001 - nobody waits for it who could be told
            logger.error("work in the background failed", cause=type(error).__name__)
        finally:
            work.close()  # cut off before its turn it would complain that nobody awaited it


@asynccontextmanager
async def background_work() -> AsyncIterator[Background]:
    """Take work until the block ends, then let it end."""
    background = Background()
    try:
        yield background
    finally:
        await background.close()
