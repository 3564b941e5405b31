"""Whoever holds the phone number and nothing else (a stolen or swapped SIM) does not get in by any path.

The owner has a session and 24 hours to say no. Whoever has one more factor is the owner, and in at once.
"""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from api_surface import code_of

from conftest import NewService
from otp_auth.api import dependencies
from support.authenticator import App, add_app
from support.resets import NEW_PASSWORD, allowed, cancel, reset
from support.service import PASSWORD, Json, Service, new_number

HOLD = timedelta(days=1)
GUESS = "Copper-Violin-Thicket-77"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "PAD", 0)


class Thief:
    """Reads every message to one number, and knows nothing else. Collects all tokens that came of it."""

    def __init__(self, service: Service, number: str) -> None:
        self.service = service
        self.number = number
        self.tokens: list[str] = []
        self.statuses: list[str] = []

    async def try_everything(self) -> None:
        await self.register()
        for password in (GUESS, NEW_PASSWORD):
            await self.log_in(password)
        granted = await self.reset()
        for password in (NEW_PASSWORD, PASSWORD[:-1]):
            await self.log_in(password)
        await self.reset_again(granted)
        for token in list(self.tokens):
            await self.use(token)

    async def register(self) -> None:
        """The number is taken: proving it opens nothing."""
        body = {"phone_number": self.number, "password": GUESS}
        await self.prove(await self.service.post("/auth/register", body))

    async def log_in(self, password: str) -> None:
        for method in (None, "none"):
            body = {"identifier": self.number, "password": password} | ({"method": method} if method else {})
            await self.prove(await self.service.post("/auth/login", body))

    async def reset(self) -> Json:
        granted = await allowed(self.service, self.number)
        self.tokens.append(granted["reset_token"])
        self.note(await reset(self.service, granted))
        return granted

    async def reset_again(self, granted: Json) -> None:
        """Once more, with made-up proofs, and on a second token."""
        for proof in (
            {},
            {"method": "totp", "code": "000000"},
            {"method": "recovery_code", "code": "A" * 24},
        ):
            self.note(await reset(self.service, granted, GUESS, **proof))
        newer = await allowed(self.service, self.number)
        self.tokens.append(newer["reset_token"])
        for proof in ({"method": "totp", "code": "000000"}, {"method": "recovery_code", "code": "A" * 24}):
            self.note(await reset(self.service, newer, GUESS, **proof))

    async def prove(self, answer: httpx.Response) -> None:
        self.note(answer)
        if answer.is_success and "pending_token" in answer.json():
            pending = answer.json()
            self.tokens.append(pending["pending_token"])
            code = await self.service.simulator.code(self.number)
            self.note(await self.service.verify(pending, code))

    async def use(self, token: str) -> None:
        """Show it wherever an account could be seen or changed."""
        for method, path, body in (
            ("GET", "/me", None),
            ("POST", "/auth/step-up", {}),
            ("POST", "/me/phone", {"phone_number": new_number()}),
            ("POST", "/me/recovery-codes", {}),
            ("POST", "/me/factors/totp", None),
            ("DELETE", "/me/factors/totp", None),
            ("POST", "/me/password", {"current_password": GUESS, "new_password": NEW_PASSWORD}),
            ("POST", "/auth/token/refresh", {"refresh_token": token}),
            ("GET", "/me/export", None),
            ("DELETE", "/me", None),
        ):
            answer = await self.service.ask(method, path, body, token)
            assert answer.status_code == 401, (method, path, answer.text)

    def note(self, answer: httpx.Response) -> None:
        text = answer.text
        assert "access_token" not in text
        assert "refresh_token" not in text
        self.statuses.append(answer.json().get("status", "") if answer.content else "set")


class TestTheThief:
    @pytest.mark.parametrize("with_app", [False, True])
    async def test_is_not_in_within_the_hold_by_any_path(self, service: Service, with_app: bool) -> None:
        number = new_number()
        tokens = await service.register(number)
        if with_app:
            await add_app(service, tokens)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            thief = Thief(service, number)
            for _ in range(3):
                await thief.try_everything()
                clock.shift(timedelta(hours=5))

        assert ("held" in thief.statuses) is not with_app
        assert not {"authenticated", "elevated", "phone_changed", "set"} & set(thief.statuses)
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=False):
            me = (await service.get("/me", tokens["access_token"])).json()
        assert me["phone_number"] == number

    async def test_is_not_in_after_the_hold_if_the_owner_cancelled(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            thief = Thief(service, number)
            await thief.try_everything()
            assert (await cancel(service, tokens)).status_code == 204
            clock.shift(HOLD)
            await thief.log_in(NEW_PASSWORD)
            await thief.log_in(GUESS)

        assert "authenticated" not in thief.statuses

    async def test_with_an_app_no_wait_helps(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        await add_app(service, tokens)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            thief = Thief(service, number)
            await thief.try_everything()
            clock.shift(30 * HOLD)
            await thief.log_in(NEW_PASSWORD)

        assert "held" not in thief.statuses

    async def test_an_app_that_is_confirmed_meanwhile_closes_the_door(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            thief = Thief(service, number)
            await thief.reset()
            await add_app(service, tokens)
            clock.shift(HOLD)
            await thief.log_in(NEW_PASSWORD)

        assert thief.statuses[0] == "held"
        assert "otp_required" not in thief.statuses

    async def test_if_nobody_cancels_the_hold_ends(self, service: Service) -> None:
        """The price of a lost password without a second factor: it must work in the end."""
        number = new_number()
        tokens = await service.register(number)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            assert (await reset(service, await allowed(service, number))).status_code == 202
            clock.shift(HOLD - timedelta(seconds=1))
            body = {"identifier": number, "password": NEW_PASSWORD}
            early = await service.post("/auth/login", body)
            clock.shift(1)
            pending = (await service.post("/auth/login", body)).json()
            entered = await service.prove(pending, number)

        assert code_of(early) == "invalid_credentials"
        assert entered["status"] == "authenticated"
        assert entered["user"]["id"] == tokens["user"]["id"]


class TestTheOwner:
    @pytest.mark.parametrize("method", ["totp", "recovery_code"])
    async def test_with_another_factor_is_in_at_once_and_alone(self, service: Service, method: str) -> None:
        number = new_number()
        tokens = await service.register(number)
        app: App = await add_app(service, tokens)
        granted = await allowed(service, number)
        code = app.code() if method == "totp" else tokens["recovery_codes"][0]

        assert (await reset(service, granted, method=method, code=code)).status_code == 204
        login = (await service.post("/auth/login", {"identifier": number, "password": NEW_PASSWORD})).json()
        entered = await service.prove(login, number)

        assert entered["status"] == "authenticated"
        assert (await service.get("/me", tokens["access_token"])).status_code == 401

    async def test_a_reset_never_weakens_the_next_login(self, new_service: NewService) -> None:
        """Held or at once: the password alone opens no session."""
        async with new_service(password_reset={"hold": 0}) as service:
            number = new_number()
            tokens = await service.register(number)
            assert (await reset(service, await allowed(service, number))).status_code == 204
            answer = await service.post("/auth/login", {"identifier": number, "password": NEW_PASSWORD})

        assert answer.json()["status"] == "otp_required"
        assert [each["method"] for each in answer.json()["methods"]] == ["sms", "recovery_code"]
        assert tokens["user"]["factors"] == ["sms", "recovery_code"]

    async def test_is_not_kept_out_by_a_held_reset(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        await reset(service, await allowed(service, number))

        entered = await service.log_in(number)

        assert entered["user"]["password_reset_at"] is not None
