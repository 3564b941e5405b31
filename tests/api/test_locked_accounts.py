"""A locked account: its owner is out at once, and the login tells nobody why."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.audit.models import AuditEvent
from support.service import PASSWORD, Json, Service, new_number

WRONG = "Wrong-Lantern-99"
BY = {"by": "operator"}


async def register_and_lock(service: Service, **fields: Any) -> tuple[str, Json]:
    number = new_number()
    tokens = await service.register(number, **fields)
    assert await lock_account(service.database, UUID(tokens["user"]["id"]), BY)
    return number, tokens


async def log_in(service: Service, identifier: str, password: str = PASSWORD) -> Response:
    body = {"identifier": identifier, "password": password, "method": "none"}
    return await service.post("/auth/login", body)


def plain(answer: Response) -> tuple[int, Json]:
    body: Json = answer.json()
    body.pop("request_id")
    body.pop("retry_after", None)
    return answer.status_code, body


async def test_every_token_is_refused_at_once(service: Service) -> None:
    number = new_number()
    tokens = await service.register(number)
    pending = await service.start_login(number)
    code = await service.simulator.code(number)

    await lock_account(service.database, UUID(tokens["user"]["id"]), BY)

    answers = [
        await service.get("/me", tokens["access_token"]),
        await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]}),
        await service.verify(pending, code),
        await service.get("/auth/otp", pending["pending_token"]),
        await service.post("/auth/otp/send", {"method": "voice"}, pending["pending_token"]),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 410, 410, 410]


async def test_login_answers_like_a_wrong_password_with_the_same_work(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    verify = PasswordHasher._verify

    def note(self: PasswordHasher, password: str, stored: str | None) -> bool:
        compared.append(stored)
        return verify(self, password, stored)

    number, _ = await register_and_lock(service, email="ada@example.com")
    free = new_number()
    await service.register(free)
    monkeypatch.setattr(PasswordHasher, "_verify", note)

    locked = [plain(await log_in(service, name)) for name in (number, "ada@example.com")]
    wrong = plain(await log_in(service, free, WRONG))

    assert wrong[0] == 401
    assert locked == [wrong, wrong]
    assert len(compared) == 3
    assert None not in compared


async def test_its_budget_is_used_up_as_by_wrong_passwords(new_service: NewService) -> None:
    budgets = {"passwords_address_5_minutes": 3, "passwords_15_minutes": 3}
    async with new_service(guesses=budgets) as service:
        number, _ = await register_and_lock(service)
        free = new_number()
        await service.register(free)

        right = [(await log_in(service, number)).status_code for _ in range(5)]
        wrong = [(await log_in(service, free, WRONG)).status_code for _ in range(5)]

    assert right == wrong == [401, 401, 401, 429, 429]


async def test_after_an_unlock_its_owner_logs_in_and_nothing_old_comes_back(service: Service) -> None:
    number, tokens = await register_and_lock(service)
    user_id = UUID(tokens["user"]["id"])

    assert await unlock_account(service.database, user_id, BY)

    assert (await service.get("/me", tokens["access_token"])).status_code == 401
    pending = await service.start_login(number, method="none")
    answer = await service.verify(pending, tokens["recovery_codes"][0], method="recovery_code")
    assert (await service.get("/me", answer.json()["access_token"])).status_code == 200


async def test_it_is_written_down_once(service: Service) -> None:
    _, tokens = await register_and_lock(service)
    user_id = UUID(tokens["user"]["id"])

    again = await lock_account(service.database, user_id, BY)
    unlocked = [await unlock_account(service.database, user_id, BY) for _ in range(2)]

    assert (again, unlocked) == (False, [True, False])
    async with service.database.read() as tx:
        events = list(await tx.scalars(select(AuditEvent).where(AuditEvent.user_id == user_id)))
    counted = Counter(event.name for event in events)
    details = {event.name: event.detail for event in events}
    assert counted["account_locked"] == counted["account_unlocked"] == counted["session_revoked"] == 1
    assert details["account_locked"] == details["account_unlocked"] == BY
    assert details["session_revoked"] == {"reason": "account_locked", "by": "operator"}


async def test_others_are_left_alone(service: Service) -> None:
    stranger = await service.register(new_number())

    await register_and_lock(service)

    assert (await service.get("/me", stranger["access_token"])).status_code == 200
