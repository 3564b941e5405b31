"""Codes of an app and recovery codes in parallel, each race also with its guard taken out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from test_codes_in_parallel import PARALLEL, many, rows

from conftest import NewService
from otp_auth.accounts import authenticator_app
from otp_auth.accounts.models import User
from otp_auth.accounts.repository import lock_owner
from otp_auth.factors import authenticators
from otp_auth.factors.models import TotpAuthenticator
from otp_auth.sessions.models import Session
from support.authenticator import STEP, App, add_app, enrol
from support.scale import FULL
from support.service import Json, Service, new_number

ROUNDS = 30 if FULL else 10
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # the beginning of a step
WIDE = {f"codes_{window}": 100_000 for window in ("5_minutes", "hour", "day", "30_days")}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    policies = {"guesses": WIDE | {"consecutive": 100}, "challenge": {"attempts": 5}}
    async with new_service(**policies, sessions={"per_account": 100}) as running:
        yield running


class Logins:
    """Many logins that wait at once; whoever is let in begins another one."""

    def __init__(self, service: Service, number: str) -> None:
        self.service, self.number = service, number
        self.waiting: list[Json] = []
        self.tries = 0

    async def race(self, code: str, method: str) -> list[int]:
        """Try one code at all of them in parallel, as often as tries are left."""
        if self.tries == 0:
            self.waiting = [await self._begin() for _ in range(PARALLEL)]
            self.tries = 5
        self.tries -= 1
        answers = await many(
            PARALLEL, lambda which: self.service.verify(self.waiting[which], code, method=method)
        )
        for which, answer in enumerate(answers):
            if answer.is_success:
                self.waiting[which] = await self._begin()
        return [answer.status_code for answer in answers]

    async def _begin(self) -> Json:
        return await self.service.start_login(self.number, method="none")


class TestLogins:
    async def begin(self, service: Service) -> tuple[App, Logins]:
        number = new_number()
        return await add_app(service, await service.register(number)), Logins(service, number)

    async def test_one_code_lets_in_once(self, service: Service) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            app, logins = await self.begin(service)
            for round_number in range(ROUNDS):
                if round_number % 5 == 0:
                    clock.move_to(NOON + round_number * STEP)
                    logins.tries = 0  # the ones before have been waiting for too long
                clock.shift(STEP)
                statuses = await logins.race(app.code(), "totp")

                assert statuses.count(200) == 1
                assert set(statuses) == {200, 400}

    async def test_without_the_condition_on_the_step_it_would_more_often(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(authenticators, "_is_unused", lambda _step: true())
        with time_machine.travel(NOON, tick=False):
            app, logins = await self.begin(service)

            assert (await logins.race(app.code(), "totp")).count(200) > 1

    async def test_routes_share_a_step(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(NOON, tick=False) as clock:
            tokens = await service.register(number)
            app = await add_app(service, tokens)
            for _ in range(10):
                clock.shift(STEP)
                pending = [
                    await service.start_login(number, method="none"),
                    await service.start_step_up(tokens, method="none"),
                ] * 5

                async def try_at(which: int, pending: list[Json] = pending) -> int:
                    return (await service.verify(pending[which], app.code(), method="totp")).status_code

                assert (await many(len(pending), try_at)).count(200) == 1


class TestRecoveryCodes:
    async def test_one_code_lets_in_once(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        logins, codes = Logins(service, number), tokens["recovery_codes"]
        for _ in range(ROUNDS):
            if len(codes) < 2:  # without an unused one the method would not be offered
                renewed = await service.post("/me/recovery-codes", token=tokens["access_token"])
                codes = renewed.json()["recovery_codes"]
            statuses = await logins.race(codes.pop(), "recovery_code")

            assert statuses.count(200) == 1
            assert set(statuses) == {200, 400}


class TestConfirmations:
    async def confirm(self, service: Service, tokens: Json, app: App) -> list[int]:
        body, token = {"code": app.code()}, tokens["access_token"]
        answers = await many(PARALLEL, lambda _: service.post("/me/factors/totp/confirm", body, token))
        return [answer.status_code for answer in answers]

    async def test_one_of_fifty_confirms(self, service: Service) -> None:
        tokens = await service.register(new_number())

        statuses = await self.confirm(service, tokens, await enrol(service, tokens))

        assert statuses.count(200) == 1
        assert set(statuses) == {200, 409}

    async def test_an_enrolment_and_a_confirmation_are_never_mixed(self, service: Service) -> None:
        """What was replaced isn't confirmed, and what was confirmed isn't replaced."""
        for _ in range(10):
            number = new_number()
            tokens = await service.register(number)
            old = await enrol(service, tokens)
            body, token = {"code": old.code()}, tokens["access_token"]

            async def act(which: int, body: Json = body, token: str = token) -> tuple[int, str]:
                path = "/me/factors/totp/confirm" if which else "/me/factors/totp"
                answer = await service.post(path, body if which else None, token)
                return answer.status_code, answer.json().get("secret", "")

            [(enrolled, secret), (confirmed, _)] = await many(2, act)

            assert (enrolled, confirmed) in {(201, 409), (201, 400), (409, 200)}
            pending = await service.start_login(number, method="none")
            app = App(secret) if enrolled == 201 else old
            answer = await service.verify(pending, app.code(1), method="totp")
            assert answer.status_code == (200 if confirmed == 200 else 422)


class TestRemovals:
    async def outcomes(self, service: Service) -> list[int]:
        """Remove an app while it is used, preferred and enrolled anew."""
        number = new_number()
        tokens = await service.register(number)
        app = await add_app(service, tokens)
        pending = await service.start_login(number, method="none")
        token, patch = tokens["access_token"], {"preferred_method": "totp"}
        requests = (
            service.ask("DELETE", "/me/factors/totp", token=token),
            service.ask("PATCH", "/me", patch, token),
            service.verify(pending, app.code(), method="totp"),
        )
        answers = await asyncio.gather(*requests)
        return [answer.status_code for answer in answers]

    async def test_nobody_prefers_what_is_gone_and_nobody_waits_for_another(self, service: Service) -> None:
        for _ in range(10):
            statuses = await self.outcomes(service)
            assert statuses[0] == 204
            assert set(statuses) <= {204, 200, 409, 400, 422}
        async with service.database.read() as tx:
            users = (await tx.scalars(select(User.preferred_method))).all()
        assert set(users) == {"sms"}
        assert await rows(service, TotpAuthenticator) == 0

    async def test_a_session_that_ended_meanwhile_changes_nothing(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The token was good when it was read; the account is locked only after that."""
        tokens = await service.register(new_number())
        app = await enrol(service, tokens)

        async def log_out_first(tx: AsyncSession, user_id: UUID, session_id: UUID) -> object:
            await tx.execute(update(Session).values(ended_at=datetime.now(UTC)))
            return await lock_owner(tx, user_id, session_id)

        monkeypatch.setattr(authenticator_app, "lock_owner", log_out_first)
        token = tokens["access_token"]
        answers = [
            await service.post("/me/factors/totp", token=token),
            await service.post("/me/factors/totp/confirm", {"code": app.code()}, token),
            await service.ask("DELETE", "/me/factors/totp", token=token),
        ]

        assert [answer.status_code for answer in answers] == [401] * 3
        assert await rows(service, TotpAuthenticator) == 1
