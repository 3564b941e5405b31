"""A running service takes keys that change, and keeps those it has when it can't."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from loguru import logger

from otp_auth.tokens import watching
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import KeySet, generate_key, load_keys
from otp_auth.tokens.rotation import retire, rotate
from otp_auth.tokens.watching import KeyWatch, follow_keys

OVERLAP = timedelta(minutes=10)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "keys"
    generate_key(directory)
    generate_key(directory)
    return directory


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """The causes of errors that were logged."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.record["extra"]["cause"]), level="ERROR")
    yield lines
    logger.remove(sink)


def turn(directory: Path) -> None:
    rotate(directory, "ES256", OVERLAP, wait=lambda _: None)


def watch(directory: Path) -> KeyWatch:
    return KeyWatch(directory, load_keys(directory).version)


def test_only_what_changed_is_loaded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(directory)
    loads: list[Path] = []

    def load(directory: Path) -> KeySet:
        loads.append(directory)
        return load_keys(directory)

    monkeypatch.setattr(watching, "load_keys", load)
    assert [seen.look() for _ in range(3)] == [None] * 3
    assert loads == []

    turn(directory)

    changed = seen.look()
    assert changed is not None
    assert changed.signing.kid == load_keys(directory).signing.kid
    assert seen.look() is None
    assert len(loads) == 1


def test_a_change_before_the_first_look_is_seen(directory: Path) -> None:
    seen = watch(directory)
    kid = load_keys(directory).signing.kid
    retire(directory, kid, "ES256")

    changed = seen.look()

    assert changed is not None
    assert kid not in changed.verifying


def test_a_mount_that_swaps_a_link_is_followed(directory: Path, tmp_path: Path) -> None:
    """Kubernetes writes a new folder and turns a link over to it."""
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "..data").symlink_to(directory)
    (mount / "keys.json").symlink_to("..data/keys.json")
    for file in directory.glob("*.pem"):
        (mount / file.name).symlink_to(f"..data/{file.name}")
    seen = watch(mount)
    newer = tmp_path / "newer"
    shutil.copytree(directory, newer)
    assert seen.look() is None

    turn(newer)
    (mount / "..new").symlink_to(newer)
    for file in newer.glob("*.pem"):
        if not (mount / file.name).exists():
            (mount / file.name).symlink_to(f"..data/{file.name}")
    (mount / "..new").replace(mount / "..data")

    changed = seen.look()
    assert changed is not None
    assert changed.signing.kid == load_keys(newer).signing.kid


class TestWhatCannotBeRead:
    def test_a_folder_that_is_half_copied(self, directory: Path, tmp_path: Path, errors: list[str]) -> None:
        copy = tmp_path / "copy"
        shutil.copytree(directory, copy)
        seen = watch(copy)
        turn(directory)
        shutil.copy(directory / "keys.json", copy)

        assert [seen.look() for _ in range(3)] == [None] * 3
        assert len(errors) == 1
        shutil.copytree(directory, copy, dirs_exist_ok=True)

        changed = seen.look()
        assert changed is not None
        assert changed.signing.kid == load_keys(directory).signing.kid

    def test_a_manifest_that_is_none(self, directory: Path, errors: list[str]) -> None:
        seen = watch(directory)
        manifest = directory / "keys.json"
        for content in ("{", "[]"):
            manifest.write_text(content)
            assert [seen.look() for _ in range(3)] == [None] * 3

        assert len(errors) == 2  # one for each change
        assert all("keys.json can't be read" in line for line in errors)

    def test_a_folder_that_vanishes_and_comes_back(
        self, directory: Path, tmp_path: Path, errors: list[str]
    ) -> None:
        seen = watch(directory)
        directory.rename(tmp_path / "away")
        assert [seen.look() for _ in range(3)] == [None] * 3
        assert len(errors) == 1

        (tmp_path / "away").rename(directory)
        assert seen.look() is None
        turn(directory)

        assert seen.look() is not None
        assert len(errors) == 1

    def test_what_nobody_thought_of(
        self, directory: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = watch(directory)
        turn(directory)
        with monkeypatch.context() as patch:
            patch.setattr(watching, "load_keys", lambda _: 1 // 0)
            assert [seen.look() for _ in range(2)] == [None] * 2

        assert errors == ["ZeroDivisionError"]
        assert seen.look() is not None


@asynccontextmanager
async def following(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tokens]:
    """Tokens whose keys are followed without a pause."""
    monkeypatch.setattr(watching, "LOOK_EVERY", timedelta(0))
    tokens = Tokens(load_keys(directory), issuer="us", audience="us", client_id="us", access_lifetime=OVERLAP)
    task = asyncio.create_task(follow_keys(directory, tokens))
    try:
        yield tokens
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0)
            if holds():
                return


async def until_signing(tokens: Tokens, kid: str) -> None:
    await until(lambda: tokens.keys.signing.kid == kid)


async def test_keys_are_replaced_while_running(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following(directory, monkeypatch) as tokens:
        for _ in range(3):
            turn(directory)
            await until_signing(tokens, load_keys(directory).signing.kid)


async def test_keys_are_not_loaded_on_the_event_loop(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def load(directory: Path) -> KeySet:
        threads.add(threading.get_ident())
        return load_keys(directory)

    monkeypatch.setattr(watching, "load_keys", load)
    async with following(directory, monkeypatch) as tokens:
        turn(directory)
        await until(lambda: len(tokens.keys.verifying) == 3)

    assert threads
    assert threading.get_ident() not in threads
