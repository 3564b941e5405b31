"""Keys rotate while people refresh and other services check their tokens: nobody is refused.

Two applications on one database and one folder of keys, as two workers are; and once without the wait that a
rotation has, to see that the test can fail.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio

from conftest import NewService
from otp_auth.settings import Algorithm
from otp_auth.tokens import watching
from otp_auth.tokens.key_files import KeyState, list_keys
from otp_auth.tokens.keys import load_keys
from otp_auth.tokens.rotation import rotate
from support.service import PUBLIC_URL, Json, Service, new_number

SESSIONS = 4
ROUNDS = 5  # of each session between two rotations
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "EdDSA", "ES256", "EdDSA")
OVERLAP = timedelta(minutes=10)
Workers = tuple[Service, Service]


@dataclass
class OtherService:
    """Knows tokens by the JWKS alone, and asks for it again only when it meets a kid that it doesn't know."""

    workers: Workers
    known: dict[str, jwt.PyJWK] = field(default_factory=dict)
    fetches: int = 0

    async def check(self, token: str) -> None:
        kid = jwt.get_unverified_header(token)["kid"]
        if kid not in self.known:
            self.fetches += 1
            worker = self.workers[self.fetches % len(self.workers)]
            answer = await worker.http.get("/.well-known/jwks.json")
            self.known = {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(answer.json()).keys}
        key = self.known[kid]
        jwt.decode(token, key, algorithms=[key.algorithm_name], audience=PUBLIC_URL, issuer=PUBLIC_URL)


@dataclass
class Load:
    """Sessions that go on and on, each with its newest token, now at one worker and now at the other."""

    workers: Workers
    other: OtherService
    refreshes: int = 0
    algorithms: set[str] = field(default_factory=set)
    turned: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self, tokens: Json) -> None:
        while True:
            for here, there in (self.workers, reversed(self.workers)):
                tokens = await _ok(
                    here.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
                )
                await self.other.check(tokens["access_token"])
                await _ok(there.get("/me", tokens["access_token"]))
                await self._count(tokens["access_token"])

    async def rounds(self, how_many: int) -> None:
        wanted = self.refreshes + how_many * SESSIONS
        async with self.turned:
            await self.turned.wait_for(lambda: self.refreshes >= wanted)

    async def _count(self, token: str) -> None:
        self.algorithms.add(jwt.get_unverified_header(token)["alg"])
        async with self.turned:
            self.refreshes += 1
            self.turned.notify_all()


async def _ok(request: Any) -> Json:
    answer = await request
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


@pytest.fixture
def directory(signing_keys: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(signing_keys, tmp_path / "keys"))


@pytest.fixture
def look_every() -> timedelta:
    return timedelta(milliseconds=10)


@pytest_asyncio.fixture
async def workers(
    new_service: NewService, directory: Path, look_every: timedelta, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Workers]:
    monkeypatch.setattr(watching, "LOOK_EVERY", look_every)
    keys = {"signing_keys_dir": directory}
    async with new_service(tokens=keys) as one, new_service(tokens=keys) as other:
        yield one, other


async def test_nobody_is_refused(workers: Workers, directory: Path) -> None:
    loop = asyncio.get_running_loop()

    def until_all_know(_seconds: float) -> None:
        """The wait of a rotation, as long as it must be and no longer."""
        coming = next(entry.kid for entry in list_keys(directory) if entry.state is KeyState.NEXT)
        asyncio.run_coroutine_threadsafe(_known(workers, coming), loop).result(30)

    load = Load(workers, OtherService(workers))
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(load.follow(await workers[0].register(new_number()))) for _ in range(SESSIONS)
        ]
        await load.rounds(ROUNDS)
        for algorithm in ALGORITHMS:
            await asyncio.to_thread(rotate, directory, algorithm, OVERLAP, until_all_know)
            await load.rounds(ROUNDS)
        for task in running:
            task.cancel()

    assert load.algorithms == {"ES256", "EdDSA"}
    assert len(load_keys(directory).verifying) == len(ALGORITHMS) + 2
    # It knew the coming key each time: what it fetched is fewer than what signed.
    assert load.other.fetches <= len(ALGORITHMS) + 1


@pytest.mark.parametrize("look_every", [timedelta(hours=1)], ids=["a worker that is slow"])
async def test_without_the_wait_a_worker_refuses_what_another_signed(
    workers: Workers, directory: Path
) -> None:
    slow, quick = workers
    tokens = await quick.register(new_number())
    rotate(directory, "ES256", OVERLAP, wait=lambda _: None)
    quick.app.state.tokens.keys = load_keys(directory)

    refreshed = await quick.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})

    assert (await quick.get("/me", refreshed.json()["access_token"])).status_code == 200
    assert (await slow.get("/me", refreshed.json()["access_token"])).status_code == 401


async def _known(workers: Workers, kid: str) -> None:
    while True:
        await asyncio.sleep(0.01)
        if all(kid in worker.app.state.tokens.keys.verifying for worker in workers):
            return
