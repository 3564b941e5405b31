"""The service's own Sinch client against the simulator."""

from collections.abc import AsyncIterator
from typing import Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from simulator_client import CODE, KEY, NUMBER, SECRET, WRONG, new_simulator

from otp_auth.settings import SinchSettings
from otp_auth.sinch.client import NotFound, Refused, SinchVerificationClient, Started, Unavailable, Verdict
from otp_auth.sinch.schemas import VerificationMethod, VerificationState

SMS, CALLOUT = VerificationMethod.SMS, VerificationMethod.CALLOUT
Authentication = Literal["signed", "basic"]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    host = FastAPI()
    host.mount("/sandbox", new_simulator())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=host)) as client:
        yield client


def _sinch(http: httpx.AsyncClient, authentication: Authentication = "signed") -> SinchVerificationClient:
    settings = SinchSettings(
        application_key=SecretStr(KEY),
        application_secret=SecretStr(SECRET),
        base_url="http://sinch.test/sandbox",
        authentication=authentication,
    )
    return SinchVerificationClient(http, settings)


@pytest.mark.parametrize("authentication", ["signed", "basic"])
@pytest.mark.parametrize("method", [SMS, CALLOUT])
async def test_start_wrong_right_status(
    http: httpx.AsyncClient, authentication: Authentication, method: VerificationMethod
) -> None:
    sinch = _sinch(http, authentication)

    started = await sinch.start(method=method, number=NUMBER, reference="login-7f3a", locale="sv")
    assert isinstance(started, Started)
    wrong = await sinch.report(verification_id=started.verification_id, method=method, code=WRONG)
    right = await sinch.report(verification_id=started.verification_id, method=method, code=CODE)
    state = await sinch.status_by_reference("login-7f3a")

    assert (wrong, right) == (Verdict.WRONG, Verdict.RIGHT)
    assert isinstance(state, VerificationState)
    assert (state.id, state.status, state.method) == (started.verification_id, "SUCCESSFUL", method)


async def test_refusals_are_read(http: httpx.AsyncClient) -> None:
    sinch = _sinch(http)

    assert await sinch.start(method=SMS, number="+4813", reference="one") == Refused("40001")
    assert await sinch.status_by_reference("unknown") == NotFound()
    assert await sinch.report(verification_id="unknown", method=SMS, code=CODE) is Verdict.WRONG


async def test_after_a_garbled_answer_the_reference_tells(http: httpx.AsyncClient) -> None:
    sinch = _sinch(http)
    await http.put("http://sinch.test/sandbox/faults", json={"on": "start", "kind": "garbage", "times": 1})

    outcome = await sinch.start(method=SMS, number=NUMBER, reference="one")
    state = await sinch.status_by_reference("one")

    assert outcome == Unavailable(reached=True)
    assert isinstance(state, VerificationState)
    assert state.status == "PENDING"
