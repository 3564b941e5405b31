"""A forgotten password: what the phone alone gives, what a second proof gives, and what ends with it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from api_surface import code_of
from sqlalchemy import select, update
from test_deliveries import follow, sinch_says

from conftest import NewService
from otp_auth import housekeeping
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.models import PasswordReset, User
from otp_auth.accounts.password_renewal import renew_password
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.api import dependencies, password_reset
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.budgets import Spending
from otp_auth.errors import OverloadedError
from otp_auth.sessions.models import TrustedDevice
from otp_auth.sinch.client import Unavailable
from otp_auth.tokens.opaque import digest
from support.authenticator import add_app, enrol
from support.resets import NEW_PASSWORD, allowed, cancel, forgot, reset, settled
from support.service import PASSWORD, Json, Service, new_number, with_callbacks, wrong

HOLD = timedelta(days=1)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "PAD", 0)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=False) as coordinates:
        yield coordinates


async def events(service: Service, tokens: Json, name: EventName) -> list[AuditEvent]:
    mine = (AuditEvent.user_id == UUID(tokens["user"]["id"]), AuditEvent.name == name.value)
    async with service.database.read() as tx:
        return list(await tx.scalars(select(AuditEvent).where(*mine)))


async def resets(service: Service) -> list[PasswordReset]:
    async with service.database.read() as tx:
        return list(await tx.scalars(select(PasswordReset).order_by(PasswordReset.id)))


async def password_opens(service: Service, number: str, password: str) -> bool:
    body = {"identifier": number, "password": password, "method": "none"}
    return (await service.post("/auth/login", body)).is_success


async def become_another(service: Service, tokens: Json, by: str) -> None:
    """Let an account be no more what it was when its reset began."""
    match by:
        case "change":
            body = {"current_password": PASSWORD, "new_password": "Copper-Violin-Thicket-77"}
            assert (await service.post("/me/password", body, tokens["access_token"])).is_success
        case "lock":
            await lock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})
        case "phone":
            moved = new_number()
            body = {"phone_number": moved}
            change = (await service.post("/me/phone", body, tokens["access_token"])).json()
            await service.prove(change, moved)
        case _:
            assert (await service.ask("DELETE", "/me", token=tokens["access_token"])).is_success


async def me(service: Service, tokens: Json) -> int:
    return (await service.get("/me", tokens["access_token"])).status_code


class TestTheWalk:
    async def test_held_by_the_phone_alone_and_in_force_a_day_later(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        answer = await reset(service, await allowed(service, number))
        profile = (await service.get("/me", tokens["access_token"])).json()
        before = await password_opens(service, number, PASSWORD)
        clock.shift(HOLD)
        after = [await password_opens(service, number, each) for each in (PASSWORD, NEW_PASSWORD)]

        held = answer.json()
        assert (answer.status_code, held["status"]) == (202, "held")
        assert profile["password_reset_at"] == held["effective_at"]
        assert before
        assert after == [False, True]
        assert await events(service, tokens, EventName.PASSWORD_RESET_HELD)
        assert await events(service, tokens, EventName.PASSWORD_RESET)
        assert (
            await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
        ).is_error

    async def test_a_recovery_code_makes_it_hold_at_once(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        code = tokens["recovery_codes"][0]

        answer = await reset(service, await allowed(service, number), method="recovery_code", code=code)

        assert (answer.status_code, answer.content) == (204, b"")
        assert await password_opens(service, number, NEW_PASSWORD)
        assert not await password_opens(service, number, PASSWORD)
        login = (await service.post("/auth/login", {"identifier": number, "password": NEW_PASSWORD})).json()
        again = await service.verify(login, code, method="recovery_code")
        assert code_of(again) == "wrong_code"  # it is used up

    async def test_an_app_makes_it_hold_at_once_and_stays(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await add_app(service, tokens)
        granted = await allowed(service, number)
        code = app.code()

        answer = await reset(service, granted, method="totp", code=code)

        assert granted["proof_required"]
        assert answer.status_code == 204
        body = {"identifier": number, "password": NEW_PASSWORD, "method": "none"}
        login = (await service.post("/auth/login", body)).json()
        assert {"method": "totp"} in login["methods"]
        assert code_of(await service.verify(login, code, method="totp")) == "wrong_code"
        assert (await service.verify(login, app.code(1), method="totp")).status_code == 200

    async def test_without_a_hold_it_is_at_once(self, new_service: NewService) -> None:
        async with new_service(password_reset={"hold": 0}) as service:
            number = new_number()
            tokens = await service.register(number)

            answer = await reset(service, await allowed(service, number))

            assert answer.status_code == 204
            assert await password_opens(service, number, NEW_PASSWORD)
            assert await me(service, tokens) == 401

    async def test_an_email_leads_to_the_verified_number(self, service: Service) -> None:
        number = new_number()
        await service.register(number, email="ada@example.com")

        granted = await allowed(service, number, " Ada@Example.com")

        assert granted["expires_in"] == 900
        assert granted["proof_required"] is False

    async def test_a_code_of_ours(self, service: Service) -> None:
        number = new_number()
        async with with_callbacks(service):
            await service.register(number)
            pending = await forgot(service, number)
            code = await service.simulator.code(number)
            refused = await service.verify(pending, wrong(code))
            granted = await service.verify(pending, code)

        assert (len(code), pending["challenge"]["code_length"]) == (6, 6)
        assert (code_of(refused), refused.json()["attempts_left"]) == ("wrong_code", 2)
        assert granted.json()["status"] == "reset_allowed"

    async def test_a_message_whose_answer_was_lost_is_looked_up(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        await service.register(number)
        async with (
            sinch_says(service, Unavailable(reached=True)),
            service.simulator.fault("start", "drop_after"),
        ):
            pending = await forgot(service, number)
        clock.shift(timedelta(seconds=5))
        await follow(service)

        assert (await service.prove(pending, number))["status"] == "reset_allowed"

    async def test_a_stranger_who_registers_the_number_ends_no_code(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        pending = await forgot(service, number)
        code, before = await service.simulator.code(number), await service.simulator.starts(number)

        looks_sent = await service.start_registration(number)

        assert looks_sent["challenge"]["delivery"] == "sent"
        assert await service.simulator.starts(number) == before
        assert (await service.verify(pending, code)).json()["status"] == "reset_allowed"

    async def test_another_channel_after_the_cool_down(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        await service.register(number)
        pending = await forgot(service, number)
        clock.shift(60)

        answer = await service.post("/auth/otp/send", {"method": "voice"}, pending["pending_token"])
        await settled(service)

        assert answer.status_code == 202
        assert (await service.simulator.messages(number))[0]["method"] == "callout"
        assert (await service.prove(pending, number))["status"] == "reset_allowed"

    async def test_the_channel_of_the_country_where_the_usual_one_is_not_on_offer(
        self, new_service: NewService
    ) -> None:
        async with new_service(send={"methods_by_country": {"SE": ("voice",)}}) as service:
            number = new_number()
            await service.register(number)
            pending = await forgot(service, number)

            assert pending["challenge"]["method"] == "sms"
            assert (await service.simulator.messages(number))[0]["method"] == "callout"
            assert (await service.prove(pending, number))["status"] == "reset_allowed"


class TestTokens:
    async def test_only_a_digest_is_stored(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        granted = await allowed(service, number)

        [stored] = await resets(service)

        assert stored.token_digest == digest(granted["reset_token"])
        assert granted["reset_token"] not in str(vars(stored))
        assert len(granted["reset_token"]) == 43  # 256 bits

    async def test_it_is_good_once(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        held = await allowed(service, number)
        await reset(service, held)
        at_once = await allowed(service, number)
        proof = {"method": "recovery_code", "code": tokens["recovery_codes"][0]}
        assert (await reset(service, at_once, **proof)).status_code == 204

        again = [await reset(service, each) for each in (held, at_once)]

        assert [code_of(each) for each in again] == ["challenge_closed"] * 2

    @pytest.mark.parametrize("end", ["change", "lock", "newer", "phone", "app"])
    async def test_it_is_void_after(self, service: Service, end: str) -> None:
        number = new_number()
        tokens = await service.register(number)
        granted = await allowed(service, number)
        match end:
            case "change":
                body = {"current_password": PASSWORD, "new_password": "Copper-Violin-Thicket-77"}
                assert (await service.post("/me/password", body, tokens["access_token"])).is_success
            case "lock":
                await lock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})
                await unlock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})
            case "newer":
                await allowed(service, number)
            case "phone":
                moved = new_number()
                body = {"phone_number": moved}
                change = (await service.post("/me/phone", body, tokens["access_token"])).json()
                await service.prove(change, moved)
            case _:
                await add_app(service, tokens)

        assert code_of(await reset(service, granted)) == "challenge_closed"
        assert await password_opens(service, number, NEW_PASSWORD) is False

    async def test_the_version_alone_would_do(self, service: Service) -> None:
        """Also where nothing has voided it."""
        number = new_number()
        await service.register(number)
        granted = await allowed(service, number)
        async with service.database.write() as tx:
            await tx.execute(update(User).values(password_version=User.password_version + 1))

        assert code_of(await reset(service, granted)) == "challenge_closed"

    async def test_it_ends(self, service: Service, clock: time_machine.Traveller) -> None:
        number = new_number()
        await service.register(number)
        granted = await allowed(service, number)
        clock.shift(900)

        refused = await reset(service, granted)

        assert code_of(refused) == "invalid_token"
        assert "forgotten password" in refused.json()["detail"]

    async def test_it_is_of_one_account(self, service: Service) -> None:
        ada, bob = new_number(), new_number()
        await service.register(ada)
        bobs = await service.register(bob)
        granted = await allowed(service, ada)
        body = {"proof": {"method": "recovery_code", "code": bobs["recovery_codes"][0]}}

        answer = await service.post(
            "/auth/password/reset", {"new_password": NEW_PASSWORD, **body}, granted["reset_token"]
        )

        assert code_of(answer) == "wrong_code"
        assert not await password_opens(service, bob, NEW_PASSWORD)

    async def test_a_code_is_of_one_challenge(self, service: Service) -> None:
        ada, bob = new_number(), new_number()
        for number in (ada, bob):
            await service.register(number)
        waiting = [await forgot(service, number) for number in (ada, bob)]

        answer = await service.verify(waiting[1], await service.simulator.code(ada))

        assert code_of(answer) == "wrong_code"


class TestRefusals:
    @pytest.mark.parametrize("password", ["password123", "+46701234567", "ada@example.com"])
    async def test_weak_passwords(self, service: Service, password: str) -> None:
        number = new_number()
        await service.register(number, email="ada@example.com")
        granted = await allowed(service, number)
        weak = number if password.startswith("+") else password

        answer = await reset(service, granted, weak)

        assert code_of(answer) == "weak_password"
        assert answer.json()["errors"][0]["field"] == "body.new_password"
        assert (await reset(service, granted)).status_code == 202

    async def test_an_app_is_demanded(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await add_app(service, tokens)
        granted = await allowed(service, number)

        refused = await reset(service, granted)
        by_app = await reset(service, granted, method="totp", code=app.code())

        assert (refused.status_code, code_of(refused)) == (403, "proof_required")
        assert by_app.status_code == 204

    async def test_a_recovery_code_does_for_an_account_with_an_app(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        await add_app(service, tokens)
        proof = {"method": "recovery_code", "code": tokens["recovery_codes"][0]}

        assert (await reset(service, await allowed(service, number), **proof)).status_code == 204

    async def test_wrong_proofs_count_and_leave_the_token(self, new_service: NewService) -> None:
        async with new_service(guesses={"codes_5_minutes": 3}) as service:
            number = new_number()
            tokens = await service.register(number)
            app = await add_app(service, tokens)
            granted = await allowed(service, number)
            wrongs = [
                await reset(service, granted, method="totp", code=app.wrong_code()),
                await reset(service, granted, method="recovery_code", code="ABCD-" * 5 + "ABCD"),
                await reset(service, granted, method="totp", code=app.wrong_code()),
            ]
            spent = await reset(service, granted, method="totp", code=app.code())
            told = await events(service, tokens, EventName.SECOND_FACTOR_FAILED)

        assert [code_of(each) for each in wrongs] == ["wrong_code"] * 3
        assert code_of(spent) == "too_many_attempts"
        assert [each.detail["purpose"] for each in told[:4]] == ["password_reset"] * 4

    @pytest.mark.parametrize("method", ["totp", "recovery_code"])
    async def test_wrong_proofs_take_nothing_from_the_owners_logins(
        self, new_service: NewService, method: str
    ) -> None:
        """A thief with the phone alone gets this far."""
        async with new_service(guesses={"codes_5_minutes": 2, "consecutive": 2}) as service:
            number = new_number()
            tokens = await service.register(number)
            app = await add_app(service, tokens)
            granted = await allowed(service, number)
            wrongs = [await reset(service, granted, method=method, code=app.wrong_code()) for _ in range(4)]
            logins = [await service.start_login(number, method="none") for _ in range(2)]
            by_app = await service.verify(logins[0], app.code(), method="totp")
            code = tokens["recovery_codes"][0]
            by_recovery = await service.verify(logins[1], code, method="recovery_code")
            off = await events(service, tokens, EventName.FACTOR_DISABLED)

        assert [code_of(each) for each in wrongs] == ["wrong_code"] * 2 + ["too_many_attempts"] * 2
        assert (by_app.status_code, by_recovery.status_code, off) == (200, 200, [])

    async def test_wrong_codes_at_logins_take_nothing_from_proofs(self, new_service: NewService) -> None:
        async with new_service(guesses={"codes_5_minutes": 2}) as service:
            number = new_number()
            tokens = await service.register(number)
            app = await add_app(service, tokens)
            login = await service.start_login(number, method="none")
            for _ in range(3):
                await service.verify(login, app.wrong_code(), method="totp")
                await service.verify(login, "AAAA-BBBB", method="recovery_code")
            answer = await reset(service, await allowed(service, number), method="totp", code=app.code())

        assert answer.status_code == 204

    @pytest.mark.parametrize(
        ("window", "length"), [("hour", 3600), ("day", 86_400), ("30_days", 30 * 86_400)]
    )
    async def test_proofs_are_counted_for_the_account_in_each_window(
        self, new_service: NewService, clock: time_machine.Traveller, window: str, length: int
    ) -> None:
        async with new_service(guesses={f"codes_{window}": 2}) as service:
            number = new_number()
            await service.register(number)
            answers = []
            for _ in range(3):  # each with a reset of its own
                granted = await allowed(service, number)
                answers.append(await reset(service, granted, method="recovery_code", code="AAAA-BBBB"))
                clock.shift(300)
            clock.shift(length - 900)
            granted = await allowed(service, number)
            answers.append(await reset(service, granted, method="recovery_code", code="AAAA-BBBB"))

        assert [code_of(each) for each in answers] == [
            "wrong_code",
            "wrong_code",
            "too_many_attempts",
            "wrong_code",
        ]

    async def test_a_right_proof_costs_no_guess(self, new_service: NewService) -> None:
        async with new_service(guesses={"codes_5_minutes": 1}) as service:
            number = new_number()
            tokens = await service.register(number)
            answers = []
            for code in tokens["recovery_codes"][:2]:
                granted = await allowed(service, number)
                answers.append(await reset(service, granted, method="recovery_code", code=code))

        assert [each.status_code for each in answers] == [204, 204]

    async def test_a_proof_that_nobody_looked_at_costs_no_guess(
        self, new_service: NewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*_: object) -> str:
            raise OverloadedError

        async with new_service(guesses={"codes_5_minutes": 1}) as service:
            number = new_number()
            tokens = await service.register(number)
            granted, code = await allowed(service, number), tokens["recovery_codes"][0]
            with monkeypatch.context() as busy:
                busy.setattr(PasswordHasher, "hash", refuse)
                refused = await reset(service, granted, method="recovery_code", code=code)
            answer = await reset(service, granted, method="recovery_code", code=code)

        assert (code_of(refused), answer.status_code) == ("overloaded", 204)

    async def test_an_account_deleted_meanwhile_leaves_no_count(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        granted = await allowed(service, number)

        async def renew_late(*asked: Any) -> datetime | None:
            assert (await service.ask("DELETE", "/me", token=tokens["access_token"])).status_code == 204
            return await renew_password(*asked)

        monkeypatch.setattr(password_reset, "renew_password", renew_late)
        answer = await reset(service, granted, method="recovery_code", code="AAAA-BBBB")

        assert code_of(answer) == "challenge_closed"
        async with service.database.read() as tx:
            keys = list(await tx.scalars(select(Spending.key)))
        assert not [key for key in keys if tokens["user"]["id"] in key]

    async def test_a_factor_that_is_not_enrolled_proves_nothing(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await enrol(service, tokens)  # and never confirmed
        granted = await allowed(service, number)

        answer = await reset(service, granted, method="totp", code=app.code())

        assert code_of(answer) == "wrong_code"

    async def test_without_an_app_its_proofs_count_and_shut_nothing_off(
        self, new_service: NewService
    ) -> None:
        async with new_service(guesses={"codes_5_minutes": 3, "consecutive": 2}) as service:
            number = new_number()
            tokens = await service.register(number)
            granted = await allowed(service, number)
            answers = [await reset(service, granted, method="totp", code="123456") for _ in range(4)]
            off = await events(service, tokens, EventName.FACTOR_DISABLED)

        assert [code_of(each) for each in answers] == ["wrong_code"] * 3 + ["too_many_attempts"]
        assert off == []

    async def test_an_app_that_logins_have_shut_off_is_off_here_too(self, new_service: NewService) -> None:
        async with new_service(guesses={"consecutive": 2}) as service:
            number = new_number()
            tokens = await service.register(number)
            app = await add_app(service, tokens)
            granted = await allowed(service, number)
            login = await service.start_login(number, method="none")
            for _ in range(2):
                await service.verify(login, app.wrong_code(), method="totp")
            refused = await reset(service, granted, method="totp", code=app.code())
            off = await events(service, tokens, EventName.FACTOR_DISABLED)
            code = tokens["recovery_codes"][0]
            answer = await reset(service, granted, method="recovery_code", code=code)

        assert code_of(refused) == "wrong_code"
        assert (len(off), answer.status_code) == (1, 204)

    @pytest.mark.parametrize("end", ["change", "lock", "phone", "farewell"])
    async def test_a_right_code_of_an_account_that_is_another_by_now(
        self, service: Service, end: str
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await forgot(service, number)
        code = await service.simulator.code(number)
        await become_another(service, tokens, end)

        # After a farewell it is a decoy, as for a name that nobody has.
        expected = "wrong_code" if end == "farewell" else "challenge_closed"
        assert code_of(await service.verify(pending, code)) == expected
        assert await resets(service) == []

    @pytest.mark.parametrize("end", ["change", "lock", "phone"])
    async def test_no_further_message_to_an_account_that_is_another_by_now(
        self, service: Service, clock: time_machine.Traveller, end: str
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await forgot(service, number)
        await become_another(service, tokens, end)
        before = await service.simulator.starts(number)
        clock.shift(61)

        answer = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
        await settled(service)

        assert answer.status_code == 202
        assert await service.simulator.starts(number) == before

    @pytest.mark.parametrize("method", ["totp", "recovery_code"])
    async def test_verify_takes_the_phone_alone(self, service: Service, method: str) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await add_app(service, tokens)
        code = app.code() if method == "totp" else tokens["recovery_codes"][0]
        pending = await forgot(service, number)

        assert code_of(await service.verify(pending, code, method=method)) == "validation_failed"


class TestWhatEnds:
    async def test_sessions_devices_and_logins(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        other = await service.log_in(number)
        login = await service.start_login(number, method="none")
        now, user_id = datetime.now(UTC), UUID(tokens["user"]["id"])
        device = TrustedDevice(
            user_id=user_id,
            name="x",
            digest="d" * 64,
            created_at=now,
            last_used_at=now,
            expires_at=now + HOLD,
            password_version=1,
        )
        async with service.database.write() as tx:
            tx.add(device)
        code = tokens["recovery_codes"][0]

        await reset(service, await allowed(service, number), method="recovery_code", code=code)

        for each in (tokens, other):
            assert await me(service, each) == 401
            refresh = {"refresh_token": each["refresh_token"]}
            assert code_of(await service.post("/auth/token/refresh", refresh)) == "invalid_token"
        assert code_of(await service.get("/auth/otp", login["pending_token"])) == "challenge_closed"
        async with service.database.read() as tx:
            assert await tx.scalar(select(TrustedDevice.ended_at)) is not None

    async def test_a_request_changes_nothing(self, service: Service, clock: time_machine.Traveller) -> None:
        number = new_number()
        tokens = await service.register(number)
        login = await service.start_login(number, method="none")
        for _ in range(20):
            await forgot(service, number)
            clock.shift(10)

        assert await me(service, tokens) == 200
        code = tokens["recovery_codes"][0]
        assert (await service.verify(login, code, method="recovery_code")).status_code == 200
        sent = await service.start_login(number)
        assert sent["challenge"]["delivery"] == "sent"
        assert (await service.prove(sent, number))["status"] == "authenticated"
        assert len(await events(service, tokens, EventName.PASSWORD_RESET_REQUESTED)) == 20

    async def test_requests_do_not_fill_the_trail(self, service: Service) -> None:
        tokens = await service.register(number := new_number())
        for _ in range(23):
            await forgot(service, number)

        assert len(await events(service, tokens, EventName.PASSWORD_RESET_REQUESTED)) == 20

    async def test_wrong_codes_of_strangers_do_not_shut_the_owner_out(
        self, new_service: NewService, clock: time_machine.Traveller
    ) -> None:
        async with new_service(guesses={"codes_5_minutes": 2, "consecutive": 2}) as service:
            number = new_number()
            await service.register(number)
            pending = await forgot(service, number)
            refused = [await service.verify(pending, "000000") for _ in range(3)]
            login = await service.start_login(number)
            answer = await service.verify(login, await service.simulator.code(number))
            clock.shift(300)
            newer = await forgot(service, number)
            later = await service.verify(newer, "000000")

        assert [code_of(each) for each in refused] == ["wrong_code"] * 2 + ["too_many_attempts"]
        assert answer.status_code == 200
        assert code_of(later) == "wrong_code"

    async def test_guesses_of_strangers_do_not_hide_those_at_a_login(
        self, new_service: NewService, clock: time_machine.Traveller
    ) -> None:
        async with new_service(guesses={"codes_5_minutes": 100, "codes_hour": 100}) as service:
            number = new_number()
            tokens = await service.register(number)
            for _ in range(8):
                pending = await forgot(service, number)
                for _ in range(3):
                    await service.verify(pending, "000000")
                clock.shift(300)
            login = await service.start_login(number)
            await service.verify(login, "000000")
            told = await events(service, tokens, EventName.SECOND_FACTOR_FAILED)

        assert [each.detail["purpose"] for each in told] == ["password_reset"] * 20 + ["login"]

    async def test_a_login_code_that_the_owner_waits_for_stays_good(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        login = await service.start_login(number)
        await forgot(service, number)

        assert (await service.prove(login, number))["status"] == "authenticated"

    async def test_a_newer_request_closes_the_older_of_the_same_name_alone(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        await service.register(number, email="ada@example.com")
        by_phone, by_email = await forgot(service, number), await forgot(service, "ada@example.com")
        within = await forgot(service, number)  # its cool-down: nothing is sent, so nothing is closed
        before = await service.get("/auth/otp", by_phone["pending_token"])
        clock.shift(60)
        newer = await forgot(service, number)

        after = [
            await service.get("/auth/otp", each["pending_token"])
            for each in (by_phone, within, by_email, newer)
        ]

        assert before.status_code == 200
        assert [each.status_code for each in after] == [410, 410, 200, 200]


class TestTheHold:
    @pytest.mark.parametrize("elevated", [True, False])
    async def test_any_session_cancels_it(
        self, service: Service, clock: time_machine.Traveller, elevated: bool
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        await reset(service, await allowed(service, number))
        if not elevated:
            clock.shift(timedelta(hours=1))  # the proof is old
            tokens |= (
                await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
            ).json()

        cancelled, again = await cancel(service, tokens), await cancel(service, tokens)
        profile = (await service.get("/me", tokens["access_token"])).json()
        clock.shift(HOLD)

        assert (cancelled.status_code, code_of(again)) == (204, "not_found")
        assert profile["password_reset_at"] is None
        assert not await password_opens(service, number, NEW_PASSWORD)
        assert await password_opens(service, number, PASSWORD)
        [event] = await events(service, tokens, EventName.PASSWORD_RESET_CANCELLED)
        assert (event.detail, str(event.session_id)) == ({"by": "owner"}, tokens["session_id"])

    @pytest.mark.parametrize("waits", [True, False])
    async def test_a_cancel_ends_tokens_too(self, service: Service, waits: bool) -> None:
        number = new_number()
        tokens = await service.register(number)
        if waits:
            await reset(service, await allowed(service, number))
        unused = await allowed(service, number)

        assert (await cancel(service, tokens)).status_code == 204
        assert code_of(await reset(service, unused)) == "challenge_closed"

    @pytest.mark.parametrize("end", ["password_changed", "account_locked", "phone_changed", "factor_added"])
    async def test_it_is_cancelled_by(
        self, service: Service, clock: time_machine.Traveller, end: str
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        await reset(service, await allowed(service, number))
        match end:
            case "password_changed":
                body = {"current_password": PASSWORD, "new_password": "Copper-Violin-Thicket-77"}
                await service.post("/me/password", body, tokens["access_token"])
            case "account_locked":
                for change in (lock_account, unlock_account):
                    await change(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})
            case "phone_changed":
                moved = new_number()
                body = {"phone_number": moved}
                await service.prove(
                    (await service.post("/me/phone", body, tokens["access_token"])).json(), moved
                )
                number = moved
            case _:
                await add_app(service, tokens)
        clock.shift(HOLD)

        assert not await password_opens(service, number, NEW_PASSWORD)
        [event] = await events(service, tokens, EventName.PASSWORD_RESET_CANCELLED)
        assert event.detail["reason"] == end

    async def test_a_newer_one_begins_its_own_hold(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number, other = new_number(), "Copper-Violin-Thicket-77"
        await service.register(number)
        await reset(service, await allowed(service, number))
        clock.shift(HOLD / 2)
        await reset(service, await allowed(service, number), other)
        clock.shift(HOLD / 2)
        then = [await password_opens(service, number, each) for each in (PASSWORD, NEW_PASSWORD, other)]
        clock.shift(HOLD / 2)
        later = [await password_opens(service, number, each) for each in (PASSWORD, NEW_PASSWORD, other)]

        assert (then, later) == ([True, False, False], [False, False, True])

    async def test_housekeeping_lets_it_take_effect_once(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        await reset(service, await allowed(service, number))
        clock.shift(HOLD - timedelta(seconds=1))
        early = await housekeeping.purge(service.database, service.settings)
        clock.shift(1)
        counts = [await housekeeping.purge(service.database, service.settings) for _ in range(2)]

        assert [each["resets in force"] for each in (early, *counts)] == [0, 1, 0]
        assert len(await events(service, tokens, EventName.PASSWORD_RESET)) == 1
        assert await password_opens(service, number, NEW_PASSWORD)

    @pytest.mark.usefixtures("by_itself")
    async def test_it_takes_effect_at_its_hour_by_itself(
        self, new_service: NewService, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(housekeeping, "RESETS_INTERVAL", 0.01)
        async with new_service(password_reset={"hold": 60}) as service, asyncio.timeout(10):
            number = new_number()
            tokens = await service.register(number)
            await reset(service, await allowed(service, number))
            assert await me(service, tokens) == 200
            clock.shift(60)
            while await me(service, tokens) == 200:
                pass

            assert len(await events(service, tokens, EventName.PASSWORD_RESET)) == 1

    @pytest.mark.parametrize("act", ["cancel", "password change"])
    async def test_when_its_hour_has_come_no_session_holds_it_up(
        self, new_service: NewService, clock: time_machine.Traveller, act: str
    ) -> None:
        async with new_service(password_reset={"hold": 60}) as service:
            number = new_number()
            tokens = await service.register(number)
            await reset(service, await allowed(service, number))
            clock.shift(60)
            if act == "cancel":
                answer = await cancel(service, tokens)
            else:
                body = {"current_password": PASSWORD, "new_password": "Copper-Violin-Thicket-77"}
                answer = await service.post("/me/password", body, tokens["access_token"])

            assert code_of(answer) == "invalid_token"
            assert await password_opens(service, number, NEW_PASSWORD)

    @pytest.mark.parametrize("change", ["version", "lock"])
    async def test_it_takes_no_effect_on_another_account_than_it_began_on(
        self, service: Service, clock: time_machine.Traveller, change: str
    ) -> None:
        """The second look, where nothing has voided it."""
        number = new_number()
        await service.register(number)
        await reset(service, await allowed(service, number))
        changed = {"locked_at": datetime.now(UTC)} if change == "lock" else {"password_version": 7}
        async with service.database.write() as tx:
            await tx.execute(update(User).values(changed))
        clock.shift(HOLD)
        await housekeeping.purge(service.database, service.settings)
        async with service.database.write() as tx:
            await tx.execute(update(User).values(locked_at=None))

        assert not await password_opens(service, number, NEW_PASSWORD)

    async def test_what_has_ended_is_kept_a_day_and_what_waits_for_as_long(
        self, new_service: NewService, clock: time_machine.Traveller
    ) -> None:
        async with new_service(password_reset={"hold": 5 * 86_400}) as service:
            numbers = [new_number() for _ in range(3)]
            for number in numbers:
                await service.register(number)
            await reset(service, await allowed(service, numbers[0]))
            tokens = await service.log_in(numbers[1])
            await reset(service, await allowed(service, numbers[1]))
            await cancel(service, tokens)
            await allowed(service, numbers[2])
            clock.shift(timedelta(hours=23))
            young = await housekeeping.purge(service.database, service.settings)
            clock.shift(timedelta(hours=2))
            old = await housekeeping.purge(service.database, service.settings)
            left = await resets(service)

        assert [each["password resets"] for each in (young, old)] == [0, 2]
        assert [each.held_until is not None for each in left] == [True]
