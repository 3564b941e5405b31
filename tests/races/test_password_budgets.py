"""Wrong passwords: counted before the hash, for strangers and accounts alike, and not against the owner."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from httpx import Response
from sqlalchemy import select
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth import budgets
from otp_auth.accounts.known_networks import note_network
from otp_auth.accounts.models import User
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.budgets import Charge, Spending
from otp_auth.errors import OverloadedError
from otp_auth.hashing import HashingPool
from support.service import API, PASSWORD, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALLOWED = 10  # from one network in five minutes
WRONG = "Wrong-Lantern-99"
HERE, ELSEWHERE, HOME = "203.0.113.7", "198.51.100.7", "192.0.2.7"
BEHIND_A_PROXY = "127.0.0.1/32"


async def try_login(
    service: Service, identifier: str, password: str = WRONG, address: str = HERE, **fields: Any
) -> Response:
    """Log in from an address of the caller's own, as a trusted proxy tells it."""
    body = {"identifier": identifier, "password": password, "method": "none", **fields}
    headers = {"X-Forwarded-For": address}
    return await service.http.post(f"{API}/auth/login", json=body, headers=headers)


async def statuses(tries: int, service: Service, identifier: str, **more: Any) -> list[int]:
    return [(await try_login(service, identifier, **more)).status_code for _ in range(tries)]


def plain(answer: Response) -> tuple[int, dict[str, Any], str | None]:
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, body, answer.headers.get("Retry-After")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that reached the hasher."""
    seen: list[str] = []
    verify = PasswordHasher._verify

    def note(self: PasswordHasher, password: str, stored: str | None) -> bool:
        seen.append(password)
        return verify(self, password, stored)

    monkeypatch.setattr(PasswordHasher, "_verify", note)
    return seen


async def test_a_spent_budget_looks_at_no_password_and_opens_again(
    new_service: NewService, looked_at: list[str]
) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY) as service:
        number = new_number()
        await service.register(number)
        with time_machine.travel(START, tick=False) as clock:
            before = await statuses(ALLOWED, service, number)
            refused = await try_login(service, number, PASSWORD)
            hashed = len(looked_at)
            elsewhere = await try_login(service, number, PASSWORD, ELSEWHERE)
            clock.shift(timedelta(minutes=5))
            later = await try_login(service, number, PASSWORD)

    assert before == [401] * ALLOWED
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "300"
    assert refused.json()["code"] == "too_many_attempts"
    assert refused.json()["detail"].startswith("There were too many wrong passwords.")
    assert hashed == ALLOWED
    assert (elsewhere.status_code, later.status_code) == (200, 200)


async def test_every_spelling_and_every_address_of_a_network_is_one(new_service: NewService) -> None:
    async with new_service(
        trusted_proxies=BEHIND_A_PROXY, guesses={"passwords_address_5_minutes": 3}
    ) as service:
        number = new_number()
        answers = [
            await try_login(service, number),
            await try_login(service, f"+46 {number[3:5]}-{number[5:]}", address="203.0.113.200"),
            await try_login(service, f"0{number[3:]}", region="SE", address="::ffff:203.0.113.9"),
            await try_login(service, f" {number}"),
            await try_login(service, "Ada@Example.com"),
            await try_login(service, "ada@example.COM "),
            await try_login(service, "ADA@example.com"),
            await try_login(service, "ada@example.com"),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429] * 2


async def test_known_and_unknown_are_refused_alike(new_service: NewService) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY) as service:
        number = new_number()
        await service.register(number, email="ada@example.com")
        identifiers = [number, new_number(), "ada@example.com", "nobody@example.com", "no name at all"]
        with time_machine.travel(START, tick=False):
            seen = [
                [plain(await try_login(service, identifier)) for _ in range(15)] for identifier in identifiers
            ]

    assert [status for status, _, _ in seen[0]] == [401] * ALLOWED + [429] * 5
    assert all(answers == seen[0] for answers in seen)


async def test_known_and_unknown_are_refused_alike_over_all_networks(new_service: NewService) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY, guesses={"passwords_15_minutes": 12}) as service:
        number = new_number()
        await service.register(number)
        with time_machine.travel(START, tick=False):
            seen = [
                [
                    plain(await try_login(service, identifier, address=f"203.0.{which}.7"))
                    for which in range(15)
                ]
                for identifier in (number, new_number(), "nobody@example.com")
            ]

    assert [status for status, _, _ in seen[0]] == [401] * 12 + [429] * 3
    assert {retry for _, _, retry in seen[0]} == {None, "900"}
    assert all(answers == seen[0] for answers in seen)


async def test_its_owner_gets_in_from_a_known_network_and_from_any_within_15_minutes(
    new_service: NewService,
) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY, guesses={"passwords_15_minutes": 5}) as service:
        number = new_number()
        await service.register(number)
        with time_machine.travel(START, tick=False) as clock:
            await remember(service, number, "192.0.2.0/24")
            strangers = [
                (await try_login(service, number, address=f"203.0.{which}.7")).status_code
                for which in range(8)
            ]
            at_home = await try_login(service, number, PASSWORD, HOME)
            travelling = await try_login(service, number, PASSWORD, ELSEWHERE)
            clock.shift(timedelta(minutes=15))
            later = await try_login(service, number, PASSWORD, ELSEWHERE)

    assert strangers == [401] * 5 + [429] * 3
    assert [each.status_code for each in (at_home, travelling, later)] == [200, 429, 200]


async def test_a_known_network_has_its_own_budget_all_the_same(new_service: NewService) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY, guesses={"passwords_15_minutes": 5}) as service:
        number = new_number()
        await service.register(number)
        await remember(service, number, "192.0.2.0/24", datetime.now(UTC))

        at_home = await statuses(12, service, number, address=HOME)
        elsewhere = await statuses(6, service, number, address=ELSEWHERE)

    assert at_home == [401] * ALLOWED + [429] * 2
    assert elsewhere == [401] * 5 + [429]


async def test_the_network_of_one_account_is_nothing_to_another(new_service: NewService) -> None:
    async with new_service(trusted_proxies=BEHIND_A_PROXY, guesses={"passwords_15_minutes": 2}) as service:
        ada, bob = new_number(), new_number()
        await service.register(ada)
        await service.register(bob)
        await remember(service, ada, "192.0.2.0/24", datetime.now(UTC))

        assert await statuses(4, service, ada, address=HOME) == [401] * 4
        assert await statuses(4, service, bob, address=HOME) == [401, 401, 429, 429]


async def test_right_passwords_cost_nothing(new_service: NewService) -> None:
    async with new_service(guesses={"passwords_address_5_minutes": 2, "passwords_15_minutes": 2}) as service:
        number = new_number()
        await service.register(number)

        assert await statuses(1, service, number) == [401]
        assert await statuses(4, service, number, password=PASSWORD) == [200] * 4
        assert await statuses(2, service, number) == [401, 429]


async def test_a_password_that_nobody_looked_at_costs_nothing(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object) -> None:
        raise OverloadedError

    async with new_service(guesses={"passwords_address_5_minutes": 2}) as service:
        number = new_number()
        await service.register(number)
        with monkeypatch.context() as patch:
            patch.setattr(HashingPool, "run", overloaded)
            busy = await statuses(4, service, number)
        after = await statuses(1, service, number, password=PASSWORD)

    assert (busy, after) == ([503] * 4, [200])


async def test_passwords_and_codes_are_counted_apart(new_service: NewService) -> None:
    async with new_service(guesses={"passwords_address_5_minutes": 2, "codes_5_minutes": 2}) as service:
        number = new_number()
        await service.register(number)
        pending = await service.start_login(number)
        code = await service.simulator.code(number)

        passwords = await statuses(3, service, number)
        codes = [(await service.verify(pending, wrong(code))).status_code for _ in range(3)]

    assert (passwords, codes) == ([401, 401, 429], [400, 400, 429])


async def test_a_restart_gives_no_new_tries(new_service: NewService) -> None:
    number = new_number()
    async with new_service() as service:
        before = await statuses(ALLOWED - 1, service, number)
    async with new_service() as service:
        after = await statuses(2, service, number)

    assert (set(before), after) == ({401}, [401, 429])


async def test_rows_hold_no_identifier(service: Service) -> None:
    number = new_number()
    for identifier in (number, "grace@example.com", "x" * 254):
        await try_login(service, identifier)

    async with service.database.read() as tx:
        keys = list(await tx.scalars(select(Spending.key)))
    assert len(keys) == 9  # two of passwords and one of the audit trail for each
    assert all(len(key) <= 100 for key in keys)
    assert not any(number[1:] in key or "grace" in key for key in keys)


async def test_of_parallel_wrong_passwords_no_more_are_looked_at(
    service: Service, looked_at: list[str]
) -> None:
    number = new_number()
    await service.register(number)

    answers = await many(40, lambda _: try_login(service, number))

    assert len(looked_at) == ALLOWED
    assert [answer.status_code for answer in answers].count(401) == ALLOWED
    assert {answer.status_code for answer in answers} == {401, 429}


async def test_without_the_condition_more_would_be(
    service: Service, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_whatever(_: object, charges: list[Charge], __: object) -> dict[tuple[str, int], int]:
        return {(each.key, each.budget.seconds): 1 for each in charges}

    monkeypatch.setattr(budgets, "_take", take_whatever)
    number = new_number()

    await many(40, lambda _: try_login(service, number))

    assert len(looked_at) > ALLOWED


async def remember(service: Service, number: str, network: str, now: datetime = START) -> None:
    async with service.database.write() as tx:
        user_id = await tx.scalar(select(User.id).where(User.phone_number == number))
        assert user_id is not None
        await note_network(tx, user_id, network, now)
