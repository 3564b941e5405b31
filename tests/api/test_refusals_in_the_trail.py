"""Refusals in the audit trail: the owner reads of them, and a stranger neither fills it nor learns of it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from conftest import NewService
from otp_auth import budgets
from otp_auth.accounts.lock import lock_account
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.audit.trail import REFUSALS_KEPT, AuditTrail
from otp_auth.budgets import Charge
from support.service import PASSWORD, Json, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOST = REFUSALS_KEPT.limit


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    wide = {"passwords_address_5_minutes": 1000, "passwords_15_minutes": 1000}
    async with new_service(guesses=wide) as running:
        yield running


async def _try_login(service: Service, identifier: str) -> int:
    answer = await service.post("/auth/login", {"identifier": identifier, "password": "another one"})
    return answer.status_code


async def _failed(service: Service) -> Sequence[AuditEvent]:
    named = AuditEvent.name == EventName.LOGIN_FAILED.value
    async with service.database.read() as tx:
        return (await tx.scalars(select(AuditEvent).where(named).order_by(AuditEvent.id))).all()


@contextmanager
def _statements(service: Service) -> Iterator[list[str]]:
    """The beginnings of all statements until the block ends: how many rows one has is left out."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(" ".join(statement.split()[:3]))

    engine = service.database.engine.sync_engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", note)


async def test_of_a_name_without_account_nothing_stays(service: Service) -> None:
    assert await _try_login(service, new_number()) == 401

    assert await _failed(service) == []


async def test_a_wrong_password_is_the_same_work_with_and_without_account(service: Service) -> None:
    known, unknown = new_number(), new_number()
    await service.register(known)
    for identifier in (known, unknown):  # whatever is prepared once
        await _try_login(service, identifier)

    with _statements(service) as of_known:
        await _try_login(service, known)
    with _statements(service) as of_unknown:
        await _try_login(service, unknown)

    assert Counter(of_known) == Counter(of_unknown)
    assert any("audit_events" in statement for statement in of_unknown)


async def test_a_stranger_cannot_fill_the_trail(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        tokens = await service.register(number)
        for _ in range(MOST + 3):
            await _try_login(service, number)
        within_the_hour = await _failed(service)
        clock.shift(REFUSALS_KEPT.window)
        await _try_login(service, number)

    assert len(within_the_hour) == MOST
    assert Counter(each.detail["repeated"] for each in within_the_hour) == {False: 1, True: MOST - 1}
    assert {str(each.user_id) for each in within_the_hour} == {tokens["user"]["id"]}
    assert len(await _failed(service)) == MOST + 1


async def test_without_the_budget_it_could(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take_whatever(_: object, charges: list[Charge], __: object) -> dict[tuple[str, int], int]:
        return {(each.key, each.budget.seconds): 1 for each in charges}

    number = new_number()
    await service.register(number)
    monkeypatch.setattr(budgets, "_take", take_whatever)
    for _ in range(MOST + 3):
        await _try_login(service, number)

    assert len(await _failed(service)) == MOST + 3


async def test_each_reason_has_its_own_rows(service: Service) -> None:
    number = new_number()
    user_id = UUID((await service.register(number))["user"]["id"])
    await _try_login(service, number)
    await lock_account(service.database, user_id, {"by": "operator"})
    answer = await service.post("/auth/login", {"identifier": number, "password": PASSWORD})

    assert answer.status_code == 401
    reasons = [each.detail for each in await _failed(service)]
    assert reasons == [
        {"reason": "wrong_password", "repeated": False},
        {"reason": "account_locked", "repeated": False},
    ]


async def test_a_spent_budget_of_passwords_is_told(new_service: NewService) -> None:
    async with new_service(guesses={"passwords_address_5_minutes": 1}) as service:
        number = new_number()
        await service.register(number)
        answers = [await _try_login(service, number) for _ in range(2)]

        assert answers == [401, 429]
        assert [each.detail["reason"] for each in await _failed(service)] == [
            "wrong_password",
            "too_many_attempts",
        ]


async def test_a_wrong_present_password_is_told_with_its_session(service: Service) -> None:
    tokens = await service.register(new_number())
    body = {"current_password": "another one", "new_password": "Amber-Meadow-Compass-31"}

    answer = await service.post("/me/password", body, tokens["access_token"])

    assert answer.status_code == 400
    [failed] = await _failed(service)
    assert str(failed.session_id) == tokens["session_id"]
    assert failed.detail == {"reason": "wrong_password", "purpose": "password_change", "repeated": False}


async def test_a_spent_guess_budget_is_told(new_service: NewService) -> None:
    async with new_service(guesses={"codes_5_minutes": 1}, send={"resend_gap": "0"}) as service:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_login(number)
        code = wrong(await service.simulator.code(number))
        answers = [await service.verify(pending, code) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [400, 429]
        items: list[Json] = (await service.get("/me/events", tokens["access_token"])).json()["items"]
        failed = [each["detail"]["reason"] for each in items if each["name"] == "second_factor_failed"]
        assert failed == ["too_many_attempts", "wrong_code"]


async def test_refused_sends_of_strangers_are_counted_by_network(service: Service) -> None:
    audit = AuditTrail(service.database)
    for network in ("203.0.113.0/24", "198.51.100.0/24"):
        for _ in range(MOST + 1):
            await audit.record_refusal(EventName.SEND_REFUSED, network=network, detail={"reasons": ["block"]})

    async with service.database.read() as tx:
        found = (await tx.scalars(select(AuditEvent.network))).all()
    assert Counter(found) == {"203.0.113.0/24": MOST, "198.51.100.0/24": MOST}


async def test_an_account_that_is_gone_by_then_is_no_error(service: Service) -> None:
    audit = AuditTrail(service.database)

    await audit.record_refusal(EventName.SEND_REFUSED, user_id=uuid4(), detail={"reason": "x"})
    await audit.record_failed_login("x", uuid4(), None, {"reason": "x"})

    assert await _failed(service) == []


async def test_a_login_says_whether_its_network_is_new(new_service: NewService) -> None:
    async with new_service(send={"resend_gap": "0"}) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.register(number)
            await service.log_in(number)
            clock.shift(timedelta(days=91))
            tokens = await service.log_in(number)
            items: list[Json] = (await service.get("/me/events", tokens["access_token"])).json()["items"]

    logins = [each["detail"]["new_network"] for each in items if each["name"] == "login_succeeded"]
    assert logins == [True, False]
