"""The shield as clients and operators meet it: what is answered, written down, and only watched."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from conftest import NewService
from otp_auth import metrics
from otp_auth.audit.models import AuditEvent
from support.service import PASSWORD, Json, Service, new_number, with_callbacks

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
WATCH = {"mode": "watch", "resend_gap": "0"}


def adjacent(count: int, prefix: str = "+4676123") -> list[str]:
    return [f"{prefix}4{which:03}" for which in range(count)]


async def deliveries(service: Service, numbers: Sequence[str]) -> list[str]:
    pendings = [await service.start_registration(number) for number in numbers]
    return [pending["challenge"]["delivery"] for pending in pendings]


async def refusals_written(service: Service) -> list[Json]:
    async with service.database.read() as tx:
        statement = select(AuditEvent).where(AuditEvent.name == "send_refused").order_by(AuditEvent.id)
        return [event.detail for event in await tx.scalars(statement)]


def counted(reason: str, mode: str = "refused") -> float:
    name = f'otp_auth_sends_refused_total{{mode="{mode}",reason="{reason}"}} '
    lines = metrics.exposition().decode().splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


BUDGETS = [
    ("number", {"per_number_hour": 2}, [new_number()] * 4),
    ("number", {"per_number_day": 2}, [new_number()] * 4),
    ("address", {"per_address_hour": 2}, [f"+4676{which}123456"[:12] for which in range(100, 104)]),
    ("block", {"per_block_hour": 2}, adjacent(4)),
    ("country_budget", {"per_country_hour": 2}, [f"+4676{which}12345"[:12] for which in range(100, 104)]),
    ("global", {"global_hour": 2}, ["+46761231234", "+447400123456", "+33612345678", "+4915123456789"]),
    ("cost", {"daily_cost": "0.25", "price": "0.10"}, adjacent(4)),
    ("block_conversion", {"breaker_minimum": 2}, adjacent(4)),
]


@pytest.mark.parametrize(("reason", "send", "numbers"), BUDGETS)
async def test_each_part_alone(
    new_service: NewService, reason: str, send: dict[str, Any], numbers: list[str]
) -> None:
    before = counted(reason)
    async with new_service(send={"resend_gap": "0", **send}) as service:
        seen = await deliveries(service, numbers)
        written = await refusals_written(service)

    assert seen == ["sent", "sent", "not_sent", "not_sent"]
    assert [detail["reasons"] for detail in written] == [[reason]] * 2
    assert counted(reason) == before + 2


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("country", {"phone_number": "+447400123456"}),
        ("number_type", {"phone_number": "+46812345678", "method": "sms"}),
        ("number_type", {"phone_number": "+469001234567"}),
    ],
)
async def test_a_refused_destination_is_told_too(
    new_service: NewService, reason: str, fields: dict[str, str]
) -> None:
    before = counted(reason)
    async with new_service(send={"countries": "SE"}) as service:
        answer = await service.post("/auth/register", {"password": PASSWORD, **fields})
        written = await refusals_written(service)

    assert (answer.status_code, answer.json()["code"]) == (422, "destination_refused")
    assert [detail["reasons"] for detail in written] == [[reason]]
    assert counted(reason) == before + 1


async def test_send_says_when_to_come_again(new_service: NewService) -> None:
    async with new_service(send={"resend_gap": "0", "per_number_hour": 1}) as service:
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(new_number())
            clock.shift(timedelta(seconds=100))
            answer = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_sends")
    assert answer.headers["Retry-After"] == "3500"


async def test_a_refused_start_tells_when_it_may(new_service: NewService) -> None:
    async with new_service(send={"resend_gap": "0", "per_number_hour": 1}) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.start_registration(number)
            clock.shift(timedelta(minutes=58))
            pending = await service.start_registration(number)
            shown = (await service.get("/auth/otp", pending["pending_token"])).json()
            clock.shift(timedelta(minutes=2))
            sent = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])

    for challenge in (pending["challenge"], shown["challenge"]):
        assert (challenge["delivery"], challenge["next_methods"]) == ("not_sent", [])
        assert challenge["resend_at"] == "2026-11-24T13:00:00.000Z"
    assert sent.status_code == 202


async def test_watching_refuses_nothing_and_says_everything(new_service: NewService) -> None:
    before = counted("number", "watched")
    async with new_service(send={**WATCH, "per_number_hour": 1, "countries": "SE"}) as service:
        number = new_number()
        seen = await deliveries(service, [number, number, "+447400123456", "+46812345678"])
        written = await refusals_written(service)

    assert seen == ["sent"] * 4
    assert [detail["reasons"] for detail in written] == [["number"], ["country"], ["number_type"]]
    assert all(detail["watched"] for detail in written)
    assert counted("number", "watched") == before + 1


async def test_the_breaker_closes_by_itself_and_spares_others(new_service: NewService) -> None:
    async with new_service(
        send={"resend_gap": "0", "breaker_minimum": 5, "per_address_hour": 100, "per_address_day": 100}
    ) as service:
        with time_machine.travel(START, tick=False) as clock:
            attacked = await deliveries(service, adjacent(8, "+4676125"))
            others = await deliveries(service, ["+447400123456", "+46731234567"])
            owner = new_number()
            async with with_callbacks(service):
                await service.register(owner)
                login = await service.start_login(owner)
            clock.shift(timedelta(minutes=66))
            later = await deliveries(service, adjacent(1, "+4676125"))

    assert attacked == ["sent"] * 5 + ["not_sent"] * 3
    assert others == ["sent"] * 2
    assert login["challenge"]["delivery"] in {"sent", "delivered"}
    assert later == ["sent"]


async def test_failed_and_lost_sends_count(new_service: NewService) -> None:
    async with new_service(
        send={"resend_gap": "0", "per_number_hour": 2}, challenge={"sends": 10}, sinch={"timeout": "1"}
    ) as service:
        number = new_number()
        async with service.simulator.fault("start", "status", 402):
            await service.start_registration(number)
        async with service.simulator.fault("start", "drop_before"):
            await service.start_registration(number)
        third = await service.start_registration(number)

    assert third["challenge"]["delivery"] == "not_sent"
    assert await service.simulator.starts(number) == 2


async def test_spellings_of_one_number_and_address_share_a_budget(new_service: NewService) -> None:
    async with new_service(
        send={"resend_gap": "0", "per_number_hour": 2, "per_address_hour": 3}, trusted_proxies="127.0.0.1/32"
    ) as service:
        spellings = ["+46767654321", "+46 76-765 43 21", "tel:+46(76)7654321", "\uff0b46767654321"]
        addresses = ["2001:db8::1", "2001:0DB8:0:0::2", "::ffff:192.0.2.7", "192.0.2.200"]
        seen = []
        for spelling, address in zip(spellings, addresses, strict=True):
            answer = await service.http.post(
                "/api/v1/auth/register",
                json={"phone_number": spelling, "password": "Quiet-Harbour-Lantern-58"},
                headers={"X-Forwarded-For": address},
            )
            seen.append(answer.json()["challenge"]["delivery"])
        reasons = [detail["reasons"] for detail in await refusals_written(service)]

    assert seen == ["sent", "sent", "not_sent", "not_sent"]
    assert reasons == [["number"], ["number"]]


async def test_nothing_written_down_holds_a_number_or_a_code(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service):
        await service.register(number)
        pending = await service.start_login(number)
        await service.verify(pending, "000000")
    async with service.database.read() as tx:
        details = [str(event.detail) for event in await tx.scalars(select(AuditEvent))]

    assert len(details) >= 3
    assert not any(character.isdigit() for detail in details for character in detail)
