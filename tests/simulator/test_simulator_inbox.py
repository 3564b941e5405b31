from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import simulator_fixtures as fixtures
from simulator_client import CODE, NUMBER, OTHER_NUMBER, WRONG, Simulator

from otp_auth.simulator import inbox

PAGE = Path(inbox.__file__).parent / "page"
clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators


async def test_messages_newest_first(simulator: Simulator) -> None:
    first = await simulator.open()
    second = await simulator.open(OTHER_NUMBER, "callout")

    newer, older = await simulator.get("/messages")

    assert newer["verification_id"] == second
    assert older.pop("id")
    assert older == {
        "verification_id": first,
        "method": "sms",
        "to": NUMBER,
        "code": CODE,
        "text": f"Your verification code is {CODE}.",
        "status": "delivered",
        "created_at": "2026-01-02T03:04:05.678000Z",
    }


async def test_messages_of_one_number(simulator: Simulator) -> None:
    await simulator.open(OTHER_NUMBER)
    await simulator.open()
    await simulator.open()

    for to in ("%2B46700000000", "+46700000000", "%2046700000000", "46700000000"):
        assert [message["to"] for message in await simulator.get(f"/messages?to={to}")] == [NUMBER] * 2
    assert await simulator.get("/messages?to=%2B4670") == []
    assert len(await simulator.get("/messages?to=")) == 3
    assert [message["to"] for message in await simulator.get("/messages?limit=1")] == [NUMBER]


async def test_the_inbox_can_be_emptied(simulator: Simulator) -> None:
    verification_id = await simulator.open()

    answer = await simulator.http.delete("/messages")

    assert (answer.status_code, answer.content) == (204, b"")
    assert await simulator.get("/messages") == []
    assert (await simulator.report(verification_id)).status_code == 200


async def test_counters_count_what_arrived(simulator: Simulator) -> None:
    zero = {"starts": 0, "reports": 0, "by_number": {}, "by_verification": {}}
    assert await simulator.get("/stats") == zero
    verification_id = await simulator.open(reference="one")
    await simulator.start(reference="one")
    await simulator.start("+4813")
    await simulator.report(verification_id, WRONG)
    await simulator.report(verification_id, path=f"/number/{NUMBER}")
    await simulator.report("unknown")
    await simulator.report("", path="/number/46700000000")
    await simulator.report("", path=f"/number/{OTHER_NUMBER}")
    await simulator.status(verification_id)

    assert await simulator.get("/stats") == {
        "starts": 3,
        "reports": 5,
        "by_number": {NUMBER: {"starts": 2, "reports": 2}, OTHER_NUMBER: {"starts": 0, "reports": 1}},
        "by_verification": {verification_id: {"reports": 2}},
    }


async def test_the_page_is_guarded(simulator: Simulator) -> None:
    page = await simulator.http.get("/")

    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for banned in ("onclick", "style=", "http://", "https://", "<style"):
        assert banned not in page.text
    assert page.text.count("<script") == page.text.count('<script src="inbox.js" type="module">') == 1
    assert 'role="status"' in page.text


async def test_the_files_of_the_page(simulator: Simulator) -> None:
    scripts = [(f"/{path.name}", "javascript") for path in sorted(PAGE.glob("*.js"))]
    for path, media_type in [("/", "html"), ("/inbox.css", "css"), *scripts]:
        answer = await simulator.http.get(path)
        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["content-type"] == f"text/{media_type}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        for banned in ("innerHTML", "insertAdjacentHTML", "eval(", 'fetch("/'):
            assert banned not in answer.text


async def test_there_are_no_docs(simulators: Callable[..., Simulator]) -> None:
    simulator = simulators()
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await simulator.http.get(path)).status_code == HTTPStatus.NOT_FOUND
