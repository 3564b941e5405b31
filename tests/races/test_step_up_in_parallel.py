"""Step-ups and new recovery codes in parallel, each race also with its guard taken out."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from test_codes_in_parallel import PARALLEL, make_generous, many, verify_in_parallel

from conftest import NewService
from otp_auth.accounts import recovery
from otp_auth.accounts.models import User
from otp_auth.ceremonies import proof
from otp_auth.challenges.models import Challenge
from otp_auth.factors.recovery_codes import (
    RecoveryCodeRepository,
    use_recovery_code,
    void_recovery_codes,
)
from support.service import Json, Service, new_number

RENEWALS = 30
ROUNDS = 10
# One number gets many messages.
WIDE = {f"per_{whose}_{time}": 1000 for whose in ("number", "account") for time in ("hour", "day")}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE | {"resend_gap": "0"}) as running:
        make_generous(running)  # Sinch says yes each time: whether a code counts once is up to us alone
        yield running


class TestProofs:
    async def elevations(self, service: Service) -> int:
        """Return how often one right code elevates."""
        number = new_number()
        pending = await service.start_step_up(await service.register(number))
        statuses = await verify_in_parallel(service, pending, await service.simulator.code(number))
        assert len(statuses) == PARALLEL
        assert set(statuses) <= {200, 400, 410}
        return statuses.count(200)

    async def test_fifty_right_codes_elevate_once(self, service: Service) -> None:
        assert await self.elevations(service) == 1

    async def test_without_the_condition_on_spending_it_would_be_more(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def spend_whatever_it_is(tx: AsyncSession, challenge_id: UUID, *_: object) -> Challenge | None:
            return await tx.get(Challenge, challenge_id)

        monkeypatch.setattr(proof, "spend", spend_whatever_it_is)

        assert await self.elevations(service) > 1


async def renew(service: Service, tokens: Json) -> list[str]:
    answer = await service.post("/me/recovery-codes", token=tokens["access_token"])
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["recovery_codes"]
    return codes


async def unused(service: Service, tokens: Json) -> int:
    return await RecoveryCodeRepository(service.database).count_unused(UUID(tokens["user"]["id"]))


async def sets_that_work(service: Service, tokens: Json, sets: list[list[str]]) -> int:
    """Ask below the routes: a code that is void would cost a guess."""
    codes, user_id = RecoveryCodeRepository(service.database), UUID(tokens["user"]["id"])
    return sum([all([await codes.is_unused(user_id, code) for code in each]) for each in sets])


async def is_locked(service: Service, user_id: UUID) -> bool:
    """Whether another transaction holds the account."""
    account = select(User.id).where(User.id == user_id)
    try:
        async with service.database.write() as tx:
            await tx.execute(account.with_for_update(key_share=True, nowait=True))
    except DBAPIError:
        return True
    return False


class TestRenewals:
    async def test_thirty_leave_one_set(self, service: Service) -> None:
        tokens = await service.register(new_number())

        sets = await many(RENEWALS, lambda _: renew(service, tokens))

        assert await unused(service, tokens) == 10
        assert await sets_that_work(service, tokens, sets) == 1

    async def test_a_login_by_an_old_code_is_in_time_or_refused(self, service: Service) -> None:
        for _ in range(ROUNDS):
            number = new_number()
            tokens = await service.register(number)
            logins = [await service.start_login(number, method="none") for _ in range(4)]

            async def use(which: int, tokens: Json = tokens, logins: list[Json] = logins) -> int:
                if which == len(logins):
                    await renew(service, tokens)
                    return 200
                code = tokens["recovery_codes"][which]
                return (await service.verify(logins[which], code, method="recovery_code")).status_code

            statuses = await many(len(logins) + 1, use)

            # 503 would be two transactions that wait for each other.
            assert set(statuses) <= {200, 400}
            assert await unused(service, tokens) == 10


class TestTheLock:
    @pytest.fixture
    def database_url(self, postgres_database: str) -> str:
        """SQLite has one writer at a time in any case."""
        return postgres_database

    async def test_an_account_is_locked_before_its_codes(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other way round a login and a renewal would wait for each other, now and then."""
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_login(number, method="none")
        was_locked = []

        async def use(tx: AsyncSession, user_id: UUID, code: str) -> bool:
            was_locked.append(await is_locked(service, user_id))
            return await use_recovery_code(tx, user_id, code)

        async def void(tx: AsyncSession, user_id: UUID) -> None:
            was_locked.append(await is_locked(service, user_id))
            await void_recovery_codes(tx, user_id)

        monkeypatch.setattr(proof, "use_recovery_code", use)
        monkeypatch.setattr(recovery, "void_recovery_codes", void)
        await service.verify(pending, tokens["recovery_codes"][0], method="recovery_code")
        await renew(service, tokens)

        assert not await is_locked(service, UUID(tokens["user"]["id"]))
        assert was_locked == [True, True]

    async def test_without_it_several_sets_would_stay(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def lock_nothing(*_: object) -> None:
            pass

        monkeypatch.setattr(recovery, "lock_owner", lock_nothing)
        tokens = await service.register(new_number())

        await many(RENEWALS, lambda _: renew(service, tokens))

        assert await unused(service, tokens) > 10
