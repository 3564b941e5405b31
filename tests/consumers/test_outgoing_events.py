"""docs/outgoing-events.md does what it says: its receiver takes our events, each once, and no others."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from conftest import NewService
from otp_auth.audit.delivery import sign
from otp_auth.audit.outbox import ALWAYS_TOLD, TOLD_IF
from otp_auth.settings import EventSettings
from support.documents import block, read
from support.service import new_number
from support.simulator import PATIENCE, served

PAGE = "docs/outgoing-events.md"
SECRET = "ZXZlbnRzLW9mLXRlc3RzLTAxMjM0NTY3ODkrLw"
PATH = "/otp-auth/events"
Json = dict[str, Any]


class Receiver:
    """The example, running."""

    def __init__(self, names: Json, http: httpx.AsyncClient, url: str) -> None:
        self.http = http
        self.url = url
        self.told: asyncio.Queue[Json] = asyncio.Queue()
        names["tell_owner"] = self.told.put_nowait

    async def next(self) -> Json:
        async with asyncio.timeout(PATIENCE):
            return await self.told.get()

    async def send(
        self, event: Json, age: int = 0, secret: str = SECRET, headers: dict[str, str] | None = None
    ) -> int:
        body, timestamp = json.dumps(event), int(time.time()) - age
        signed = {
            "webhook-id": event["id"],
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, event["id"], timestamp, body),
        }
        answer = await self.http.post(self.url, content=body, headers=signed | (headers or {}))
        return answer.status_code


@asynccontextmanager
async def _running_example(folder: Path) -> AsyncIterator[Receiver]:
    names: Json = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTS_SECRET", SECRET)
        patch.setenv("SEEN_EVENTS", str(folder / "seen.sqlite3"))
        code = compile(block(PAGE, "python", "# receiver.py"), "receiver.py", "exec", dont_inherit=True)
        exec(code, names)  # noqa: S102 - our own page
    async with served(names["app"]) as address, httpx.AsyncClient(trust_env=False) as http:
        yield Receiver(names, http, f"{address}{PATH}")
    names["database"].close()


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with _running_example(tmp_path) as running:
        yield running


@pytest.fixture
def event() -> Json:
    return {"id": str(uuid4()), "name": "password_changed", "user_id": str(uuid4()), "detail": {}}


async def test_what_happens_here_is_told_there(new_service: NewService, receiver: Receiver) -> None:
    async with new_service(events={"url": receiver.url, "secret": SECRET}) as service:
        number = new_number()
        tokens = await service.register(number)
        created = await receiver.next()
        await service.post("/me/recovery-codes", token=tokens["access_token"])
        renewed = await receiver.next()
        items = (await service.get("/me/events", tokens["access_token"])).json()["items"]

    assert (created["name"], renewed["name"]) == ("account_created", "recovery_codes_regenerated")
    assert created["user_id"] == tokens["user"]["id"]
    assert created["session_id"] == renewed["session_id"] == tokens["session_id"]
    assert {created["id"], renewed["id"]} <= {item["id"] for item in items}
    assert number[1:] not in json.dumps([created, renewed])
    assert receiver.told.empty()


async def test_a_repeat_is_told_apart(receiver: Receiver, event: Json) -> None:
    statuses = [await receiver.send(event) for _ in range(3)]

    assert statuses == [204] * 3
    assert [await receiver.next()] == [event]
    assert receiver.told.empty()


async def test_after_a_restart_too(tmp_path: Path, event: Json) -> None:
    for expected in (1, 0):
        async with _running_example(tmp_path) as receiver:
            assert await receiver.send(event) == 204
            assert receiver.told.qsize() == expected


async def test_forgeries_and_old_ones_are_refused(receiver: Receiver, event: Json) -> None:
    other = {**event, "id": str(uuid4())}
    statuses = [
        await receiver.send(event, secret="another"),
        await receiver.send(event, age=400),
        await receiver.send(event, age=-400),
        await receiver.send(event, headers={"webhook-id": other["id"]}),
        await receiver.send(event, headers={"webhook-timestamp": "1"}),
        await receiver.send(event, headers={"webhook-timestamp": "now"}),
        await receiver.send(event, headers={"webhook-signature": "v1,"}),
        await receiver.send(event, headers={"webhook-signature": ""}),
    ]

    assert statuses == [401] * len(statuses)
    assert receiver.told.empty()


async def test_one_of_several_signatures_is_enough(receiver: Receiver, event: Json) -> None:
    body, now = json.dumps(event), int(time.time())
    signatures = f"v1,AAAA {sign(SECRET, event['id'], now, body)}"

    assert await receiver.send(event, headers={"webhook-signature": signatures}) == 204


def test_the_page_lists_every_event_and_no_other() -> None:
    cells = re.findall(r"^\| (`.*?) \|", read(PAGE), re.MULTILINE)
    listed = re.findall("`([a-z_]+)`", " ".join(cells))

    assert sorted(listed) == sorted(name.value for name in ALWAYS_TOLD | TOLD_IF.keys())


def test_the_example_of_a_body_has_its_fields() -> None:
    shown = json.loads(block(PAGE, "json", "{"))

    assert shown.keys() == {"id", "name", "at", "user_id", "session_id", "detail"}


def test_every_setting_that_it_names_exists() -> None:
    names = re.findall(r"OTP_AUTH_EVENTS__([A-Z_]+)", read(PAGE))

    assert {name.lower() for name in names} == set(EventSettings.model_fields)
