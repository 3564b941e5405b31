"""Password change: what ends, what goes on, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from api_surface import code_of
from httpx import Response
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.audit.models import AuditEvent
from otp_auth.ceremonies.login import start_login
from otp_auth.errors import OverloadedError
from otp_auth.hashing import HashingPool
from support.service import API, PASSWORD, Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = "Amber-Meadow-Compass-31"
WRONG = "Wrong-Lantern-99"
ALLOWED = 10  # wrong ones from one network in five minutes
# One number logs in again and again.
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}


async def change(
    service: Service, tokens: Json, current: str = PASSWORD, new: str = NEW, address: str = "203.0.113.7"
) -> Response:
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "X-Forwarded-For": address}
    body = {"current_password": current, "new_password": new}
    return await service.http.post(f"{API}/me/password", json=body, headers=headers)


async def refresh(service: Service, tokens: Json) -> Response:
    return await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})


async def login_status(service: Service, identifier: str, password: str) -> int:
    body = {"identifier": identifier, "password": password, "method": "none"}
    return (await service.post("/auth/login", body)).status_code


async def events(service: Service, user_id: str) -> list[AuditEvent]:
    of_user = select(AuditEvent).where(AuditEvent.user_id == UUID(user_id)).order_by(AuditEvent.id)
    async with service.database.read() as tx:
        return list(await tx.scalars(of_user))


async def stored_hash(service: Service, number: str) -> str:
    async with service.database.read() as tx:
        return (await tx.scalars(select(User.password_hash).where(User.phone_number == number))).one()


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


class TestChange:
    async def test_the_new_password_counts_and_the_old_one_no_more(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)

        answer = await change(service, tokens)

        assert (answer.status_code, answer.content) == (204, b"")
        assert await login_status(service, number, PASSWORD) == 401
        assert await login_status(service, number, NEW) == 200

    async def test_this_session_goes_on_and_the_others_end(self, new_service: NewService) -> None:
        async with new_service(send=WIDE) as service:
            number = new_number()
            others = [await service.register(number), await service.log_in(number)]
            mine, stranger = await service.log_in(number), await service.register(new_number())

            assert (await change(service, mine)).status_code == 204

            for ended in others:
                assert code_of(await service.get("/me", ended["access_token"])) == "invalid_token"
                assert code_of(await refresh(service, ended)) == "invalid_token"
            for going_on in (mine, stranger):
                assert (await service.get("/me", going_on["access_token"])).status_code == 200
                refreshed = (await refresh(service, going_on)).json()
                assert (await service.get("/me", refreshed["access_token"])).status_code == 200

    async def test_pending_logins_end_whatever_they_wait_for(self, new_service: NewService) -> None:
        async with new_service(send=WIDE) as service:
            number = new_number()
            tokens = await service.register(number)
            codes = tokens["recovery_codes"]
            silent, texted = (
                await service.start_login(number, method="none"),
                await service.start_login(number),
            )
            code = await service.simulator.code(number)

            await change(service, tokens)

            answers = [
                await service.verify(texted, code),
                await service.verify(silent, codes[0], method="recovery_code"),
                await service.get("/auth/otp", texted["pending_token"]),
                await service.post("/auth/otp/send", {"method": "sms"}, silent["pending_token"]),
            ]
            assert [code_of(answer) for answer in answers] == ["challenge_closed"] * 4
            body = {"identifier": number, "password": NEW}
            assert (await service.post("/auth/login", body)).status_code == 200

    async def test_step_ups_end_that_of_this_session_too(self, service: Service) -> None:
        tokens = await service.register(new_number())
        begun = await service.post("/auth/step-up", token=tokens["access_token"])
        pending = begun.json()["pending_token"]

        await change(service, tokens)

        assert begun.status_code == 200
        assert code_of(await service.get("/auth/otp", pending)) == "challenge_closed"

    async def test_a_registration_of_somebody_goes_on(self, service: Service) -> None:
        tokens, number = await service.register(new_number()), new_number()
        pending = await service.start_registration(number)

        await change(service, tokens)

        assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_the_same_password_again_is_a_change_like_any_other(self, new_service: NewService) -> None:
        async with new_service(send=WIDE) as service:
            number = new_number()
            other = await service.register(number)
            mine = await service.log_in(number)

            assert (await change(service, mine, new=PASSWORD)).status_code == 204

            assert (await service.get("/me", other["access_token"])).status_code == 401
            assert (await service.get("/me", mine["access_token"])).status_code == 200

    async def test_it_can_be_changed_again_and_again(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answers = [await change(service, tokens), await change(service, tokens, NEW, PASSWORD)]

        assert [answer.status_code for answer in answers] == [204, 204]

    async def test_it_is_written_down(self, new_service: NewService) -> None:
        async with new_service(send=WIDE) as service:
            number = new_number()
            other = await service.register(number)
            mine = await service.log_in(number)

            await change(service, mine)

            written = {event.name: event for event in await events(service, mine["user"]["id"])}
            revoked, changed = written["session_revoked"], written["password_changed"]
            assert str(revoked.session_id) == other["session_id"]
            assert revoked.detail == {"reason": "password_changed"}
            assert str(changed.session_id) == mine["session_id"]
            assert changed.detail == {}
            assert revoked.network == changed.network is not None


class TestRefusals:
    async def test_a_wrong_password_changes_nothing(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_login(number, method="none")
        before = await stored_hash(service, number)

        answer = await change(service, tokens, WRONG)

        assert code_of(answer) == "wrong_password"
        assert await stored_hash(service, number) == before
        assert (await service.get("/auth/otp", pending["pending_token"])).status_code == 200

    @pytest.mark.parametrize(
        ("new", "code", "rule"),
        [
            pytest.param("short-7", "validation_failed", "too_short", id="short"),
            pytest.param("x" * 129, "validation_failed", "too_long", id="long"),
            pytest.param("password123", "weak_password", "common", id="common"),
            pytest.param("ada.lovelace", "weak_password", "context", id="e-mail"),
            pytest.param("Countess Ada", "weak_password", "context", id="display name"),
        ],
    )
    async def test_the_rules_of_a_registration_hold(
        self, service: Service, looked_at: list[str], new: str, code: str, rule: str
    ) -> None:
        named = {"email": "ada.lovelace@example.com", "display_name": "Countess Ada"}
        tokens = await service.register(new_number(), **named)

        answer = await change(service, tokens, new=new)

        assert code_of(answer) == code
        (error,) = answer.json()["errors"]
        assert (error["field"], error["rule"]) == ("body.new_password", rule)
        assert looked_at == []

    async def test_the_own_number_is_no_password(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)

        assert code_of(await change(service, tokens, new=number)) == "weak_password"

    @pytest.mark.parametrize("token", ["pending", "refresh", "none"])
    async def test_only_an_access_token_opens_it(self, service: Service, token: str) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_login(number, method="none")
        shown = {"pending": pending["pending_token"], "refresh": tokens["refresh_token"], "none": ""}[token]

        assert code_of(await change(service, {"access_token": shown})) == "invalid_token"


class TestBudgets:
    async def test_a_spent_budget_looks_at_no_password_and_opens_again(
        self, new_service: NewService, looked_at: list[str]
    ) -> None:
        async with new_service(trusted_proxies="127.0.0.1/32") as service:
            with time_machine.travel(START, tick=False) as clock:
                tokens = await service.register(new_number())
                wrong = [(await change(service, tokens, WRONG)).status_code for _ in range(ALLOWED)]
                refused = await change(service, tokens)
                hashed = len(looked_at)
                elsewhere = await change(service, tokens, PASSWORD, NEW, "198.51.100.7")
                clock.shift(timedelta(minutes=5))
                later = await change(service, tokens, NEW, PASSWORD)

        assert (wrong, hashed) == ([400] * ALLOWED, ALLOWED)
        assert (code_of(refused), refused.headers["Retry-After"]) == ("too_many_attempts", "300")
        assert refused.json()["detail"].startswith("There were too many wrong passwords.")
        assert (elsewhere.status_code, later.status_code) == (204, 204)

    async def test_all_networks_together_have_one_too_known_ones_included(
        self, new_service: NewService
    ) -> None:
        budgets = {"passwords_15_minutes": 12}
        async with new_service(trusted_proxies="127.0.0.1/32", guesses=budgets) as service:
            tokens = await service.register(new_number())

            answers = [
                await change(service, tokens, WRONG, address=f"203.0.{which}.7") for which in range(15)
            ]
            at_home = await change(service, tokens, address="127.0.0.1")

        assert [answer.status_code for answer in answers] == [400] * 12 + [429] * 3
        assert at_home.status_code == 429

    async def test_right_passwords_and_those_that_nobody_looked_at_cost_nothing(
        self, new_service: NewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def overloaded(*_: object) -> None:
            raise OverloadedError

        async with new_service(guesses={"passwords_address_5_minutes": 2}) as service:
            tokens = await service.register(new_number())
            with monkeypatch.context() as patch:
                patch.setattr(HashingPool, "run", overloaded)
                busy = [code_of(await change(service, tokens)) for _ in range(3)]
            right = [(await change(service, tokens, new=PASSWORD)).status_code for _ in range(3)]
            wrong = [(await change(service, tokens, WRONG)).status_code for _ in range(3)]

        assert (busy, right, wrong) == (["overloaded"] * 3, [204] * 3, [400, 400, 429])

    async def test_strangers_at_the_login_keep_nobody_from_it(self, new_service: NewService) -> None:
        budgets = {"passwords_address_5_minutes": 3, "passwords_15_minutes": 3}
        async with new_service(guesses=budgets) as service:
            number = new_number()
            tokens = await service.register(number)
            for identifier in (number, tokens["user"]["id"], f"account:{tokens['user']['id']}"):
                strangers = [await login_status(service, identifier, WRONG) for _ in range(4)]
                assert strangers == [401, 401, 401, 429]

            assert (await change(service, tokens)).status_code == 204


async def log_in_around_a_change(service: Service, monkeypatch: pytest.MonkeyPatch) -> Response:
    """Change the password after the login has proved the old one, and before its challenge is written."""
    number = new_number()
    tokens = await service.register(number)

    async def begin_late(*arguments: Any) -> Any:
        assert (await change(service, tokens)).status_code == 204
        return await start_login(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("otp_auth.api.login.start_login", begin_late)
        pending = await service.start_login(number, method="none")
    return await service.verify(pending, tokens["recovery_codes"][0], method="recovery_code")


class TestALoginThatBeganBefore:
    async def test_it_opens_nothing(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = await log_in_around_a_change(service, monkeypatch)

        assert code_of(answer) == "challenge_closed"

    async def test_without_the_password_version_it_would(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(User, "holds", lambda _user, _version: True)

        answer = await log_in_around_a_change(service, monkeypatch)

        assert (await service.get("/me", answer.json()["access_token"])).status_code == 200
