import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import event_receiver
import pytest
import simulator_fixtures as fixtures
import time_machine
from event_receiver import ALLOW, DENY, PATH, Receiver
from simulator_client import CODE, KEY, NOW, NUMBER, SECRET, WRONG, Simulator, assert_refused

from otp_auth.simulator.authorization import Credentials
from otp_auth.simulator.event_bodies import (
    CONTENT_TYPE,
    DELIVERED,
    REQUEST,
    RESULT,
    request_event,
    result_event,
    serialised,
    signed_headers,
)
from otp_auth.simulator.records import Verification
from otp_auth.sinch.signing import decode_secret, signature
from support.simulator import PATIENCE

clock, simulators, receiver = fixtures.clock, fixtures.simulators, event_receiver.receiver

Simulators = Callable[..., Simulator]
IDENTITY = {"type": "number", "endpoint": NUMBER}
# A worked vector: Sinch's documentation and an SDK of theirs agree on its signature.
VECTOR_SIGNATURE = "jWBz5MAlMMd+3gw8iNf2V32tRVRDezeNTW3EdqpiG5o="
VECTOR = (
    b'{"id":"018c25e1-7163-5677-b8fb-467d7b1cffa5","event":"VerificationRequestEvent","method":"sms",'
    b'"identity":{"type":"number","endpoint":"+46700000000"},"price":{"currencyId":"EUR","amount":0.0453}}'
)


def _verification(**changes: Any) -> Verification:
    fields = {
        "id": "018c25e1-7163-5677-b8fb-467d7b1cffa5",
        "method": "sms",
        "number": NUMBER,
        "code": CODE,
        "code_type": "Numeric",
        "language": "en-US",
        "reference": None,
        "custom": None,
        "created_at": NOW,
        "expires_at": NOW,
    }
    return Verification.model_validate(fields | changes)


@pytest.fixture
async def simulator(simulators: Simulators, receiver: Receiver) -> AsyncIterator[Simulator]:
    simulator = simulators(callback_url=receiver.url)
    yield simulator
    await simulator.app.state.simulation.close()


def test_a_request_event_is_written_as_the_vector_is() -> None:
    assert serialised(request_event(_verification(), [])) == VECTOR


def test_the_vector_is_signed() -> None:
    signed = signature(
        decode_secret(SECRET),
        verb="POST",
        path="/hooks/sinch/verification",
        body=VECTOR,
        content_type=CONTENT_TYPE,
        timestamp="2026-01-02T03:04:05.6789012Z",
    )

    assert signed == VECTOR_SIGNATURE


def test_the_headers_of_an_event() -> None:
    credentials = Credentials(
        application_key=KEY, application_secret=SECRET, signing_key=decode_secret(SECRET)
    )
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    headers = signed_headers(credentials, "http://sinch.test/hooks/sinch%2Dnew?query=1", VECTOR, now)

    assert headers["x-timestamp"] == "2026-01-02T03:04:05.6789010Z"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert re.fullmatch(f"application {KEY}:[A-Za-z0-9+/]{{43}}=", headers["Authorization"])
    elsewhere = signed_headers(credentials, "http://other.test/hooks/sinch-new", VECTOR, now)
    assert elsewhere["Authorization"] == headers["Authorization"]


def test_a_result_event_leaves_out_what_does_not_apply() -> None:
    successful = _verification(status="SUCCESSFUL", source="manual", reference="one", custom="web")
    failed = _verification(status="FAIL", reason="Expired")

    assert result_event(successful) == {
        "id": successful.id,
        "event": "VerificationResultEvent",
        "method": "sms",
        "identity": IDENTITY,
        "status": "SUCCESSFUL",
        "source": "manual",
        "reference": "one",
        "custom": "web",
    }
    assert result_event(failed) == {
        "id": failed.id,
        "event": "VerificationResultEvent",
        "method": "sms",
        "identity": IDENTITY,
        "status": "FAIL",
        "reason": "Expired",
    }


async def test_the_events_of_a_success(simulator: Simulator, receiver: Receiver) -> None:
    verification_id = await simulator.open(
        reference="one", custom="web", headers={"Accept-Language": "de;q=0.5, sv-SE"}
    )
    asked, delivered = await receiver.next(), await receiver.next()
    await simulator.report(verification_id)
    ended = await receiver.next()

    common = {
        "id": verification_id,
        "method": "sms",
        "identity": IDENTITY,
        "reference": "one",
        "custom": "web",
    }
    price = {"currencyId": "EUR", "amount": 0.0453}
    assert asked.body == common | {"event": REQUEST, "price": price, "acceptLanguage": ["sv-SE", "de"]}
    assert delivered.body == common | {"event": DELIVERED, "smsResult": "Successful"}
    assert ended.body == common | {"event": RESULT, "status": "SUCCESSFUL", "source": "manual"}
    for received in (asked, delivered, ended):
        assert received.is_signed()
        assert received.path == PATH
        assert received.headers["content-type"] == "application/json; charset=utf-8"
        assert received.headers["x-timestamp"] == "2026-01-02T03:04:05.6780000Z"


@pytest.mark.parametrize("method", ["callout", "flashcall", "whatsapp"])
async def test_only_text_messages_have_a_receipt(
    simulator: Simulator, receiver: Receiver, method: str
) -> None:
    first = await simulator.open(method=method)
    await simulator.open(method=method)

    names = [(await receiver.next()).body for _ in range(3)]
    await simulator.app.state.simulation.events.idle()

    assert sorted(body["event"] for body in names) == [REQUEST, REQUEST, RESULT]
    (ended,) = [body for body in names if body["event"] == RESULT]
    assert (ended["id"], ended["status"], ended["method"]) == (first, "ABORTED", method)
    assert receiver.queue.empty()


async def test_nothing_is_sent_before_the_answer(simulator: Simulator, receiver: Receiver) -> None:
    receiver.go_on.clear()
    start = asyncio.create_task(simulator.start())
    async with asyncio.timeout(PATIENCE):
        await receiver.asked.wait()

    assert await simulator.get("/messages") == []
    receiver.go_on.set()

    assert (await start).status_code == 200
    assert len(await simulator.get("/messages")) == 1


async def test_a_denied_start(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = DENY

    assert_refused(await simulator.start(reference="one"), 40303, "Verification denied by callback.")

    state = (await simulator.call("GET", "/reference/one")).json()
    ended = await receiver.next_of(RESULT)
    assert (state["status"], state["reason"]) == ("DENIED", "Denied by callback")
    assert "price" not in state
    assert (ended["status"], ended["reason"]) == ("DENIED", "Denied by callback")
    assert await simulator.get("/messages") == []
    assert (await simulator.get("/stats"))["starts"] == 1
    assert_refused(await simulator.report(state["id"]), 40003)
    await simulator.app.state.simulation.events.idle()
    assert receiver.queue.empty()  # no receipt for what was not sent


async def test_a_denied_call_was_never_made(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = DENY
    await simulator.start(method="callout", reference="one")

    state = (await simulator.call("GET", "/reference/one")).json()

    assert (state["callComplete"], "callResult" in state) == (False, False)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        pytest.param(ALLOW, 500, id="500"),
        pytest.param(ALLOW, 201, id="201"),
        pytest.param(ALLOW, 302, id="redirect"),
        pytest.param(b"", 200, id="empty"),
        pytest.param(b"allow", 200, id="no JSON"),
        pytest.param([], 200, id="a list"),
        pytest.param({}, 200, id="no action"),
        pytest.param({"action": "perhaps"}, 200, id="other action"),
        pytest.param({"action": True}, 200, id="action as truth value"),
        pytest.param(ALLOW | {"sms": []}, 200, id="wishes as list"),
        pytest.param(ALLOW | {"sms": {"code": "12345678901"}}, 200, id="code of 11"),
        pytest.param(ALLOW | {"sms": {"code": "123 456"}}, 200, id="space in code"),
        pytest.param(ALLOW | {"sms": {"code": "\u0661\u0662\u0663"}}, 200, id="digits of another script"),
        pytest.param(ALLOW | {"sms": {"code": 123456}}, 200, id="code as number"),
        pytest.param(ALLOW | {"sms": {"codeType": "Roman"}}, 200, id="code type"),
        pytest.param(ALLOW | {"sms": {"expiry": "5"}}, 200, id="expiry"),
        pytest.param(ALLOW | {"sms": {"acceptLanguage": "sv"}}, 200, id="language as text"),
    ],
)
async def test_answers_that_are_none(
    simulator: Simulator, receiver: Receiver, decision: object, status: int
) -> None:
    receiver.decision, receiver.status = decision, status

    assert_refused(await simulator.start(reference="one"), 42202)

    state = (await simulator.call("GET", "/reference/one")).json()
    assert (state["status"], state["reason"]) == ("DENIED", "Invalid callback")
    assert await simulator.get("/messages") == []
    assert (await receiver.next_of(RESULT))["reason"] == "Invalid callback"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:1/hooks", id="nobody listens"),
        pytest.param("http://[::1/hooks", id="no URL"),
        pytest.param("hooks", id="no scheme"),
    ],
)
async def test_an_unreachable_callback_denies(simulators: Simulators, url: str) -> None:
    simulator = simulators(callback_url=url)

    assert_refused(await simulator.start(reference="one"), 42202)

    assert (await simulator.call("GET", "/reference/one")).json()["reason"] == "Invalid callback"
    (event,) = await simulator.get(f"/events?event={REQUEST}")
    assert (event["status"], event["answer"]) == (None, None)
    assert event["problem"].startswith("unreachable")


async def test_a_slow_callback_denies(simulators: Simulators, receiver: Receiver) -> None:
    simulator = simulators(callback_url=receiver.url, callback_timeout=timedelta(milliseconds=50))
    receiver.go_on.clear()

    async with asyncio.timeout(PATIENCE / 4):
        assert_refused(await simulator.start(), 42202)

    receiver.go_on.set()
    assert (await simulator.get(f"/events?event={REQUEST}"))[0]["problem"] == "too slow"


@pytest.mark.parametrize("code", ["123456", "Ab-9", "0123456789"])
@pytest.mark.parametrize("method", ["sms", "callout"])
async def test_an_own_code(simulator: Simulator, receiver: Receiver, method: str, code: str) -> None:
    receiver.decision = ALLOW | {method: {"code": code, "unknown": 1}}

    verification_id = await simulator.open(method=method)

    assert code in (await simulator.get("/messages"))[0]["text"]
    assert await simulator.code() == code
    assert_refused(await simulator.report(verification_id, CODE, method), 40003)
    assert (await simulator.report(verification_id, code.lower(), method)).json()["status"] == "SUCCESSFUL"


async def test_whatsapp_takes_no_own_code(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = ALLOW | {"whatsapp": {"code": "123456"}, "sms": {"code": "123456"}}

    await simulator.open(method="whatsapp")

    assert await simulator.code() == CODE


async def test_an_own_caller(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = ALLOW | {"flashCall": {"cli": "+46 70 174 06 99", "interceptionTimeout": 100}}

    started = (await simulator.start(method="flashcall")).json()

    assert await simulator.code() == "+46701740699"
    assert started["flashCall"] == {
        "cliFilter": "(.*)670174(.*)",
        "interceptionTimeout": 100,
        "reportTimeout": 100,
        "denyCallAfter": 0,
    }


@pytest.mark.parametrize("wish", [{"cli": "0701740699"}, {"dialTimeout": 4}, {"interceptionTimeout": "9"}])
async def test_wishes_for_a_flash_call_that_are_refused(
    simulator: Simulator, receiver: Receiver, wish: dict[str, object]
) -> None:
    receiver.decision = ALLOW | {"flashCall": wish}

    assert_refused(await simulator.start(method="flashcall"), 42202)


async def test_wishes_for_a_text_message(
    simulators: Simulators, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    simulator = simulators(callback_url=receiver.url, new_code=lambda alphabet: alphabet[0] + alphabet[-1])
    wishes = {"codeType": "alphanumeric", "expiry": "00:00:30", "acceptLanguage": ["xx", "sv-SE"]}
    receiver.decision = ALLOW | {"sms": wishes}

    answer = await simulator.start(headers={"Accept-Language": "de"})

    assert answer.headers["content-language"] == "sv-SE"
    details = answer.json()["sms"]
    assert (details["interceptionTimeout"], details["codeType"]) == (30, "Alphanumeric")
    assert (await simulator.get("/messages"))[0]["text"] == "Din verifieringskod är A9."
    clock.shift(30)
    assert (await simulator.status(answer.json()["id"]))["reason"] == "Expired"


async def test_a_locale_for_a_phone_call(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = ALLOW | {"callout": {"code": "1234", "speech": {"locale": "sv-SE"}}}

    await simulator.open(method="callout")

    assert (await simulator.get("/messages"))[0]["text"] == "Hej. Din verifieringskod är 1234. Hej då."


async def test_a_newer_start_ends_the_one_that_still_asks(simulator: Simulator, receiver: Receiver) -> None:
    receiver.go_on.clear()
    first = asyncio.create_task(simulator.start(reference="one"))
    async with asyncio.timeout(PATIENCE):
        await receiver.asked.wait()
    second = asyncio.create_task(simulator.start(reference="two"))
    ended = await receiver.next_of(RESULT)
    receiver.go_on.set()

    answers = [(await start).json()["id"] for start in (first, second)]

    assert (ended["id"], ended["status"]) == (answers[0], "ABORTED")
    assert [m["verification_id"] for m in await simulator.get("/messages")] == [answers[1]]
    await simulator.app.state.simulation.events.idle()
    receipts = await simulator.get(f"/events?event={DELIVERED}")
    assert [receipt["verification_id"] for receipt in receipts] == [answers[1]]


@pytest.mark.parametrize("wrong_tries", [1, 2])
async def test_a_wrong_code_is_told_when_it_is_the_last(
    simulators: Simulators, receiver: Receiver, wrong_tries: int
) -> None:
    simulator = simulators(callback_url=receiver.url, wrong_tries=wrong_tries)
    verification_id = await simulator.open()
    for _ in range(wrong_tries + 1):
        await simulator.report(verification_id, WRONG)
    await simulator.app.state.simulation.events.idle()

    (ended,) = await simulator.get(f"/events?event={RESULT}")
    assert (ended["body"]["status"], ended["body"]["reason"]) == ("FAIL", "Invalid code")


async def test_an_expiry_is_told_once(
    simulator: Simulator, receiver: Receiver, clock: time_machine.Traveller
) -> None:
    verification_id = await simulator.open()
    clock.shift(timedelta(seconds=299.9))
    await simulator.get("/stats")
    clock.shift(timedelta(seconds=0.1))

    ended = await receiver.next_of(RESULT)  # though nobody asks

    assert (ended["id"], ended["status"], ended["reason"]) == (verification_id, "FAIL", "Expired")
    await simulator.status(verification_id)
    await simulator.report(verification_id)
    await simulator.app.state.simulation.events.idle()
    assert receiver.queue.empty()


async def test_what_has_ended_does_not_expire(simulator: Simulator, clock: time_machine.Traveller) -> None:
    aborted = await simulator.open()
    successful = await simulator.open()
    await simulator.report(successful)
    clock.shift(300)
    await simulator.get("/stats")
    await simulator.app.state.simulation.events.idle()

    told = {
        event["verification_id"]: event["body"] for event in await simulator.get(f"/events?event={RESULT}")
    }
    assert [told[key]["status"] for key in (aborted, successful)] == ["ABORTED", "SUCCESSFUL"]
    assert len(await simulator.get(f"/events?event={RESULT}")) == 2


async def test_an_expiry_is_told_after_a_restart(
    simulators: Simulators, receiver: Receiver, clock: time_machine.Traveller, tmp_path: Path
) -> None:
    journal = tmp_path / "simulator.jsonl"
    verification_id = await simulators(journal=journal).open()
    clock.shift(300)
    after = simulators(journal=journal, callback_url=receiver.url)

    await after.get("/messages")  # the first request, as the inbox page makes it

    assert (await receiver.next_of(RESULT))["id"] == verification_id


async def test_standing_alone_it_needs_no_request(
    simulators: Simulators, receiver: Receiver, clock: time_machine.Traveller, tmp_path: Path
) -> None:
    journal = tmp_path / "simulator.jsonl"
    verification_id = await simulators(journal=journal).open()
    clock.shift(300)
    after = simulators(journal=journal, callback_url=receiver.url)

    async with after.app.router.lifespan_context(after.app):
        assert (await receiver.next_of(RESULT))["id"] == verification_id


async def test_what_was_sent_can_be_read(simulator: Simulator, receiver: Receiver) -> None:
    receiver.decision = ALLOW | {"sms": {"code": "123456"}}
    verification_id = await simulator.open()
    await simulator.open("+46701740629")
    (_delivered,) = await simulator.get(
        f"/events?event={DELIVERED}&verification_id={verification_id}&wait=10"
    )

    (asked,) = await simulator.get(f"/events?to=%2B46700000000&event={REQUEST}")

    assert asked.pop("id")
    assert asked.pop("body")["price"] == {"currencyId": "EUR", "amount": 0.0453}
    assert asked == {
        "event": REQUEST,
        "verification_id": verification_id,
        "to": NUMBER,
        "url": receiver.url,
        "sent_at": "2026-01-02T03:04:05.678000Z",
        "status": 200,
        "answer": receiver.decision,
        "problem": None,
    }
    assert await simulator.get("/events?to=%2B4670&wait=0.01") == []


async def test_who_waits_gets_the_event_that_comes(simulator: Simulator, receiver: Receiver) -> None:
    waiting = asyncio.create_task(simulator.get(f"/events?event={DELIVERED}&wait=10"))
    await asyncio.sleep(0)  # it has begun
    receiver.decision = json.dumps(ALLOW).encode()
    verification_id = await simulator.open()

    assert [event["verification_id"] for event in await waiting] == [verification_id]


async def test_public_requests_are_refused_with_a_callback_too(simulator: Simulator) -> None:
    headers = {"Authorization": f"Application {KEY}"}

    answer = await simulator.call("GET", "/id/x", headers=headers)

    assert_refused(answer, 40303, "Authorization requirement not met.")
