"""When Sinch fails: bounded time, an honest `delivery`, one message at most; recovery codes still get in."""

import asyncio

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from conftest import NewService
from otp_auth.database import POOL_SIZE
from support.service import Service, new_number, with_callbacks

QUICK = {"timeout": "1", "connect_timeout": "1"}  # so that the tests don't wait for the real eight seconds


@pytest.mark.parametrize(
    ("kind", "value", "delivery", "messages"),
    [
        ("delay", 3, "unknown", 0),  # it will be sent after we have stopped waiting
        ("status", 500, "failed", 0),
        ("status", 503, "failed", 0),
        ("status", 402, "failed", 0),
        ("status", 403, "failed", 0),
        ("status", 429, "failed", 0),
        ("drop_before", None, "unknown", 0),
        ("drop_after", None, "sent", 1),
        ("garbage", None, "sent", 1),
    ],
)
async def test_a_start(
    new_service: NewService, kind: str, value: float | None, delivery: str, messages: int
) -> None:
    async with new_service(sinch=QUICK) as service:
        number = new_number()
        async with service.simulator.fault("start", kind, value):
            pending = await service.start_registration(number)
            again = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
            found = len(await service.simulator.messages(number))

        assert pending["challenge"]["delivery"] == delivery
        assert found == messages
        # What may have been sent isn't repeated; what surely wasn't may be asked for again.
        away = value in {500, 503}
        expected = 429 if delivery in {"unknown", "sent"} else 503 if away else 202
        assert again.status_code == expected, again.text


@pytest.mark.parametrize("status", [500, 503])
async def test_send_says_that_the_provider_is_away(new_service: NewService, status: int) -> None:
    async with new_service(send={"resend_gap": "0"}) as service:
        pending = await service.start_registration(new_number())
        async with service.simulator.fault("start", "status", status):
            answer = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])

    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def allow_everything(scope: Scope, _receive: Receive, send: Send) -> None:
    """A receiver of callbacks that leaves the codes to Sinch."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await JSONResponse({"action": "allow"})(scope, _receive, send)


async def test_a_start_that_took_too_long_still_proves(new_service: NewService) -> None:
    async with new_service(sinch=QUICK) as service:
        number = new_number()
        async with (
            with_callbacks(service, allow_everything),
            service.simulator.fault("start", "delay", 1.5),
        ):
            pending = await service.start_registration(number)
            await service.simulator.delivered(to=number)
        proved = await service.prove(pending, number)

    assert pending["challenge"]["delivery"] == "unknown"
    assert proved["status"] == "authenticated"
    assert await service.simulator.starts(number) == 1


async def test_after_some_failures_sinch_is_left_alone(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with new_service(sinch={"breaker_failures": 3, "base_url": "http://127.0.0.1:9"}) as service:
        tried: list[object] = []
        request = service.app.state.sinch._connection._http.request

        async def note(*arguments: object, **options: object) -> object:
            tried.append(arguments)
            return await request(*arguments, **options)

        monkeypatch.setattr(service.app.state.sinch._connection._http, "request", note)
        deliveries = [
            (await service.start_registration(new_number()))["challenge"]["delivery"] for _ in range(8)
        ]

    assert deliveries == ["failed"] * 3 + ["not_sent"] * 5
    assert len(tried) == 3


async def test_while_sinch_is_left_alone_no_try_is_lost(new_service: NewService) -> None:
    async with new_service(sinch={"breaker_failures": 1}) as service:
        sinchs, ours = new_number(), new_number()
        of_sinch = await service.start_registration(sinchs)
        async with with_callbacks(service):
            of_ours = await service.start_registration(ours)
        async with service.simulator.fault("start", "drop_before"):
            await service.start_registration(new_number())
        refused = await service.verify(of_sinch, await service.simulator.code(sinchs))
        shown = (await service.get("/auth/otp", of_sinch["pending_token"])).json()["challenge"]
        proved = await service.prove(of_ours, ours)

    assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
    assert shown["attempts_left"] == 3
    assert proved["status"] == "authenticated"


async def test_a_login_by_recovery_code_needs_no_sinch(service: Service) -> None:
    number = new_number()
    codes = (await service.register(number))["recovery_codes"]
    async with (
        service.simulator.fault("start", "status", 503),
        service.simulator.fault("report", "status", 503),
    ):
        pending = await service.start_login(number)
        answer = await service.verify(pending, codes[0], method="recovery_code")

    assert answer.status_code == 200


async def test_no_transaction_is_open_meanwhile(new_service: NewService) -> None:
    """More starts wait for Sinch than the pool has connections, and others are served."""
    starts = POOL_SIZE + 5
    async with new_service(sinch={"timeout": "12"}) as service, service.simulator.fault("start", "delay", 8):
        before = (await service.simulator.http.get("/stats")).json()["starts"]
        waiting = [asyncio.create_task(service.start_registration(new_number())) for _ in range(starts)]
        while (await service.simulator.http.get("/stats")).json()["starts"] < before + starts:
            assert not any(task.done() for task in waiting)
        answer = await service.http.get("/health/ready")
        deliveries = [pending["challenge"]["delivery"] for pending in await asyncio.gather(*waiting)]

    assert answer.status_code == 200
    assert deliveries == ["sent"] * starts
