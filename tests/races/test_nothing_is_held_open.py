"""While Sinch answers, no transaction and no connection is held: a slow Sinch can't empty the pool."""

import asyncio
from typing import Any

from sqlalchemy.pool import QueuePool

from otp_auth.sinch.client import SinchVerificationClient, StartOutcome, Verdict
from support.service import PASSWORD, Service, new_number


class SlowSinch(SinchVerificationClient):
    """Answers when it is told to."""

    asked: asyncio.Event
    may_answer: asyncio.Event

    async def start(self, **asked: Any) -> StartOutcome:
        await self._wait()
        return await super().start(**asked)

    async def report(self, **asked: Any) -> Verdict:
        await self._wait()
        return await super().report(**asked)

    async def _wait(self) -> None:
        self.asked.set()
        await self.may_answer.wait()


def slow_down(service: Service) -> SlowSinch:
    sinch = service.app.state.sinch
    sinch.__class__ = SlowSinch
    sinch.asked, sinch.may_answer = asyncio.Event(), asyncio.Event()
    slow: SlowSinch = sinch
    return slow


def connections_in_use(service: Service) -> int:
    pool = service.database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_during_a_start(service: Service) -> None:
    sinch, number = slow_down(service), new_number()
    body = {"phone_number": number, "password": PASSWORD}
    request = asyncio.create_task(service.post("/auth/register", body))

    await sinch.asked.wait()
    in_use = connections_in_use(service)
    others = await service.http.get("/health/ready")
    sinch.may_answer.set()

    assert (in_use, others.status_code, (await request).status_code) == (0, 200, 202)


async def test_during_a_report(service: Service) -> None:
    number = new_number()
    pending = await service.start_registration(number)
    code, sinch = await service.simulator.code(number), slow_down(service)
    request = asyncio.create_task(service.verify(pending, code))

    await sinch.asked.wait()
    in_use = connections_in_use(service)
    shown = await service.get("/auth/otp", pending["pending_token"])
    sinch.may_answer.set()

    assert in_use == 0
    assert shown.json()["challenge"]["attempts_left"] == 2  # charged before Sinch was asked
    assert (await request).status_code == 200


async def test_a_client_that_hangs_up_leaves_no_connection_behind(service: Service) -> None:
    sinch = slow_down(service)
    body = {"phone_number": new_number(), "password": PASSWORD}
    request = asyncio.create_task(service.post("/auth/register", body))
    await sinch.asked.wait()

    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert connections_in_use(service) == 0
