"""An account with something in every table that can hold something of it, and how to find its traces."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from otp_auth.accounts.models import PasswordReset
from otp_auth.challenges.guesses import charge_reset_guess
from otp_auth.database import Base, Database
from otp_auth.settings import GuessSettings
from support.authenticator import add_app
from support.devices import let_in, trust_another
from support.service import Json, Service, new_number, wrong


@dataclass(frozen=True)
class WholeAccount:
    """Somebody who has used everything there is."""

    number: str
    email: str
    tokens: Json  # of the session that asks
    others: Json  # of another session
    pendings: list[Json]

    @property
    def user_id(self) -> UUID:
        return UUID(self.tokens["user"]["id"])

    @property
    def token(self) -> str:
        token: str = self.tokens["access_token"]
        return token

    @property
    def names(self) -> list[str]:
        """What would lead to this person."""
        sessions = [self.tokens["session_id"], self.others["session_id"]]
        challenges = [pending["challenge"]["id"] for pending in self.pendings if pending["challenge"]]
        return [str(self.user_id), self.number.removeprefix("+"), self.email, *sessions, *challenges]


async def use_everything(service: Service) -> WholeAccount:
    """Register and leave a trace wherever one can be left. Wants `send=WIDE` and `trusted_devices=ON`."""
    number = new_number()
    email = f"{number[1:]}@example.com"
    abandoned = await service.start_registration(number, email=email)
    await service.register(number, email=email, display_name="Ada", locale="sv-SE")
    tokens = await service.log_in(number)
    await add_app(service, tokens)
    others = await trust_another(service, number, "Ada's phone")
    await let_in(service, others)
    login = await service.start_login(number)
    await service.verify(login, wrong(await service.simulator.code(number)))
    await service.verify(login, "AAAA-BBBB", method="recovery_code")
    step_up = await service.start_step_up(tokens)
    body = {"refresh_token": others["refresh_token"]}
    others = (await service.post("/auth/token/refresh", body)).json()
    await _try_a_wrong_password(service, tokens["access_token"])
    account = WholeAccount(number, email, tokens, others, [login, step_up])
    await _expire(service, abandoned)
    await _add_what_no_route_makes(service.database, account.user_id)
    return account


async def _expire(service: Service, pending: Json) -> None:
    """End a registration that came to nothing: what was filled in is still there."""
    challenges = Base.metadata.tables["challenges"]
    over = {"expires_at": datetime.now(UTC) - timedelta(minutes=1)}
    async with service.database.write() as tx:
        await tx.execute(
            challenges.update().where(challenges.c.id == UUID(pending["challenge"]["id"])).values(over)
        )


async def _try_a_wrong_password(service: Service, token: str) -> None:
    body = {"current_password": "not the one", "new_password": "Amber-Meadow-Compass-31"}
    assert (await service.post("/me/password", body, token)).status_code == 400


async def _add_what_no_route_makes(database: Database, user_id: UUID) -> None:
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    reset = PasswordReset(
        user_id=user_id,
        token_digest=user_id.hex * 2,
        password_version=1,
        created_at=now,
        expires_at=later,
        held_until=later,
        password_hash="x",
    )
    async with database.write() as tx:
        tx.add(reset)
        await charge_reset_guess(tx, user_id, GuessSettings())


async def rows_of(database: Database, table: Table) -> list[dict[str, Any]]:
    async with database.read() as tx:
        return [dict(row) for row in (await tx.execute(select(table))).mappings()]


async def traces(database: Database, names: list[str]) -> dict[str, int]:
    """In which columns one of these names stands, and in how many rows: of all tables there are."""
    found: dict[str, int] = {}
    for table in Base.metadata.sorted_tables:
        for row in await rows_of(database, table):
            for column, value in row.items():
                text = json.dumps(value, default=str, ensure_ascii=False)
                if any(name in text for name in names):
                    place = f"{table.name}.{column}"
                    found[place] = found.get(place, 0) + 1
    return found
