"""Phone changes beside each other, registrations and what ends their session: one owner, no 5xx."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
import test_refresh_in_parallel as in_parallel
from sqlalchemy import func, select
from test_codes_in_parallel import make_generous
from test_password_changes import NEW, change
from test_refresh_in_parallel import ROUNDS, Workers
from test_registrations_in_parallel import NO_LIMITS

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.ceremonies import proof
from support.service import Json, Service, new_number

workers = in_parallel.workers


async def begin(service: Service, tokens: Json, number: str) -> tuple[Json, str]:
    """Return Pending and the code that the new number was sent."""
    answer = await service.post("/me/phone", {"phone_number": number}, tokens["access_token"])
    assert answer.status_code == 202, answer.text
    return answer.json(), await service.simulator.code(number)


async def owners(service: Service, number: str) -> int:
    async with service.database.read() as tx:
        found = select(func.count()).select_from(User).where(User.phone_number == number)
        return await tx.scalar(found) or 0


def check(answers: Sequence[httpx.Response]) -> None:
    assert max(answer.status_code for answer in answers) < 500, [answer.text for answer in answers]


async def test_two_accounts_and_a_registration_want_one_number(new_service: NewService) -> None:
    """Each of them has proved it: the first one has it."""
    async with new_service(**NO_LIMITS) as service:
        make_generous(service)
        for _ in range(ROUNDS):
            wanted = new_number()
            ada, bob = [await service.register(new_number()) for _ in range(2)]
            claims = [
                await begin(service, ada, wanted),
                await begin(service, bob, wanted),
                (await service.start_registration(wanted), "000000"),
            ]

            answers = await asyncio.gather(*(service.verify(*claim) for claim in claims * 2))

            check(answers)
            assert sum(answer.is_success for answer in answers) == await owners(service, wanted) == 1
            assert any(
                answer.json()["code"] == "account_exists" for answer in answers if not answer.is_success
            )


async def test_two_want_the_number_of_the_other(workers: Workers) -> None:
    """PostgreSQL may see each wait for the other, and give one up: that one is tried again."""
    one, two = workers
    for _ in range(5):
        numbers = [new_number(), new_number()]
        ada, bob = [await one.register(number) for number in numbers]
        claims = [await begin(one, ada, numbers[1]), await begin(one, bob, numbers[0])]

        answers = await asyncio.gather(one.verify(*claims[0]), two.verify(*claims[1]))

        assert [answer.json()["code"] for answer in answers] == ["account_exists"] * 2
        assert [await owners(one, number) for number in numbers] == [1, 1]


async def test_beside_all_that_ends_its_session(workers: Workers) -> None:
    one, two = workers
    for number in range(ROUNDS):
        old, new = new_number(), new_number()
        tokens = await one.register(old)
        others = await two.log_in(old)
        login = await two.start_login(old, method="none")
        proved = await begin(one, tokens, new)
        ends = [
            lambda: change(two, others, NEW),  # noqa: B023 - called within the round
            lambda: two.post("/auth/logout", token=tokens["access_token"]),  # noqa: B023
            lambda: two.ask("DELETE", "/me", token=others["access_token"]),  # noqa: B023
            lambda: two.verify(login, tokens["recovery_codes"][0], method="recovery_code"),  # noqa: B023
        ]

        answers = await asyncio.gather(one.verify(*proved), ends[number % len(ends)]())

        check(answers)
        moved = answers[0].is_success
        assert await owners(one, new) == moved or answers[1].is_success
        assert await owners(one, old) <= (not moved)


async def test_one_code_moves_once(workers: Workers) -> None:
    one, two = workers
    tokens = await one.register(new_number())
    proved = await begin(one, tokens, new_number())

    answers = await asyncio.gather(*(each.verify(*proved) for each in (one, two) * 10))

    check(answers)
    assert sum(answer.is_success for answer in answers) == 1


async def test_without_its_locks_a_login_of_the_old_number_would_stay_open(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = workers
    old = new_number()
    tokens = await one.register(old)
    login = await one.start_login(old, method="none")
    proved = await begin(one, tokens, new_number())

    async def lock_nothing(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(proof, "lock_open", lock_nothing)
    assert (await one.verify(*proved)).is_success

    assert (await one.get("/auth/otp", login["pending_token"])).status_code == 200
