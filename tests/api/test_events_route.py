"""GET /me/events: what an account may read of itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from api_surface import code_of

from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail
from support.service import Json, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def page_of(service: Service, tokens: Json, cursor: str | None = None) -> Json:
    query = f"?cursor={cursor}" if cursor else ""
    answer = await service.get(f"/me/events{query}", tokens["access_token"])
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


async def test_the_newest_comes_first_and_says_when_where_and_how(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        tokens = await service.register(number)
        clock.shift(timedelta(minutes=2))
        pending = await service.start_login(number)
        clock.shift(timedelta(seconds=1))
        await service.verify(pending, wrong(await service.simulator.code(number)))
        page = await page_of(service, tokens)

    assert page["next_cursor"] is None
    failed, sent, created = page["items"]
    assert UUID(failed.pop("id")).version == 7
    assert failed == {
        "name": "second_factor_failed",
        "at": "2026-11-24T12:02:01.000Z",
        "session_id": None,
        "address": "127.0.0.•••",
        "detail": {"method": "sms", "purpose": "login", "reason": "wrong_code", "repeated": False},
    }
    assert sent["name"] == "code_sent"
    assert sent["detail"] == {"country": "SE", "method": "sms", "purpose": "login"}
    assert (created["name"], created["session_id"]) == ("account_created", tokens["session_id"])


async def test_of_others_and_for_the_operator_nothing_is_shown(service: Service) -> None:
    mine, other = await service.register(new_number()), await service.register(new_number())
    audit = AuditTrail(service.database)
    await audit.record_alone(EventName.ACCOUNT_DELETED, user_id=UUID(mine["user"]["id"]))
    await audit.record_alone(EventName.PASSWORD_CHANGED, user_id=UUID(other["user"]["id"]))
    await audit.record_alone(EventName.SEND_REFUSED)

    page = await page_of(service, mine)

    assert [item["name"] for item in page["items"]] == ["account_created"]


async def test_long_trails_come_in_pages(service: Service) -> None:
    tokens = await service.register(new_number())
    audit = AuditTrail(service.database)
    with time_machine.travel(START + timedelta(days=400), tick=False) as clock:
        for _ in range(99):
            await audit.record_alone(EventName.LOGOUT, user_id=UUID(tokens["user"]["id"]))
            clock.shift(timedelta(milliseconds=1))

    first = await page_of(service, tokens)
    second = await page_of(service, tokens, first["next_cursor"])

    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (50, 50, None)
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == sorted(set(ids), reverse=True)
    assert second["items"][-1]["name"] == "account_created"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "AZCzxF1uf4CaGyw9Tl9gcQ%3D%3D"])
async def test_a_cursor_of_ones_own_making_is_refused(service: Service, cursor: str) -> None:
    tokens = await service.register(new_number())

    answer = await service.get(f"/me/events?cursor={cursor}", tokens["access_token"])

    assert (answer.status_code, code_of(answer)) == (422, "validation_failed")
