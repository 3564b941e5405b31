"""Work after an answer: bounded, waited for, and no failure of it ends anything else."""

import asyncio
from collections.abc import Iterator

import pytest
from loguru import logger

from otp_auth import background
from otp_auth.background import Background, background_work


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), format="{message} {extra}")
    yield lines
    logger.remove(sink)


async def test_a_shutdown_waits_for_what_is_under_way() -> None:
    done, begun = [], asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0)
        done.append("work")

    async with background_work() as running:
        running.spawn(work())
        await begun.wait()

    assert done == ["work"]


async def test_what_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LONGEST_FAREWELL", 0)
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async with background_work() as running:
        for _ in range(background.MOST_AT_ONCE + 1):  # one of them never begins
            running.spawn(work())
        await asyncio.sleep(0)

    assert len(ended) == background.MOST_AT_ONCE
    assert not running._tasks


async def test_a_failure_is_logged_without_its_words_and_others_go_on(log: list[str]) -> None:
    done = []

    async def fail() -> None:
        raise ValueError("+46701234567")

    async def work() -> None:
        done.append("work")

    running = Background()
    running.spawn(fail())
    running.spawn(work())
    await running.idle()

    assert done == ["work"]
    assert "ValueError" in "".join(log)
    assert "+46701234567" not in "".join(log)


async def test_so_much_runs_at_once(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    monkeypatch.setattr(background, "MOST_WAITING", 20)
    under_way, most, dropped = 0, 0, 5

    async def work() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    running = Background()
    for _ in range(20 + dropped):
        running.spawn(work())
    await running.idle()

    assert most == background.MOST_AT_ONCE
    assert "".join(log).count("some was dropped") == dropped
