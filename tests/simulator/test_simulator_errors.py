import json
from typing import Any

import pytest
import simulator_fixtures as fixtures
from simulator_client import (
    CODE,
    NUMBER,
    OTHER_NUMBER,
    VERIFICATIONS,
    Simulator,
    assert_refused,
    sign,
)

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

IDENTITY = {"type": "number", "endpoint": NUMBER}
START = {"identity": IDENTITY, "method": "sms"}
STARTS = [
    pytest.param(b"", 40001, "The request body is not JSON.", id="no body"),
    pytest.param(b"{", 40001, "The request body is not JSON.", id="half a body"),
    pytest.param(b"\xff", 40001, "The request body is not JSON.", id="no UTF-8"),
    pytest.param(b"[" * 60_000, 40001, "The request body is not JSON.", id="deep"),
    pytest.param(rb'{"reference": "\ud800"}', 40001, "The request body is not JSON.", id="half a pair"),
    pytest.param([], 40001, "The request body must be a JSON object.", id="a list"),
    pytest.param({}, 40002, "Endpoint parameter is missing.", id="nothing"),
    pytest.param({"identity": "x"}, 40001, "identity must be an object.", id="identity as text"),
    pytest.param({"identity": {"type": "number"}, "method": "sms"}, 40002, None, id="no endpoint"),
    pytest.param({"identity": {"endpoint": NUMBER}, "method": "sms"}, 40002, None, id="no type"),
    pytest.param({"identity": {"endpoint": NUMBER, "type": "username"}}, 40001, None, id="other type"),
    pytest.param(
        {"identity": {"endpoint": 46700000000, "type": "number"}}, 40001, None, id="endpoint as number"
    ),
    pytest.param(
        {"identity": {"type": "number", "endpoint": "46700000000"}, "method": "sms"},
        40005,
        "Phone number missing leading plus sign",
        id="no plus",
    ),
    pytest.param(
        {"identity": {"type": "number", "endpoint": "+4813"}, "method": "sms"},
        40001,
        "Number +4813 is invalid.  Too short.",
        id="too short",
    ),
    pytest.param(
        {"identity": {"type": "number", "endpoint": "+4670000000000000"}},
        40001,
        "Number +4670000000000000 is invalid.  Too long.",
        id="too long",
    ),
    pytest.param(
        {"identity": {"type": "number", "endpoint": "+999123"}},
        40001,
        "Number +999123 is invalid.",
        id="no country",
    ),
    pytest.param({"identity": IDENTITY}, 40002, "Method parameter is missing.", id="no method"),
    pytest.param(
        START | {"method": "pigeon"},
        40001,
        "Method pigeon is unknown: use sms, callout, flashcall, whatsapp, seamless.",
        id="pigeon",
    ),
    pytest.param(START | {"method": 7}, 40001, "method must be a string.", id="method as number"),
    pytest.param(
        START | {"method": "seamless"},
        40300,
        "Seamless verification not available for given destination.",
        id="seamless",
    ),
    pytest.param(
        START | {"custom": "x" * 4097}, 40001, "Custom is longer than 4096 characters.", id="custom"
    ),
    pytest.param(START | {"reference": "a/b"}, 40001, None, id="slash in reference"),
    pytest.param(START | {"reference": 7}, 40001, None, id="reference as number"),
    pytest.param(START | {"smsOptions": []}, 40001, None, id="options as list"),
    pytest.param(START | {"smsOptions": {"codeType": "Roman"}}, 40001, None, id="code type"),
    pytest.param(
        START | {"method": "whatsapp", "whatsappOptions": {"codeType": "Roman"}},
        40001,
        None,
        id="code type of WhatsApp",
    ),
    pytest.param(
        START | {"method": "callout", "calloutOptions": {"speech": "sv"}}, 40001, None, id="speech as text"
    ),
    *(
        pytest.param(
            START | {"method": "flashcall", "flashCallOptions": {name: seconds}},
            40001,
            f"{name} must be whole seconds from 5 to 120.",
            id=f"{name} {seconds}",
        )
        for name in ("dialTimeout", "interceptionTimeout")
        for seconds in (4, 121, "30", True, 5.5)
    ),
    *(
        pytest.param(START | {"smsOptions": {"expiry": expiry}}, 40001, None, id=f"expiry {expiry}")
        for expiry in (
            "00:00:00",
            "24:00:01",
            "25:00:00",
            "00:60:00",
            "00:00:60",
            "5",
            "0:05:00",
            "00:05",
            300,
        )
    ),
]


@pytest.mark.parametrize(("body", "error_code", "message"), STARTS)
async def test_starts_that_are_refused(
    simulator: Simulator, body: Any, error_code: int, message: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = sign("POST", VERIFICATIONS, content)

    answer = await simulator.http.post(VERIFICATIONS, content=content, headers=headers)

    assert_refused(answer, error_code, message)
    assert await simulator.get("/messages") == []
    assert (await simulator.get("/stats"))["starts"] == 1


async def test_unknown_members_are_accepted(simulator: Simulator) -> None:
    answer = await simulator.start(
        metadata={"os": "x"},
        honourEarlyReject=True,
        expiry="x",
        smsOptions={"template": "{{CODE}}!", "new": 1},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("expiry", ["00:00:01", "00:05:00", "24:00:00"])
async def test_lifetimes_that_are_accepted(simulator: Simulator, expiry: str) -> None:
    answer = await simulator.start(smsOptions={"expiry": expiry}, custom="x" * 4096)

    hours, minutes, seconds = map(int, expiry.split(":"))
    assert answer.json()["sms"]["interceptionTimeout"] == hours * 3600 + minutes * 60 + seconds


async def test_a_reference_is_taken_once(simulator: Simulator) -> None:
    await simulator.open(reference="login-7f3a")

    assert_refused(
        await simulator.start(OTHER_NUMBER, reference="login-7f3a"), 40900, "Reference already defined"
    )
    assert len(await simulator.get("/messages")) == 1


@pytest.mark.parametrize(
    ("body", "error_code", "message"),
    [
        pytest.param({}, 40002, "Method parameter is missing.", id="nothing"),
        pytest.param({"method": "sms"}, 40002, "Code parameter is missing.", id="no details"),
        pytest.param(
            {"method": "flashcall", "flashCall": {"code": CODE}},
            40002,
            "Cli parameter is missing.",
            id="no caller",
        ),
        pytest.param({"method": "sms", "sms": {}}, 40002, "Code parameter is missing.", id="no code"),
        pytest.param({"method": "sms", "sms": {"code": 4711}}, 40001, "code must be a string.", id="number"),
        pytest.param({"method": "sms", "sms": CODE}, 40001, "sms must be an object.", id="text"),
        pytest.param({"method": "pigeon", "pigeon": {"code": CODE}}, 40001, None, id="other method"),
        pytest.param(
            {"method": "callout", "callout": {"code": CODE}},
            40003,
            "Invalid identity or code.",
            id="not its method",
        ),
    ],
)
async def test_reports_that_are_refused(
    simulator: Simulator, body: Any, error_code: int, message: str | None
) -> None:
    verification_id = await simulator.open()

    answer = await simulator.call("PUT", f"/id/{verification_id}", body)

    assert_refused(answer, error_code, message)
    assert (await simulator.status(verification_id))["status"] == "PENDING"


@pytest.mark.parametrize(
    ("verb", "path", "error_code"),
    [
        pytest.param("GET", "/id/unknown", 40400, id="id"),
        pytest.param("GET", "/reference/unknown", 40400, id="reference"),
        pytest.param("GET", f"/sms/number/{NUMBER}", 40400, id="number"),
        pytest.param("GET", "/sms/number/46700000000", 40005, id="number without plus"),
        pytest.param("GET", "/sms/number/+46", 40001, id="no number"),
        pytest.param("GET", f"/pigeon/number/{NUMBER}", 40001, id="method"),
        pytest.param("GET", f"/number/{NUMBER}", 40500, id="number alone"),
        pytest.param("GET", "/nowhere", 40400, id="no such path"),
        pytest.param("DELETE", "/id/unknown", 40500, id="verb"),
        pytest.param("PUT", "/id/unknown", 40400, id="report by id"),
        pytest.param("PUT", f"/number/{NUMBER}", 40003, id="report by number"),
        pytest.param("PUT", "/number/46700000000", 40005, id="report by number without plus"),
        pytest.param("PUT", "/number/+46", 40001, id="report by no number"),
    ],
)
async def test_what_is_not_there(simulator: Simulator, verb: str, path: str, error_code: int) -> None:
    body = {"method": "sms", "sms": {"code": CODE}} if verb == "PUT" else None

    assert_refused(await simulator.call(verb, path, body), error_code)


async def test_a_crash_is_an_error_in_sinchs_form(simulator: Simulator) -> None:
    simulator.app.state.simulation = None

    assert_refused(await simulator.call("GET", "/id/x"), 50000, "Internal server error.")
