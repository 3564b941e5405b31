"""Trusted devices used in parallel: one living chain, no more of them than allowed, theft beside use."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from httpx import Response
from sqlalchemy import func, select, update
from test_account_locks import lock_out
from test_codes_in_parallel import many
from test_password_changes import NEW, change, do_nothing
from test_refresh_in_parallel import Workers, assert_dead

from conftest import NewService
from otp_auth.accounts import password_change
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import AuditEvent
from otp_auth.ceremonies.device_login import log_in_by_device
from otp_auth.sessions import trusted_devices
from otp_auth.sessions.clients import Client
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.opening import OpenedSession, Owner
from otp_auth.sessions.trusted_devices import live_of, trust_device
from otp_auth.tokens.device_tokens import ShownDeviceToken
from support.devices import ON, WIDE, is_asked_for_a_code, let_in, register_trusted, show
from support.service import Json, Service

PARALLEL = 20
ROUNDS = 10
MANY = dict.fromkeys(("passwords_address_5_minutes", "passwords_15_minutes"), 1000)
SETTINGS: dict[str, Any] = {"send": WIDE, "trusted_devices": ON, "guesses": MANY}


@pytest_asyncio.fixture
async def workers(new_service: NewService) -> AsyncIterator[Workers]:
    """Two applications on one database, as two workers are. A busy machine doesn't use up their grace."""
    long_grace = {"tokens": {"refresh_grace": 60}}
    async with new_service(**SETTINGS, **long_grace) as one, new_service(**SETTINGS, **long_grace) as other:
        yield one, other


@pytest_asyncio.fixture
async def strict(new_service: NewService) -> AsyncIterator[Workers]:
    """The same without a grace: whatever was spent is stolen."""
    no_grace = {"tokens": {"refresh_grace": 0}}
    async with new_service(**SETTINGS, **no_grace) as one, new_service(**SETTINGS, **no_grace) as other:
        yield one, other


async def show_in_parallel(workers: Workers, tokens: Json) -> list[Response]:
    return await many(PARALLEL, lambda number: show(workers[number % 2], tokens))


async def written(service: Service, name: str) -> int:
    async with service.database.read() as tx:
        found = select(func.count()).select_from(AuditEvent).where(AuditEvent.name == name)
        return await tx.scalar(found) or 0


def is_in(answer: Response) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["status"] == "authenticated")


class TestOneToken:
    async def test_parallel_logins_get_one_successor(self, workers: Workers) -> None:
        tokens = await register_trusted(workers[0])

        answers = await show_in_parallel(workers, tokens)

        assert all(map(is_in, answers))
        assert len({answer.json()["device_token"] for answer in answers}) == 1
        assert len({answer.json()["session_id"] for answer in answers}) == PARALLEL

    async def test_each_answer_used_once_more_leaves_one_chain(self, workers: Workers) -> None:
        tokens = await register_trusted(workers[0])
        answers = await show_in_parallel(workers, tokens)

        again = await many(PARALLEL, lambda number: let_in(workers[number % 2], answers[number].json()))

        assert len({answer["device_token"] for answer in again}) == 1
        await let_in(workers[1], again[0])
        assert await written(workers[0], "device_theft") == 0

    async def test_without_the_condition_there_would_be_more(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = await register_trusted(workers[0])
        monkeypatch.setattr(trusted_devices, "_spend", _spend_again)

        answers = await show_in_parallel(workers, tokens)

        assert len({answer.json()["device_token"] for answer in answers}) > 1

    async def test_without_grace_one_is_let_in_and_the_others_end_it(self, strict: Workers) -> None:
        one, other = strict
        tokens = await register_trusted(one)

        answers = await show_in_parallel(strict, tokens)

        [first] = [answer.json() for answer in answers if is_in(answer)]
        assert await written(one, "device_theft") == 1
        await assert_dead(other, first)
        assert await is_asked_for_a_code(other, first)


def _spend_again(_owner: Owner, shown: ShownDeviceToken, changes: dict[str, Any], _now: datetime) -> Any:
    """As in `trusted_devices`, but for whoever comes."""
    of_device = update(TrustedDevice).where(TrustedDevice.id == shown.device_id)
    return of_device.values(changes).returning(TrustedDevice.name)


class TestTheft:
    async def test_beside_a_right_use_nothing_of_a_password_alone_is_left(self, strict: Workers) -> None:
        one, other = strict
        for round_ in range(1, ROUNDS + 1):
            tokens = await register_trusted(one)
            newest = await let_in(one, tokens)

            stolen, right = await asyncio.gather(
                show(other, tokens), show(one, tokens, newest["device_token"])
            )

            assert not is_in(stolen)
            assert await written(one, "device_theft") == round_
            await assert_dead(other, newest)
            if is_in(right):
                await assert_dead(other, right.json())
                assert await is_asked_for_a_code(one, right.json())
            assert await is_asked_for_a_code(other, tokens, newest["device_token"])

    async def test_many_copies_at_once_are_one_theft(self, strict: Workers) -> None:
        one, _ = strict
        tokens = await register_trusted(one)
        await let_in(one, tokens)

        answers = await show_in_parallel(strict, tokens)

        assert not any(map(is_in, answers))
        assert await written(one, "device_theft") == 1

    async def test_without_the_end_of_sessions_a_thief_would_stay(
        self, strict: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = strict
        tokens = await register_trusted(one)
        by_device = await let_in(one, tokens)
        monkeypatch.setattr(trusted_devices, "end_sessions", do_nothing)

        assert await is_asked_for_a_code(other, tokens)

        assert (await one.get("/me", by_device["access_token"])).status_code == 200


class TestWhatEndsDevices:
    async def test_beside_a_change_of_the_password_nothing_works_afterwards(self, workers: Workers) -> None:
        one, other = workers
        for _ in range(ROUNDS):
            tokens = await register_trusted(one)

            changed, shown = await asyncio.gather(change(one, tokens), show(other, tokens))

            assert changed.status_code == 204
            if shown.is_success and is_in(shown):
                await assert_dead(one, shown.json())
                tokens = shown.json()
            again = await show(one, tokens, password=NEW)
            assert not is_in(again)

    async def test_beside_a_lock_nothing_works_afterwards(self, workers: Workers) -> None:
        one, other = workers
        for _ in range(ROUNDS):
            tokens = await register_trusted(one)

            locked, shown = await asyncio.gather(lock_out(one, tokens), show(other, tokens))

            assert locked
            if shown.is_success and is_in(shown):
                await assert_dead(one, shown.json())
            assert (await show(other, tokens)).status_code == 401

    async def test_beside_its_revocation_it_is_dead_afterwards(self, workers: Workers) -> None:
        one, other = workers
        for _ in range(ROUNDS):
            tokens = await register_trusted(one)
            listed = await one.get("/me/devices", tokens["access_token"])
            path = f"/me/devices/{listed.json()['items'][0]['id']}"

            ended, shown = await asyncio.gather(
                one.ask("DELETE", path, token=tokens["access_token"]), show(other, tokens)
            )

            assert ended.status_code == 204
            newest = shown.json() if is_in(shown) else tokens
            assert await is_asked_for_a_code(one, newest, newest["device_token"], tokens["device_token"])

    async def test_a_password_that_changes_after_it_was_compared_lets_nobody_in(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = workers
        tokens = await register_trusted(one)

        async def come_late(*arguments: Any) -> Any:
            assert (await change(other, tokens)).status_code == 204
            return await log_in_by_device(*arguments)

        monkeypatch.setattr("otp_auth.api.login.log_in_by_device", come_late)
        monkeypatch.setattr(password_change, "end_devices", do_nothing)  # the versions alone are enough

        assert not is_in(await show(one, tokens))

    async def test_nor_with_a_device_of_the_new_password(
        self, workers: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = workers
        tokens = await register_trusted(one)

        async def come_late(*arguments: Any) -> Any:
            assert (await change(other, tokens)).status_code == 204
            async with other.database.write() as tx:
                await tx.execute(update(TrustedDevice).values(ended_at=None, password_version=2))
            return await log_in_by_device(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr("otp_auth.api.login.log_in_by_device", come_late)
            assert not is_in(await show(one, tokens))

        assert is_in(await show(one, tokens, password=NEW))


class TestNumberOfDevices:
    async def trust(self, service: Service, tokens: Json, opened: OpenedSession) -> None:
        user_id = UUID(tokens["user"]["id"])
        async with service.database.write() as tx:
            user = await lock_user(tx, user_id)
            assert user is not None
            owner, client = Owner(user.id, user.password_version), Client(None, "x")
            await trust_device(tx, owner, opened, client, service.app.state.device_trust)

    async def test_no_more_than_are_allowed(self, workers: Workers) -> None:
        tokens = await register_trusted(workers[0])
        user_id = UUID(tokens["user"]["id"])
        async with workers[0].database.read() as tx:
            session = await tx.get_one(Session, UUID(tokens["session_id"]))
        opened = OpenedSession(session, "")

        await many(PARALLEL, lambda number: self.trust(workers[number % 2], tokens, opened))

        async with workers[0].database.read() as tx:
            live = live_of(Owner(user_id, 1), datetime.now(UTC))
            found = await tx.scalar(select(func.count()).select_from(TrustedDevice).where(*live))
        assert found == 5
        assert await written(workers[0], "device_revoked") == PARALLEL + 1 - 5
