import os
from pathlib import Path

import pytest
from redis.asyncio import Redis

from support import valkey
from support.guarded_server import ServerStartError
from support.run_lifetime import leaves_nothing_when_killed
from support.valkey import URL_VARIABLE, valkey_server


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)


async def test_a_server_lives_as_long_as_its_block() -> None:
    with valkey_server() as server:
        async with Redis.from_url(server.url(3)) as client:
            assert await client.incr("counter") == 1
            assert await client.config_get("save") == {"save": ""}
        assert server.process is not None
        folder, pid = server.process.folder, server.process.pid

    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_two_servers_know_nothing_of_each_other() -> None:
    with valkey_server() as one, valkey_server() as other:
        async with Redis.from_url(one.url()) as here, Redis.from_url(other.url()) as there:
            await here.set("key", "value")
            assert await there.get("key") is None


def test_a_server_that_does_not_start_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "_NOTHING_ON_DISK", ("--no-such-setting", "1"))

    with pytest.raises(ServerStartError, match="no-such-setting"), valkey_server():
        pytest.fail("nothing should have started")


def test_a_machine_without_a_binary_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))

    with pytest.raises(ServerStartError, match=URL_VARIABLE), valkey_server():
        pytest.fail("nothing should have started")


def test_a_killed_run_leaves_nothing() -> None:
    leaves_nothing_when_killed("support.valkey", "valkey_server")


def test_a_given_server_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "redis://:s%40crit@cache.example:6380/0")

    with valkey_server() as server:
        assert server.url(5) == "redis://:s%40crit@cache.example:6380/5"
        assert server.process is None
