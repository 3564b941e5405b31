"""Sinch's own Node SDK, pointed at the simulator, sees what it sees of Sinch."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sdk_driver import Driver, Json, node_driver, simulator
from sdk_environments import node_environment
from sdk_expectations import ALTERATIONS, Altered, Change, answer_of, check_links, error_of, is_refusal, wrong

from support.service import new_number
from support.simulator import RunningSimulator

TEMPLATE = "Your verification code is {{CODE}}."


@dataclass(frozen=True)
class Way:
    """What the SDK calls one method, and what a start by it must show."""

    name: str  # in the names of the SDK's calls
    method: str
    member: str  # of a report's body
    details: Json
    amount: float
    seen: Json  # of a status, beside what all have

    def code(self, code: str) -> Json:
        return {self.member: {"cli" if self.method == "flashcall" else "code": code}}


_FLASH = {
    "cliFilter": "(.*)500555(.*)",
    "interceptionTimeout": 45,
    "reportTimeout": 75,
    "denyCallAfter": 0,
}
_SMS = {"template": TEMPLATE, "interceptionTimeout": 300, "codeType": "Numeric"}
_ANSWERED = {"callComplete": True, "callResult": "ANSWERED"}
_REJECTED = {"callComplete": True, "callResult": "CANCEL", "source": "manual"}
SMS = Way("Sms", "sms", "sms", {"sms": _SMS}, 0.0453, {"source": "manual"})
FLASH_CALL = Way("FlashCall", "flashcall", "flashCall", {"flashCall": _FLASH}, 0.0125, _REJECTED)
PHONE_CALL = Way("PhoneCall", "callout", "phoneCall", {}, 0.1852, _ANSWERED)
CALLOUT = Way("Callout", "callout", "callout", {}, 0.1852, _ANSWERED)
WHATSAPP = Way(
    "WhatsApp", "whatsapp", "whatsapp", {"whatsapp": {"codeType": "Numeric"}}, 0.0391, {"source": "manual"}
)
WAYS = [pytest.param(way, id=way.name) for way in (SMS, FLASH_CALL, PHONE_CALL, CALLOUT, WHATSAPP)]


@pytest.fixture(scope="module")
async def driver() -> AsyncIterator[Driver]:
    async with node_driver(node_environment()) as driver:
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
    number: str = field(default_factory=new_number)

    @property
    def identity(self) -> Json:
        return {"type": "number", "endpoint": self.number}

    async def call(self, call: str, argument: Json, api: str = "verifications") -> Json:
        """Call it; what goes wrong is an error of the SDK's, about something that Sinch answered."""
        reply = await self.driver.ask(base_url=self.simulator.base_url, api=api, call=call, argument=argument)
        assert "answer" in reply or reply["error"]["class"] == "RequestFailedError", reply
        return reply

    async def start(self, way: Way, **members: Any) -> Json:
        body = {"identity": self.identity} | members
        return await self.call(f"start{way.name}", {f"startVerificationWith{way.name}RequestBody": body})

    async def report(self, way: Way, key: Json, code: str) -> Json:
        by = "ById" if "id" in key else "ByIdentity"
        body = {f"report{way.name}Verification{by}RequestBody": way.code(code)}
        return await self.call(f"report{way.name}{by}", key | body)

    async def code(self) -> str:
        return await self.simulator.code(self.number)

    async def statuses(self, way: Way, started: Json, reference: str) -> list[Json]:
        """By id, by identity and by reference."""
        keys: list[tuple[str, Json]] = [
            ("getById", {"id": started["id"]}),
            ("getByIdentity", {"endpoint": self.number, "method": way.method}),
            ("getByReference", {"reference": reference}),
        ]
        return [answer_of(await self.call(call, key, "verificationStatus")) for call, key in keys]


@pytest.fixture
def sdk(driver: Driver, running: RunningSimulator) -> Sdk:
    return Sdk(driver, running)


async def _walk(sdk: Sdk, way: Way, *, by_id: bool) -> None:
    """Start, status, wrong report, right report, status."""
    began, reference = time.time(), f"login-{sdk.number[1:]}"
    started = answer_of(await sdk.start(way, reference=reference, custom="web"))
    assert started.get("id"), started
    key = {"id": started["id"]} if by_id else {"endpoint": sdk.number}
    code = await sdk.code()

    before = await sdk.statuses(way, started, reference)
    refused = error_of(await sdk.report(way, key, wrong(code)))
    reported = answer_of(await sdk.report(way, key, code))
    after = await sdk.statuses(way, started, reference)

    check_links(started, sdk.simulator.base_url)
    expected = {"id": started["id"], "method": way.method}
    assert started == expected | {"_links": started["_links"]} | way.details
    assert is_refusal(refused, 40003)
    assert refused["body"]["message"] == "Invalid identity or code."
    is_call = {"callComplete": True} if "callComplete" in way.seen else {}
    assert reported == expected | {"status": "SUCCESSFUL"} | is_call
    expected |= {"identity": sdk.identity, "reference": reference, "countryId": "SE"}
    for state in before:
        _check_date(state.pop("verificationTimestamp"), began)
        state.pop("callComplete", None)
        assert state == expected | {"status": "PENDING"}
    price = {"verificationPrice": {"currencyId": "EUR", "amount": way.amount}}
    for state in after:
        _check_date(state.pop("verificationTimestamp"), began)
        assert state == expected | {"status": "SUCCESSFUL", "price": price} | way.seen


def _check_date(text: str, began: float) -> None:
    """The SDK made a Date of it, whose JSON ends in Z; Sinch's text has no offset."""
    assert text.endswith("Z")
    assert -1 < datetime.fromisoformat(text).timestamp() - began < 60


@pytest.mark.parametrize("by_id", [True, False], ids=["by id", "by identity"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_verification_from_start_to_end(sdk: Sdk, way: Way, by_id: bool) -> None:
    await _walk(sdk, way, by_id=by_id)


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
        error = error_of(await Sdk(driver, running).start(SMS))

    assert is_refusal(error, 40102)


async def test_the_last_wrong_code(driver: Driver) -> None:
    async with simulator(wrong_tries=1) as running:
        for way, reason in ((SMS, "Invalid code"), (FLASH_CALL, "Invalid CLI"), (WHATSAPP, "Invalid code")):
            sdk = Sdk(driver, running)
            key = {"id": answer_of(await sdk.start(way))["id"]}
            failed = answer_of(await sdk.report(way, key, wrong(await sdk.code())))

            assert (failed["status"], failed["reason"]) == ("FAIL", reason)


async def test_options_of_a_text_message(sdk: Sdk) -> None:
    options = {"codeType": "Alpha", "expiry": "00:02:00", "locale": "sv-SE"}
    started = answer_of(await sdk.start(SMS, smsOptions=options))
    (message,) = await sdk.simulator.messages(sdk.number)

    template = "Din verifieringskod är {{CODE}}."
    assert started["sms"] == {"template": template, "interceptionTimeout": 120, "codeType": "Alpha"}
    assert message["code"].isalpha()
    assert message["text"] == template.replace("{{CODE}}", message["code"])


async def test_options_of_other_methods(sdk: Sdk) -> None:
    flash = answer_of(
        await sdk.start(FLASH_CALL, flashCallOptions={"dialTimeout": 17, "interceptionTimeout": 60})
    )
    whatsapp = answer_of(await sdk.start(WHATSAPP, whatsappOptions={"codeType": "Alphanumeric"}))
    await sdk.start(PHONE_CALL, phoneCallOptions={"speech": {"locale": "sv-SE"}})
    refused = await sdk.start(FLASH_CALL, flashCallOptions={"dialTimeout": 121})

    assert flash["flashCall"]["interceptionTimeout"] == 60
    assert whatsapp["whatsapp"] == {"codeType": "Alphanumeric"}
    assert (await sdk.simulator.messages(sdk.number))[0]["text"].startswith("Hej. ")
    assert is_refusal(error_of(refused), 40001)


async def test_what_is_unknown(sdk: Sdk) -> None:
    replies = [
        await sdk.call("getById", {"id": "x"}, "verificationStatus"),
        await sdk.call("getByReference", {"reference": "x"}, "verificationStatus"),
        await sdk.call("getByIdentity", {"endpoint": sdk.number, "method": "sms"}, "verificationStatus"),
        await sdk.report(SMS, {"id": "x"}, "1234"),
    ]

    assert all(is_refusal(error_of(reply), 40400) for reply in replies)


async def test_data_verification_needs_an_agreement(sdk: Sdk) -> None:
    for name in ("Data", "Seamless"):
        body = {f"start{name}VerificationRequestBody": {"identity": sdk.identity}}

        assert is_refusal(error_of(await sdk.call(f"start{name}", body)), 40300)


@pytest.mark.parametrize("name", ["Data", "Seamless"])
async def test_data_verification_by_agreement(driver: Driver, name: str) -> None:
    async with simulator(seamless=True) as running:
        sdk = Sdk(driver, running)
        body = {f"start{name}VerificationRequestBody": {"identity": sdk.identity}}
        started = answer_of(await sdk.call(f"start{name}", body))
        (await running.http.get(started["seamless"]["targetUri"])).raise_for_status()
        key = {"endpoint": sdk.number, "method": "seamless"}
        state = answer_of(await sdk.call("getByIdentity", key, "verificationStatus"))

    assert (started["method"], state["id"], state["status"]) == ("seamless", started["id"], "SUCCESSFUL")
