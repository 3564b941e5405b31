"""Sinch's own Python SDK, pointed at the simulator, sees what it sees of Sinch."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sdk_driver import Driver, Json, python_driver, simulator
from sdk_environments import python_environment
from sdk_expectations import ALTERATIONS, Altered, Change, answer_of, check_links, error_of, is_refusal, wrong

from support.service import new_number
from support.simulator import RunningSimulator

TEMPLATE = "Your verification code is {{CODE}}."


@dataclass(frozen=True)
class Way:
    """What the SDK calls one method, and what a start by it must show."""

    start: str
    report: str
    method: str  # as the SDK asks for a status
    argument: str
    details: Json
    amount: float


SMS = Way(
    "start_sms",
    "report_sms",
    "sms",
    "code",
    {"sms": {"template": TEMPLATE, "interception_timeout": 300}},
    0.0453,
)
FLASH_CALL = Way(
    "start_flash_call",
    "report_flash_call",
    "flashCall",
    "cli",
    {
        "flash_call": {
            "cli_filter": "(.*)500555(.*)",
            "interception_timeout": 45,
            "report_timeout": 75,
            "deny_call_after": 0,
        }
    },
    0.0125,
)
PHONE_CALL = Way("start_phone_call", "report_phone_call", "callout", "code", {}, 0.1852)
CALLOUT = Way("start_callout", "report_phone_call", "callout", "code", {}, 0.1852)
WAYS = [pytest.param(way, id=way.start) for way in (SMS, FLASH_CALL, PHONE_CALL, CALLOUT)]


@pytest.fixture(scope="module")
async def driver() -> AsyncIterator[Driver]:
    async with python_driver(python_environment()) as driver:
        yield driver


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[RunningSimulator]:
    async with simulator(minimum_level="signed") as running:
        yield running


@dataclass(frozen=True)
class Sdk:
    """The SDK's client for one simulator, and the number of one test."""

    driver: Driver
    simulator: RunningSimulator
    kind: str = "sync"
    number: str = field(default_factory=new_number)

    @property
    def identity(self) -> Json:
        return {"type": "number", "endpoint": self.number}

    async def call(self, call: str, api: str = "verifications", **arguments: Any) -> Json:
        """Call it; what goes wrong is an error of the SDK's, about something that Sinch answered."""
        reply = await self.driver.ask(
            client=self.kind, base_url=self.simulator.base_url, api=api, call=call, arguments=arguments
        )
        assert "answer" in reply or reply["error"]["class"] == "VerificationException", reply
        return reply

    async def start(self, way: Way, **arguments: Any) -> Json:
        return answer_of(await self.call(way.start, identity=self.identity, **arguments))

    async def report(self, way: Way, key: Json, code: str) -> Json:
        by = "by_id" if "id" in key else "by_identity"
        return await self.call(f"{way.report}_{by}", **key, **{way.argument: code})

    async def code(self) -> str:
        return await self.simulator.code(self.number)

    async def statuses(self, way: Way, started: Json, reference: str) -> list[Json]:
        """By id, by identity and by reference."""
        keys: list[tuple[str, Json]] = [
            ("get_by_id", {"id": started["id"]}),
            ("get_by_identity", {"endpoint": self.number, "method": way.method}),
            ("get_by_reference", {"reference": reference}),
        ]
        return [answer_of(await self.call(call, "verification_status", **key)) for call, key in keys]


@pytest.fixture
def sdk(driver: Driver, running: RunningSimulator) -> Sdk:
    return Sdk(driver, running)


async def _walk(sdk: Sdk, way: Way, *, by_id: bool) -> None:
    """Start, status, wrong report, right report, status."""
    reference = f"login-{sdk.number[1:]}"
    started = await sdk.start(way, reference=reference, custom="web")
    assert started.get("id"), started
    key = {"id": started["id"]} if by_id else {"endpoint": sdk.number}
    code = await sdk.code()

    before = await sdk.statuses(way, started, reference)
    refused = error_of(await sdk.report(way, key, wrong(code)))
    reported = answer_of(await sdk.report(way, key, code))
    after = await sdk.statuses(way, started, reference)

    check_links(started, sdk.simulator.base_url)
    expected = {"id": started["id"], "method": way.method.lower()}
    assert started == expected | {"_links": started["_links"]} | way.details
    assert is_refusal(refused, 40003)
    assert refused["body"]["message"] == "Invalid identity or code."
    assert reported.items() >= (expected | {"status": "SUCCESSFUL", "reason": None}).items()
    expected |= {"identity": sdk.identity, "reference": reference, "reason": None}
    for state in before:
        assert state.items() >= (expected | {"status": "PENDING", "price": None}).items()
    price = {"verificationPrice": {"currencyId": "EUR", "amount": way.amount}}
    for state in after:
        assert state.items() >= (expected | {"status": "SUCCESSFUL", "price": price}).items()


@pytest.mark.parametrize("by_id", [True, False], ids=["by id", "by identity"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_verification_from_start_to_end(sdk: Sdk, way: Way, by_id: bool) -> None:
    await _walk(sdk, way, by_id=by_id)


@pytest.mark.parametrize("by_id", [True, False], ids=["by id", "by identity"])
async def test_the_async_client_too(driver: Driver, running: RunningSimulator, by_id: bool) -> None:
    await _walk(Sdk(driver, running, "async"), FLASH_CALL, by_id=by_id)


async def test_under_the_prefix_that_development_mounts_it(driver: Driver) -> None:
    async with simulator(prefix="/sandbox") as running:
        for way in (SMS, FLASH_CALL, PHONE_CALL):
            await _walk(Sdk(driver, running), way, by_id=True)


@pytest.fixture(scope="module")
async def altered() -> AsyncIterator[tuple[RunningSimulator, Altered]]:
    altered = Altered()
    async with simulator(altered.around) as running:
        yield running, altered


@pytest.mark.parametrize("change", ALTERATIONS)
async def test_a_simulator_that_answered_otherwise_would_be_noticed(
    driver: Driver, altered: tuple[RunningSimulator, Altered], change: Change
) -> None:
    running, answers = altered
    with answers.changed(change), pytest.raises(AssertionError):
        await _walk(Sdk(driver, running), SMS, by_id=True)


async def test_nothing_else_would_be_noticed(
    driver: Driver, altered: tuple[RunningSimulator, Altered]
) -> None:
    await _walk(Sdk(driver, altered[0]), SMS, by_id=True)


async def test_a_simulator_with_another_secret_would_be_noticed(driver: Driver) -> None:
    async with simulator(secret="c2l4dGVlbiBieXRlcyAhIQ==") as running:
        sdk = Sdk(driver, running)
        error = error_of(await sdk.call("start_sms", identity=sdk.identity))

    assert is_refusal(error, 40102)


async def test_the_last_wrong_code(driver: Driver) -> None:
    async with simulator(wrong_tries=1) as running:
        for way, reason in ((SMS, "Invalid code"), (FLASH_CALL, "Invalid CLI"), (PHONE_CALL, "Invalid code")):
            sdk = Sdk(driver, running)
            key = {"id": (await sdk.start(way))["id"]}
            failed = answer_of(await sdk.report(way, key, wrong(await sdk.code())))

            assert (failed["status"], failed["reason"]) == ("FAIL", reason)


@pytest.mark.parametrize(
    ("options", "lifetime"),
    [
        pytest.param({"code_type": "Alpha"}, 300, id="code type"),
        pytest.param({"expiry": "00:02:00"}, 120, id="expiry"),
        pytest.param({"template": "{{CODE}}!"}, 300, id="template"),
        pytest.param({"code_type": "Alpha", "expiry": "00:02:00"}, 300, id="of two the SDK sends the first"),
    ],
)
async def test_options(sdk: Sdk, options: Json, lifetime: int) -> None:
    started = await sdk.start(SMS, **options)

    assert started["sms"] == {"template": TEMPLATE, "interception_timeout": lifetime}
    assert (await sdk.code()).isalpha() == ("code_type" in options)


async def test_options_of_calls(sdk: Sdk) -> None:
    await sdk.start(CALLOUT, speech_locale="sv-SE")
    spoken = (await sdk.simulator.messages(sdk.number))[0]["text"]
    await sdk.start(FLASH_CALL, dial_timeout=20)
    refused = await sdk.call("start_flash_call", identity=sdk.identity, dial_timeout=121)

    assert spoken.startswith("Hej. ")
    assert is_refusal(error_of(refused), 40001)


@pytest.mark.parametrize(
    ("endpoint", "error_code", "message"),
    [
        ("46700000000", 40005, "Phone number missing leading plus sign"),
        ("+4813", 40001, "Number +4813 is invalid.  Too short."),
        ("+46701740644", 40200, "Not enough credit"),
    ],
)
async def test_refused_starts(sdk: Sdk, endpoint: str, error_code: int, message: str) -> None:
    error = error_of(await sdk.call("start_sms", identity=sdk.identity | {"endpoint": endpoint}))

    assert is_refusal(error, error_code)
    assert error["body"]["message"] == message


async def test_what_is_unknown(sdk: Sdk) -> None:
    replies = [
        await sdk.call("get_by_id", "verification_status", id="x"),
        await sdk.call("get_by_reference", "verification_status", reference="x"),
        await sdk.call("get_by_identity", "verification_status", endpoint=sdk.number, method="sms"),
        await sdk.call("report_sms_by_id", id="x", code="1234"),
    ]

    assert all(is_refusal(error_of(reply), 40400) for reply in replies)


async def test_a_reference_is_taken_once(sdk: Sdk) -> None:
    await sdk.start(SMS, reference="one")
    again = await sdk.call("start_phone_call", identity=sdk.identity, reference="one")

    assert is_refusal(error_of(again), 40900)


async def test_data_verification_needs_an_agreement(sdk: Sdk) -> None:
    for call in ("start_data", "start_seamless"):
        assert is_refusal(error_of(await sdk.call(call, identity=sdk.identity)), 40300)


@pytest.mark.parametrize("call", ["start_data", "start_seamless"])
async def test_data_verification_by_agreement(driver: Driver, call: str) -> None:
    async with simulator(seamless=True) as running:
        sdk = Sdk(driver, running)
        started = answer_of(await sdk.call(call, identity=sdk.identity))
        before = answer_of(await sdk.call("get_by_id", "verification_status", id=started["id"]))
        (await running.http.get(started["seamless"]["target_uri"])).raise_for_status()
        after = answer_of(await sdk.call("get_by_id", "verification_status", id=started["id"]))

    assert started["method"] == "seamless"
    assert (before["status"], after["status"]) == ("PENDING", "SUCCESSFUL")
