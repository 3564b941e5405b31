import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import simulator_fixtures as fixtures
import time_machine
from simulator_client import (
    CODE,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    VERIFICATIONS,
    WRONG,
    Simulator,
    assert_refused,
)

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

Simulators = Callable[..., Simulator]
NOT_RIGHT = (40003, "Invalid identity or code.")


async def test_what_a_start_by_sms_answers(simulator: Simulator) -> None:
    answer = await simulator.start(method="SMS")
    content = answer.json()

    identifier = UUID(content["id"])
    href = f"http://sinch.test{VERIFICATIONS}/id/{identifier}"
    assert (identifier.version, identifier.int >> 80) == (7, int(NOW.timestamp() * 1000))
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-language"] == "en-US"
    assert content == {
        "id": str(identifier),
        "method": "sms",
        "sms": {
            "template": "Your verification code is {{CODE}}.",
            "interceptionTimeout": 300,
            "codeType": "Numeric",
        },
        "_links": [
            {"rel": "status", "href": href, "method": "GET"},
            {"rel": "report", "href": href, "method": "PUT"},
        ],
    }


async def test_a_phone_call_from_start_to_end(simulator: Simulator) -> None:
    started = (await simulator.start(method="callout")).json()
    before = await simulator.status(started["id"])
    reported = (await simulator.report(started["id"], method="callout")).json()
    after = await simulator.status(started["id"])

    assert set(started) == {"id", "method", "_links"}
    assert (before["callComplete"], "callResult" in before, "price" in before) == (False, False, False)
    assert reported == {
        "id": started["id"],
        "method": "callout",
        "status": "SUCCESSFUL",
        "callComplete": True,
    }
    assert (after["callComplete"], after["callResult"]) == (True, "ANSWERED")
    assert "source" not in after


async def test_what_a_status_answers(simulator: Simulator) -> None:
    verification_id = await simulator.open(reference="login-7f3a", custom="web")
    expected = {
        "id": verification_id,
        "method": "sms",
        "status": "PENDING",
        "reference": "login-7f3a",
        "identity": {"type": "number", "endpoint": NUMBER},
        "countryId": "SE",
        "verificationTimestamp": "2026-01-02T03:04:05.6780000",
    }
    assert await simulator.status(verification_id) == expected

    await simulator.report(verification_id)

    finished = {
        "status": "SUCCESSFUL",
        "price": {"verificationPrice": {"currencyId": "EUR", "amount": 0.0453}},
        "source": "manual",
    }
    for path in (f"/id/{verification_id}", "/reference/login-7f3a", f"/SMS/number/{NUMBER}"):
        assert (await simulator.call("GET", path)).json() == expected | finished


async def test_a_number_of_no_country(simulator: Simulator) -> None:
    assert "countryId" not in await simulator.status(await simulator.open("+80012345678"))


@pytest.mark.parametrize(
    ("accepted", "used", "word"),
    [
        pytest.param("sv", "sv-SE", "verifieringskod", id="Swedish"),
        pytest.param("de-AT", "de-DE", "Bestätigungscode", id="Austrian"),
        pytest.param("xx, sv;q=0.5, DE;q=0.8", "de-DE", "Bestätigungscode", id="weighted"),
        pytest.param("sv;q=0, de;q=x, xx", "en-US", "verification", id="none of them"),
        pytest.param("*", "en-US", "verification", id="any"),
        pytest.param(",;,=", "en-US", "verification", id="nonsense"),
    ],
)
async def test_the_language_of_the_text(simulator: Simulator, accepted: str, used: str, word: str) -> None:
    answer = await simulator.start(headers={"Accept-Language": accepted})
    (message,) = await simulator.get("/messages")

    assert answer.headers["content-language"] == used
    assert word in message["text"]
    assert CODE in message["text"]


async def test_a_phone_call_speaks_the_locale_it_was_given(simulator: Simulator) -> None:
    speech = {"speech": {"locale": "sv-SE"}}
    await simulator.open(method="callout", calloutOptions=speech, headers={"Accept-Language": "de"})

    assert (await simulator.get("/messages"))[0]["text"].startswith("Hej.")


@pytest.mark.parametrize("code_type", ["Numeric", "Alpha", "Alphanumeric"])
async def test_code_types(simulators: Simulators, code_type: str) -> None:
    simulator = simulators(new_code=lambda alphabet: alphabet[0] + alphabet[-1])

    verification_id = await simulator.open(smsOptions={"codeType": code_type})

    code = (await simulator.get("/messages"))[0]["code"]
    assert code == {"Numeric": "09", "Alpha": "AZ", "Alphanumeric": "A9"}[code_type]
    assert (await simulator.report(verification_id, code.lower())).json()["status"] == "SUCCESSFUL"


@pytest.mark.parametrize("path", [None, f"/number/{NUMBER}"], ids=["by id", "by number"])
async def test_a_right_code_works_once(simulator: Simulator, path: str | None) -> None:
    verification_id = await simulator.open()

    first = await simulator.report(verification_id, path=path)
    second = await simulator.report(verification_id, path=path)

    assert first.json() == {"id": verification_id, "method": "sms", "status": "SUCCESSFUL"}
    assert_refused(second, *NOT_RIGHT)


async def test_of_parallel_right_codes_one_works(simulator: Simulator) -> None:
    verification_id = await simulator.open()

    answers = await asyncio.gather(*(simulator.report(verification_id) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9


@pytest.mark.parametrize("path", [None, f"/number/{NUMBER}"], ids=["by id", "by number"])
async def test_the_last_wrong_code_closes(simulator: Simulator, path: str | None) -> None:
    verification_id = await simulator.open()
    for _ in range(2):
        assert_refused(await simulator.report(verification_id, WRONG, path=path), *NOT_RIGHT)
        assert (await simulator.status(verification_id))["status"] == "PENDING"

    third = await simulator.report(verification_id, WRONG, path=path)

    failed = {"id": verification_id, "method": "sms", "status": "FAIL", "reason": "Invalid code"}
    assert (third.status_code, third.json()) == (200, failed)
    assert_refused(await simulator.report(verification_id, path=path), *NOT_RIGHT)
    assert (await simulator.status(verification_id))["price"]


async def test_how_many_wrong_codes_is_a_setting(simulators: Simulators) -> None:
    simulator = simulators(wrong_tries=1)

    answer = await simulator.report(await simulator.open(), "\u00df\u0000")

    assert answer.json()["reason"] == "Invalid code"


async def test_a_code_lives_as_long_as_the_setting_says(
    simulators: Simulators, clock: time_machine.Traveller
) -> None:
    simulator = simulators(code_lifetime=60)
    verification_id = await simulator.open()

    clock.shift(timedelta(seconds=59.9))
    assert (await simulator.status(verification_id))["status"] == "PENDING"
    clock.shift(timedelta(seconds=0.1))

    state = await simulator.status(verification_id)
    assert (state["status"], state["reason"]) == ("FAIL", "Expired")
    assert "price" in state
    assert "source" not in state


async def test_a_report_after_the_end(simulator: Simulator, clock: time_machine.Traveller) -> None:
    verification_id = await simulator.open(smsOptions={"expiry": "00:01:00"})
    clock.shift(60)

    for code in (CODE, WRONG):
        by_id = await simulator.report(verification_id, code)
        assert by_id.json() == {
            "id": verification_id,
            "method": "sms",
            "status": "FAIL",
            "reason": "Expired",
        }
    assert_refused(await simulator.report("", path=f"/number/{NUMBER}"), *NOT_RIGHT)


async def test_a_second_start_ends_the_first(simulator: Simulator) -> None:
    first = await simulator.open()
    other = await simulator.open(OTHER_NUMBER)
    second = await simulator.open(method="callout")

    states = [(await simulator.status(verification))["status"] for verification in (first, other, second)]

    assert states == ["ABORTED", "PENDING", "PENDING"]
    assert_refused(await simulator.report(first), *NOT_RIGHT)
    assert_refused(await simulator.report("", path=f"/number/{NUMBER}"), *NOT_RIGHT)
    by_method = [
        (await simulator.call("GET", f"/{way}/number/{NUMBER}")).json() for way in ("sms", "callout")
    ]
    assert [state["id"] for state in by_method] == [first, second]


async def test_what_had_ended_stays_as_it_was(simulator: Simulator, clock: time_machine.Traveller) -> None:
    expired = await simulator.open()
    clock.shift(300)
    successful = await simulator.open()
    await simulator.report(successful)
    await simulator.open()

    assert (await simulator.status(expired))["reason"] == "Expired"
    assert (await simulator.status(successful))["status"] == "SUCCESSFUL"


async def test_starts_too_soon_are_refused(simulators: Simulators, clock: time_machine.Traveller) -> None:
    simulator = simulators(start_gap=10)
    first = await simulator.open(reference="one")
    await simulator.open(OTHER_NUMBER)

    clock.shift(9.9)
    too_soon = "Cannot initiate verification to the same number too quickly"
    assert_refused(await simulator.start(), 42901, too_soon)
    assert_refused(await simulator.start(reference="one"), 40900)
    assert (await simulator.status(first))["status"] == "PENDING"
    clock.shift(0.1)
    assert await simulator.open()
