"""Sends and logins of one account at once: no deadlock, no refusal that the contract doesn't know."""

import asyncio
from uuid import UUID

import pytest
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth.challenges import repository, sends
from otp_auth.challenges.models import Challenge
from support.service import Service, new_number

NO_COOL_DOWN = {"resend_gap": "0"}


async def test_overlapping_logins_are_all_answered(new_service: NewService) -> None:
    async with new_service(send=NO_COOL_DOWN) as service:
        for _ in range(4):
            number = new_number()
            await service.register(number)

            logins = await many(8, lambda _, number=number: service.start_login(number))  # type: ignore[misc]

            alive = [
                login
                for login in logins
                if (await service.get("/auth/otp", login["pending_token"])).status_code == 200
            ]
            assert 1 <= len(alive) <= len(logins)


async def test_a_failing_send_and_others_wait_for_each_other_in_one_order(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every send fails, and each transaction dawdles between its rows: a second order would deadlock."""
    record = sends._record

    async def dawdling(*arguments: object) -> object:
        recorded = await record(*arguments)  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        return recorded

    monkeypatch.setattr(sends, "_record", dawdling)
    async with new_service(send=NO_COOL_DOWN, challenge={"sends": 10}) as service:
        number = new_number()
        pending = await service.start_registration(number)
        async with service.simulator.fault("start", "status", 402):
            answers = await many(
                6, lambda _: service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
            )

        assert {answer.status_code for answer in answers} <= {202, 429}


async def test_a_login_that_is_overtaken_while_sinch_answers_is_no_refusal(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = new_number()
    await service.register(number)
    sinch, start = service.app.state.sinch, service.app.state.sinch.start

    async def close_everything_first(**asked: object) -> object:
        outcome = await start(**asked)
        async with service.database.write() as tx:
            await repository.close(tx, Challenge.id != UUID(int=0))
        return outcome

    monkeypatch.setattr(sinch, "start", close_everything_first)
    pending = await service.start_login(number)

    assert pending["status"] == "otp_required"
    assert (await service.get("/auth/otp", pending["pending_token"])).status_code == 410
