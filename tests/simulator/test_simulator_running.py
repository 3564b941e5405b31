"""The simulator as the service's tests have it: over real HTTP, its callback URL changed in between."""

from collections.abc import AsyncIterator

import event_receiver
import httpx
import pytest
from event_receiver import ALLOW, Receiver
from pydantic import SecretStr
from simulator_client import NUMBER

from otp_auth.settings import SinchSettings
from otp_auth.sinch.client import SinchVerificationClient, Started, Verdict
from otp_auth.sinch.schemas import VerificationMethod
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET, RunningSimulator, running_simulator

receiver = event_receiver.receiver

SMS = VerificationMethod.SMS


@pytest.fixture
async def running() -> AsyncIterator[RunningSimulator]:
    async with running_simulator(wrong_tries=1) as running:
        yield running


@pytest.fixture
async def sinch(running: RunningSimulator) -> AsyncIterator[SinchVerificationClient]:
    settings = SinchSettings(
        application_key=SecretStr(APPLICATION_KEY),
        application_secret=SecretStr(APPLICATION_SECRET),
        base_url=running.base_url,
    )
    async with httpx.AsyncClient(trust_env=False) as http:
        yield SinchVerificationClient(http, settings)


async def _start(sinch: SinchVerificationClient, reference: str) -> str:
    outcome = await sinch.start(method=SMS, number=NUMBER, reference=reference, locale="sv")
    assert isinstance(outcome, Started)
    return outcome.verification_id


async def test_the_url_counts_until_the_block_ends(
    running: RunningSimulator, sinch: SinchVerificationClient, receiver: Receiver
) -> None:
    receiver.decision = ALLOW | {"sms": {"code": "123456"}}
    before = await _start(sinch, "one")
    async with running.calling_back(receiver.url):
        during = await _start(sinch, "two")
        asked = await running.asked(to=NUMBER)
        delivered = await running.delivered(verification_id=during)
        aborted = await running.ended(verification_id=before)
        own = await running.code(NUMBER)
        verdict = await sinch.report(verification_id=during, method=SMS, code=own)
    told = len(await running.events())
    after = await _start(sinch, "three")

    assert (own, verdict) == ("123456", Verdict.RIGHT)
    assert (asked["answer"], asked["body"]["reference"]) == (receiver.decision, "two")
    assert (delivered["status"], delivered["body"]["smsResult"]) == (200, "Successful")
    assert aborted["body"]["status"] == "ABORTED"
    assert (await running.ended(verification_id=during))["body"]["status"] == "SUCCESSFUL"
    assert told == len(await running.events()) == 4
    assert await running.events(verification_id=after) == []


async def test_a_lost_answer_does_not_stop_the_delivery(
    running: RunningSimulator, sinch: SinchVerificationClient, receiver: Receiver
) -> None:
    async with running.calling_back(receiver.url), running.fault("start", "drop_after", times=1):
        await sinch.start(method=SMS, number=NUMBER, reference="one")

        assert (await running.delivered(to=NUMBER))["body"]["reference"] == "one"
        assert [message["status"] for message in await running.messages(NUMBER)] == ["delivered"]
