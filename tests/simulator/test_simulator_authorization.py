import base64
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
import simulator_fixtures as fixtures
import time_machine
from fastapi import FastAPI
from simulator_client import (
    CODE,
    CONTENT_TYPE,
    KEY,
    NOW,
    NUMBER,
    SECRET,
    VERIFICATIONS,
    Simulator,
    assert_refused,
    new_simulator,
    sign,
)

from otp_auth.simulator.app import create_simulator
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.signing import decode_secret, signature

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

# Worked vectors, agreed on by two of Sinch's SDKs.
TIMESTAMP = "2026-01-02T03:04:05.678Z"
BODY = b'{"identity": {"type": "number", "endpoint": "+46700000000"}, "method": "sms"}'
START_SIGNATURE = "ViX8RWRuRbFtZtzLxJa7xvn8h8FKHRCs7D84eEgTxuY="
STATUS_PATH = f"{VERIFICATIONS}/sms/number/+46700000000"
STATUS_SIGNATURE = "P+4X6PHCegJ5Mues4JWO7uPdFAH6o/KfIUmCRVk/KnI="


def _headers(authorization: str, timestamp: str = TIMESTAMP) -> dict[str, str]:
    return {"Authorization": authorization, "Content-Type": CONTENT_TYPE, "x-timestamp": timestamp}


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


async def _start(simulator: Simulator, headers: dict[str, str]) -> httpx.Response:
    return await simulator.http.post(VERIFICATIONS, content=BODY, headers=headers)


@pytest.mark.parametrize(
    ("verb", "path", "body", "expected"),
    [
        pytest.param("POST", VERIFICATIONS, BODY, START_SIGNATURE, id="start"),
        pytest.param("GET", STATUS_PATH, b"", STATUS_SIGNATURE, id="status"),
    ],
)
def test_signature_vectors(verb: str, path: str, body: bytes, expected: str) -> None:
    key = decode_secret(SECRET)

    assert expected == signature(
        key, verb=verb, path=path, body=body, content_type=CONTENT_TYPE, timestamp=TIMESTAMP
    )


@pytest.mark.parametrize("scheme", ["Application", "application", "APPLICATION"])
async def test_signed_vectors_pass(simulator: Simulator, scheme: str) -> None:
    started = await _start(simulator, _headers(f"{scheme} {KEY}:{START_SIGNATURE}"))
    status = await simulator.http.get(STATUS_PATH, headers=_headers(f"{scheme} {KEY}:{STATUS_SIGNATURE}"))

    assert started.status_code == 200
    assert status.json()["id"] == started.json()["id"]


@pytest.mark.parametrize("scheme", ["Basic", "basic"])
async def test_basic_passes(simulator: Simulator, scheme: str) -> None:
    header = _basic(f"{KEY}:{SECRET}").replace("Basic", scheme)

    assert (await _start(simulator, {"Authorization": header})).status_code == 200


@pytest.mark.parametrize(
    ("authorization", "error_code"),
    [
        pytest.param("Bearer abc", 40100, id="other scheme"),
        pytest.param("Basic", 40107, id="nothing after Basic"),
        pytest.param("Basic ***", 40100, id="Basic without base64"),
        pytest.param("Basic \u00e5", 40100, id="Basic with another script"),
        pytest.param(_basic("no colon"), 40107, id="Basic without colon"),
        pytest.param(_basic(f"other:{SECRET}"), 40107, id="Basic with another key"),
        pytest.param(_basic(f"{KEY}:other"), 40107, id="Basic with another secret"),
        pytest.param(f"Application other:{START_SIGNATURE}", 40107, id="another key"),
        pytest.param(f"Application \u00e5:{START_SIGNATURE}", 40107, id="key in another script"),
        pytest.param(f"Application {KEY}", 40303, id="public"),
        pytest.param(f"Application {KEY}:", 40102, id="empty signature"),
        pytest.param(f"Application {KEY}:{STATUS_SIGNATURE}", 40102, id="signature of something else"),
        pytest.param(f"Application {KEY}:\u00e5", 40102, id="signature in another script"),
    ],
)
async def test_bad_credentials_are_refused(simulator: Simulator, authorization: str, error_code: int) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in _headers(authorization).items()]
    answer = await simulator.http.post(VERIFICATIONS, content=BODY, headers=headers)

    assert_refused(answer, error_code)
    assert (await simulator.get("/stats"))["starts"] == 0


async def test_credentials_are_needed_everywhere(simulator: Simulator) -> None:
    for verb, path in (
        ("POST", ""),
        ("PUT", "/id/x"),
        ("PUT", "/number/x"),
        ("GET", "/id/x"),
        ("GET", "/reference/x"),
        ("GET", "/sms/number/x"),
    ):
        answer = await simulator.http.request(verb, f"{VERIFICATIONS}{path}")
        assert_refused(answer, 40104, "Authorization required")


@pytest.mark.parametrize("change", [{"content": b"{}"}, {"headers": {"Content-Type": "application/json"}}])
async def test_what_was_signed_must_travel(simulator: Simulator, change: dict[str, object]) -> None:
    good = sign("POST", VERIFICATIONS, BODY)
    headers = good | change.get("headers", {})  # type: ignore[operator]
    content = change.get("content", BODY)

    assert_refused(await simulator.http.post(VERIFICATIONS, content=content, headers=headers), 40102)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("timestamp", "passes"),
    [
        pytest.param((NOW - timedelta(seconds=300)).isoformat(), True, id="300 s old"),
        pytest.param((NOW - timedelta(seconds=301)).isoformat(), False, id="301 s old"),
        pytest.param((NOW + timedelta(seconds=300)).isoformat(), True, id="300 s ahead"),
        pytest.param((NOW + timedelta(seconds=301)).isoformat(), False, id="301 s ahead"),
        pytest.param("2026-01-02T03:04:05.6780001Z", True, id="seven digits"),
        pytest.param("2026-01-02T04:04:05+01:00", True, id="other offset"),
        pytest.param("2026-01-02T03:04:05", True, id="no offset"),
        pytest.param("0001-01-01T00:00:00+23:59", False, id="before the calendar"),
        pytest.param("1767323045", False, id="Unix time"),
        pytest.param("now", False, id="no time"),
    ],
)
async def test_timestamps_have_a_window(simulator: Simulator, timestamp: str, passes: bool) -> None:
    answer = await _start(simulator, sign("POST", VERIFICATIONS, BODY, timestamp=timestamp))

    if passes:
        assert answer.status_code == 200
    else:
        assert_refused(answer, 40101)


async def test_a_timestamp_is_needed(simulator: Simulator) -> None:
    headers = sign("POST", VERIFICATIONS, BODY)
    del headers["x-timestamp"]

    assert_refused(await _start(simulator, headers), 40101, "X-Timestamp required")


@pytest.mark.parametrize("sent", ["+46700000000", "%2B46700000000"])
@pytest.mark.parametrize("signed", ["+46700000000", "%2B46700000000"])
async def test_the_decoded_path_or_the_one_that_travels_may_be_signed(
    simulator: Simulator, sent: str, signed: str
) -> None:
    await simulator.open()
    headers = sign("GET", f"{VERIFICATIONS}/sms/number/{signed}")
    answer = await simulator.http.get(f"{VERIFICATIONS}/sms/number/{sent}", headers=headers)

    if signed.startswith("%") and sent.startswith("+"):
        assert_refused(answer, 40102)
    else:
        assert answer.json()["identity"]["endpoint"] == NUMBER


@pytest.fixture
def mounted(clock: time_machine.Traveller) -> Simulator:
    assert clock
    host = FastAPI()
    host.mount("/sandbox", new_simulator())
    return Simulator(host, root="/sandbox")


@pytest.mark.parametrize("prefix", ["", "/sandbox"])
async def test_under_a_mount_either_path_may_be_signed(mounted: Simulator, prefix: str) -> None:
    answer = await _start(mounted, sign("POST", f"{prefix}{VERIFICATIONS}", BODY))
    path = f"{VERIFICATIONS}/sms/number/%2B46700000000"
    status = await mounted.http.get(path, headers=sign("GET", f"{prefix}{STATUS_PATH}"))

    assert answer.status_code == 200
    assert status.status_code == 200
    await mounted.http.aclose()


async def test_under_a_mount_links_and_page_have_its_prefix(mounted: Simulator) -> None:
    started = (await mounted.start()).json()
    bare = await mounted.http.get("http://sinch.test/sandbox")
    page = await mounted.http.get("/")

    href = f"http://sinch.test/sandbox{VERIFICATIONS}/id/{started['id']}"
    assert {link["href"] for link in started["_links"]} == {href}
    assert (await mounted.http.get(href)).status_code == 401
    assert (bare.status_code, bare.headers["location"]) == (307, "http://sinch.test/sandbox/")
    assert "<h1>Inbox" in page.text
    await mounted.http.aclose()


def test_a_secret_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="not base64"):
        create_simulator(SimulatorSettings(), application_key=KEY, application_secret="no secret")


async def test_codes_are_drawn_at_random(simulators: Callable[..., Simulator]) -> None:
    simulator = simulators(new_code=None)
    for _ in range(20):
        await simulator.open()
    codes = {message["code"] for message in await simulator.get("/messages")}

    assert len(codes) > 10
    assert all(len(code) == len(CODE) and code.isdigit() for code in codes)
