"""One number, many registrations: one account, whatever the spelling and whoever is faster."""

import asyncio
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, select
from test_codes_in_parallel import make_generous, many

from conftest import NewService
from otp_auth.accounts.models import User
from support.service import PASSWORD, Service, new_number

NO_LIMITS: dict[str, Any] = {
    "send": {"resend_gap": "0", "per_number_hour": 100, "per_number_day": 100},
    "guesses": {"codes_5_minutes": 100},
}


def spellings(number: str) -> list[dict[str, str]]:
    national, digits = number.removeprefix("+46"), number.removeprefix("+")
    return [
        {"phone_number": number},
        {"phone_number": f"+46 {national[:2]} {national[2:5]} {national[5:]}"},
        {"phone_number": f"+46-{national}"},
        {"phone_number": f"+46 (0){national}"},
        {"phone_number": f"tel:{number}"},
        {"phone_number": f"0{national}", "region": "SE"},
        {"phone_number": f"0{national[:2]}-{national[2:]}", "region": "se"},
        {"phone_number": f"00{digits}", "region": "SE"},
        {"phone_number": "".join(chr(ord(character) + 0xFEE0) for character in number)},
        {"phone_number": f" {number} "},
    ]


async def accounts(service: Service) -> int:
    async with service.database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(User)) or 0


async def register_in_parallel(service: Service) -> list[int]:
    """Start ten registrations of one number at once, then prove all of them at once."""
    number = new_number()
    bodies = [{"password": PASSWORD, **spelling} for spelling in spellings(number)]
    started = await asyncio.gather(*(service.post("/auth/register", body) for body in bodies))
    assert [answer.status_code for answer in started] == [202] * len(bodies), started[3].text
    code = await service.simulator.code(number)
    proved = await many(len(bodies), lambda which: service.verify(started[which].json(), code))
    return [answer.status_code for answer in proved]


async def test_ten_registrations_in_ten_spellings_are_one_account(service: Service) -> None:
    statuses = await register_in_parallel(service)

    assert statuses.count(200) == await accounts(service) == 1
    assert set(statuses) <= {200, 400, 409, 410}


async def test_ten_proofs_at_once_are_one_account(new_service: NewService) -> None:
    async with new_service(**NO_LIMITS) as service:
        make_generous(service)

        statuses = await register_in_parallel(service)

        assert statuses.count(200) == await accounts(service) == 1
        assert statuses.count(409) > 1  # several proved the number; one was first


async def test_without_the_constraint_there_would_be_more(new_service: NewService) -> None:
    async with new_service(**NO_LIMITS) as service:
        make_generous(service)
        async with service.database.engine.begin() as connection:
            await connection.run_sync(_drop_the_constraint)

        await register_in_parallel(service)

        assert await accounts(service) > 1


def _drop_the_constraint(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("users") as users:
        users.drop_constraint("uq_users_phone_number", type_="unique")
