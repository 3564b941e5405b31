"""Codes tried in parallel, each race also with its guard taken out to see that the test can fail."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conftest import NewService
from otp_auth.ceremonies import proof
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.database import Base
from otp_auth.factors import recovery_codes
from otp_auth.factors.models import RecoveryCode
from otp_auth.sessions.models import RefreshToken, Session
from otp_auth.sinch.client import SinchVerificationClient, Verdict
from support.service import Json, Service, new_number, wrong

T = TypeVar("T")
ATTEMPTS = 3
PARALLEL = 50


async def rows(service: Service, table: type[Base]) -> int:
    async with service.database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(table)) or 0


async def many(times: int, act: Callable[[int], Coroutine[Any, Any, T]]) -> list[T]:
    return await asyncio.gather(*(act(number) for number in range(times)))


async def verify_in_parallel(service: Service, pending: Json, code: str) -> list[int]:
    answers = await many(PARALLEL, lambda _: service.verify(pending, code))
    return [answer.status_code for answer in answers]


class GenerousSinch(SinchVerificationClient):
    """A Sinch that says SUCCESSFUL each time it is asked: whether a code counts once is up to us alone."""

    async def report(self, **asked: Any) -> Verdict:
        await super().report(**asked)
        return Verdict.RIGHT


def make_generous(service: Service) -> None:
    service.app.state.sinch.__class__ = GenerousSinch


class TestRightCodes:
    async def test_fifty_right_codes_are_one_session(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)

        statuses = await verify_in_parallel(service, pending, await service.simulator.code(number))

        assert statuses.count(200) == 1
        assert set(statuses) <= {200, 400, 410}
        assert await rows(service, Session) == await rows(service, RefreshToken) == 1

    async def test_once_is_once_even_for_a_sinch_that_says_yes_again(self, service: Service) -> None:
        make_generous(service)
        number = new_number()
        pending = await service.start_registration(number)

        statuses = await verify_in_parallel(service, pending, await service.simulator.code(number))

        assert statuses.count(200) == 1
        assert await rows(service, Session) == 1

    async def test_without_the_condition_on_spending_it_would_be_more(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = new_number()
        await service.register(number)
        make_generous(service)
        pending = await service.start_login(number)
        monkeypatch.setattr(proof, "spend", _spend_whatever_it_is)

        statuses = await verify_in_parallel(service, pending, await service.simulator.code(number))

        assert statuses.count(200) > 1


async def _spend_whatever_it_is(tx: AsyncSession, challenge_id: UUID, *_: object) -> Challenge | None:
    return await tx.get(Challenge, challenge_id)


class TestWrongCodes:
    async def test_fifty_wrong_codes_reach_sinch_as_often_as_allowed(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)

        statuses = await verify_in_parallel(service, pending, wrong(await service.simulator.code(number)))

        assert await service.simulator.reports(number) == ATTEMPTS
        assert sorted(statuses) == [400] * ATTEMPTS + [410] * (PARALLEL - ATTEMPTS)

    async def test_a_limit_that_is_looked_at_first_would_be_passed(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ChallengeRepository, "take_attempt", _look_and_then_count)
        number = new_number()
        pending = await service.start_registration(number)

        await verify_in_parallel(service, pending, wrong(await service.simulator.code(number)))

        assert await service.simulator.reports(number) > ATTEMPTS


async def _look_and_then_count(self: ChallengeRepository, challenge_id: UUID, *_: object) -> Challenge | None:
    challenge = await self.find_open(challenge_id)
    if challenge is None:
        return None
    one_less = max(0, challenge.attempts_left - 1)
    async with self._database.write() as tx:
        await tx.execute(update(Challenge).where(Challenge.id == challenge_id).values(attempts_left=one_less))
    return challenge


class TestRecoveryCodes:
    async def log_in_with_one_code_many_times(self, service: Service) -> int:
        """Return how often a single recovery code got somebody in, over many logins at once."""
        number = new_number()
        code = (await service.register(number))["recovery_codes"][0]
        logins = await many(10, lambda _: service.start_login(number, method="none"))

        answers = await many(10, lambda number: service.verify(logins[number], code, method="recovery_code"))

        return [answer.status_code for answer in answers].count(200)

    async def test_a_recovery_code_counts_once(self, service: Service) -> None:
        assert await self.log_in_with_one_code_many_times(service) == 1

    async def test_without_the_condition_it_would_count_again(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recovery_codes, "_unused", lambda user_id: (RecoveryCode.user_id == user_id,))

        assert await self.log_in_with_one_code_many_times(service) > 1


class TestResends:
    async def test_ten_resends_at_once_are_one_message(self, new_service: NewService) -> None:
        async with new_service(challenge={"sends": 10}) as service:
            number = new_number()
            await service.register(number)
            pending = await service.start_login(number, method="none")

            answers = await many(
                10, lambda _: service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
            )

            assert sorted(answer.status_code for answer in answers) == [202] + [429] * 9
            assert len(await service.simulator.messages(number)) == 2
