"""Authenticator apps: enrolled, confirmed, used once for each step, removed."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from api_surface import code_of, everything_stored, problem_of
from sqlalchemy import select

from conftest import NewService
from otp_auth.audit.models import AuditEvent
from otp_auth.budgets import Spending
from otp_auth.factors.models import TotpAuthenticator
from support.authenticator import STEP, App, add_app, enrol
from support.service import Json, Service, new_number

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # the beginning of a step
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE | {"resend_gap": "0"}, challenge={"attempts": 5}) as running:
        yield running


class Ada:
    """Somebody with an account and an app."""

    def __init__(self, service: Service, number: str, tokens: Json, app: App) -> None:
        self.service, self.number, self.tokens, self.app = service, number, tokens, app
        self.token: str = tokens["access_token"]

    async def log_in(self, code: str, method: str | None = "totp") -> int:
        """Return what a code brings at a new login."""
        pending = await self.service.start_login(self.number, method="none")
        fields = {"method": method} if method else {}
        return (await self.service.verify(pending, code, **fields)).status_code

    async def events(self, name: str) -> list[AuditEvent]:
        mine = AuditEvent.user_id == UUID(self.tokens["user"]["id"]), AuditEvent.name == name
        async with self.service.database.read() as tx:
            return list(await tx.scalars(select(AuditEvent).where(*mine).order_by(AuditEvent.id)))

    async def prefer(self, method: str) -> Json:
        answer = await self.service.ask("PATCH", "/me", {"preferred_method": method}, self.token)
        body: Json = answer.json()
        assert answer.status_code == 200, answer.text
        return body

    async def factors(self) -> dict[str, Json]:
        answer = await self.service.get("/me/factors", self.token)
        assert answer.status_code == 200
        return {each["method"]: each for each in answer.json()["items"]}


@pytest.fixture
async def ada(service: Service) -> Ada:
    number = new_number()
    tokens = await service.register(number)
    return Ada(service, number, tokens, await add_app(service, tokens))


async def rows(service: Service) -> list[TotpAuthenticator]:
    async with service.database.read() as tx:
        return list(await tx.scalars(select(TotpAuthenticator)))


async def spent_guesses(service: Service, tokens: Json) -> int:
    """In the window of five minutes."""
    key = f"guesses:{tokens['user']['id']}"
    async with service.database.read() as tx:
        return await tx.scalar(select(Spending.spent).where(Spending.key == key, Spending.window == 300)) or 0


class TestEnrolment:
    async def test_it_is_told_once_and_sealed_at_rest(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await service.post("/me/factors/totp", token=tokens["access_token"])

        body = answer.json()
        assert answer.status_code == 201
        assert body.keys() == {"secret", "otpauth_uri", "qr_svg"}
        assert len(body["secret"]) == 32  # 160 bits in base32
        assert body["secret"] in body["otpauth_uri"]
        assert body["otpauth_uri"].startswith("otpauth://totp/otp-auth:%2B4670")
        assert body["qr_svg"].startswith("<svg ")
        assert body["secret"] not in str(await everything_stored(service.database))

    async def test_the_issuer_is_a_setting(self, new_service: NewService) -> None:
        async with new_service(totp={"issuer": "Ada & Co"}) as service:
            tokens = await service.register(new_number())
            answer = await service.post("/me/factors/totp", token=tokens["access_token"])

        assert "issuer=Ada%20%26%20Co" in answer.json()["otpauth_uri"]

    async def test_unconfirmed_it_neither_protects_nor_unlocks(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await enrol(service, tokens)
        pending = await service.start_login(number)

        tried = await service.verify(pending, app.code(), method="totp")
        me = await service.get("/me", tokens["access_token"])
        prefers = await service.ask("PATCH", "/me", {"preferred_method": "totp"}, tokens["access_token"])
        removed = await service.ask("DELETE", "/me/factors/totp", token=tokens["access_token"])

        assert [offer["method"] for offer in pending["methods"]] == ["sms", "recovery_code"]
        assert code_of(tried) == "validation_failed"
        assert me.json()["factors"] == ["sms", "recovery_code"]
        assert code_of(prefers) == "conflict"
        assert code_of(removed) == "not_found"
        assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_one_that_was_never_confirmed_is_replaced(self, service: Service) -> None:
        tokens = await service.register(new_number())
        first, second = await enrol(service, tokens), await enrol(service, tokens)

        of_the_first = await service.post(
            "/me/factors/totp/confirm", {"code": first.code()}, tokens["access_token"]
        )
        of_the_second = await service.post(
            "/me/factors/totp/confirm", {"code": second.code()}, tokens["access_token"]
        )

        assert code_of(of_the_first) == "wrong_code"
        assert of_the_second.status_code == 200

    async def test_a_confirmed_one_is_not(self, ada: Ada) -> None:
        answer = await ada.service.post("/me/factors/totp", token=ada.token)

        assert code_of(answer) == "conflict"
        assert await ada.log_in(ada.app.code()) == 200

    async def test_it_wants_a_recent_proof(self, service: Service, clock: time_machine.Traveller) -> None:
        tokens = await service.register(new_number())
        clock.shift(timedelta(seconds=601))
        answers = [
            await service.ask(method, "/me/factors/totp", token=tokens["access_token"])
            for method in ("POST", "DELETE")
        ]

        assert [code_of(answer) for answer in answers] == ["insufficient_user_authentication"] * 2
        assert await rows(service) == []


class TestConfirmation:
    async def confirm(self, service: Service, tokens: Json, code: str) -> Json:
        answer = await service.post("/me/factors/totp/confirm", {"code": code}, tokens["access_token"])
        return {"status": answer.status_code, **answer.json()}

    async def test_from_then_on_it_counts(self, service: Service) -> None:
        tokens = await service.register(new_number())
        app = await enrol(service, tokens)

        answer = await self.confirm(service, tokens, app.code())

        assert answer.pop("status") == 200
        assert answer == {
            "method": "totp",
            "destination": None,
            "created_at": "2026-11-24T12:00:00.000Z",
            "last_used_at": None,
            "disabled": False,
        }
        me = await service.get("/me", tokens["access_token"])
        assert me.json()["factors"] == ["sms", "totp", "recovery_code"]
        assert await spent_guesses(service, tokens) == 0

    async def test_its_code_is_not_the_first_login_code(
        self, service: Service, clock: time_machine.Traveller
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await enrol(service, tokens)
        code = app.code()
        await self.confirm(service, tokens, code)
        ada = Ada(service, number, tokens, app)

        assert await ada.log_in(code) == 400
        clock.shift(STEP)
        assert await ada.log_in(code) == 400
        assert await ada.log_in(app.code(-1)) == 400
        assert await ada.log_in(app.code()) == 200

    async def test_wrong_codes_use_up_the_guesses_of_the_account(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        app = await enrol(service, tokens)

        answers = [await self.confirm(service, tokens, app.wrong_code()) for _ in range(5)]
        right = await self.confirm(service, tokens, app.code())
        login = await service.start_login(number)
        elsewhere = await service.verify(login, await service.simulator.code(number))

        assert [each["code"] for each in answers] == ["wrong_code"] * 5
        told = [
            event.detail for event in await Ada(service, number, tokens, app).events("second_factor_failed")
        ]
        assert {each["repeated"] for each in told if each["reason"] == "wrong_code"} == {False, True}
        assert {(each["purpose"], each["reason"]) for each in told} == {
            ("enrolment", "wrong_code"),
            ("enrolment", "too_many_attempts"),
            ("login", "too_many_attempts"),
        }
        assert right["code"] == code_of(elsewhere) == "too_many_attempts"

    async def test_where_nothing_waits_nothing_is_charged(self, service: Service) -> None:
        tokens = await service.register(new_number())

        never = await self.confirm(service, tokens, "123456")
        app = await add_app(service, tokens)
        again = await self.confirm(service, tokens, app.code())

        assert never["code"] == again["code"] == "conflict"
        assert await spent_guesses(service, tokens) == 0

    async def test_it_is_told_in_the_audit_trail(self, ada: Ada) -> None:
        [event] = await ada.events("factor_added")

        assert event.detail == {"factor": "totp"}
        assert str(event.session_id) == ada.tokens["session_id"]


class TestLogin:
    async def test_it_is_offered_beside_the_phone(self, ada: Ada) -> None:
        sent = await ada.service.start_login(ada.number)
        unsent = await ada.service.start_login(ada.number, method="none")

        assert [offer["method"] for offer in sent["methods"]] == ["sms", "totp", "recovery_code"]
        assert [offer["method"] for offer in unsent["methods"]] == ["totp", "sms", "recovery_code"]
        assert sent["methods"][1] == {"method": "totp"}

    async def test_a_code_gets_in_and_the_tokens_tell_how(self, ada: Ada) -> None:
        pending = await ada.service.start_login(ada.number)

        answer = await ada.service.verify(pending, ada.app.code(), method="totp")

        assert answer.status_code == 200
        claims = ada.service.app.state.tokens.read_access(answer.json()["access_token"])
        assert claims.acr == "aal2"
        async with ada.service.database.read() as tx:
            [login] = [
                event
                for event in await tx.scalars(select(AuditEvent))
                if event.name == "login_succeeded" and event.detail["method"] == "totp"
            ]
        assert str(login.user_id) == ada.tokens["user"]["id"]
        assert (await ada.factors())["totp"]["last_used_at"] == "2026-11-24T12:00:00.000Z"

    async def test_a_right_code_costs_no_guess(self, ada: Ada) -> None:
        assert await ada.log_in(ada.app.code()) == 200

        assert await spent_guesses(ada.service, ada.tokens) == 0

    async def test_a_wrong_one_costs_a_guess_and_is_told(self, ada: Ada) -> None:
        pending = await ada.service.start_login(ada.number)

        answer = await ada.service.verify(pending, ada.app.wrong_code(), method="totp")

        assert problem_of(answer)["attempts_left"] == 4
        assert await spent_guesses(ada.service, ada.tokens) == 1
        [event] = await ada.events("second_factor_failed")
        assert event.detail == {
            "method": "totp",
            "purpose": "login",
            "reason": "wrong_code",
            "repeated": False,
        }

    async def test_somebody_elses_code_is_wrong(self, ada: Ada) -> None:
        bob = await ada.service.register(new_number())
        app = await add_app(ada.service, bob)

        assert await ada.log_in(app.code()) == 400
        assert await ada.log_in(ada.app.code()) == 200

    async def test_a_registration_takes_none(self, ada: Ada) -> None:
        pending = await ada.service.start_registration(new_number())

        answer = await ada.service.verify(pending, ada.app.code(), method="totp")

        assert code_of(answer) == "validation_failed"

    async def test_the_guesses_of_app_and_phone_are_one_budget(self, ada: Ada) -> None:
        """Recovery codes have their own: they are the way back when this one is spent."""
        pending = await ada.service.start_login(ada.number)
        for method in ("totp", "sms", "totp", "sms", "totp"):
            answer = await ada.service.verify(pending, ada.app.wrong_code(), method=method)
            assert code_of(answer) == "wrong_code"

        again = await ada.service.start_login(ada.number, method="none")
        answer = await ada.service.verify(again, ada.app.code(), method="totp")

        assert code_of(answer) == "too_many_attempts"

    async def test_sinch_may_be_down(self, ada: Ada) -> None:
        async with ada.service.simulator.fault("start", "status", 503):
            pending = await ada.service.start_login(ada.number)
            answer = await ada.service.verify(pending, ada.app.code(), method="totp")

        assert answer.status_code == 200


class TestOnce:
    """A step is used up by whatever route took it."""

    async def test_no_second_login(self, ada: Ada, clock: time_machine.Traveller) -> None:
        code = ada.app.code()
        statuses = [await ada.log_in(code) for _ in range(2)]
        clock.shift(STEP)

        assert [*statuses, await ada.log_in(code)] == [200, 400, 400]

    async def test_not_at_another_login_that_waits(self, ada: Ada) -> None:
        first, second = [await ada.service.start_login(ada.number, method="none") for _ in range(2)]

        assert (await ada.service.verify(first, ada.app.code(), method="totp")).status_code == 200
        assert code_of(await ada.service.verify(second, ada.app.code(), method="totp")) == "wrong_code"
        [event] = await ada.events("second_factor_failed")
        assert event.detail["method"] == "totp"

    async def test_not_in_other_digits(self, ada: Ada) -> None:
        code = ada.app.code()
        assert await ada.log_in(code) == 200
        for zero in (0xFF10, 0x0660, 0x1D7CE):
            assert await ada.log_in(code.translate({48 + digit: zero + digit for digit in range(10)})) == 422

    async def test_not_as_a_step_up_and_the_other_way_round(
        self, ada: Ada, clock: time_machine.Traveller
    ) -> None:
        code = ada.app.code()
        assert await ada.log_in(code) == 200
        step_up = await ada.service.start_step_up(ada.tokens, method="none")
        refused = await ada.service.verify(step_up, code, method="totp")
        clock.shift(STEP)
        taken = await ada.service.verify(step_up, ada.app.code(), method="totp")

        assert code_of(refused) == "wrong_code"
        assert taken.json()["status"] == "elevated"
        assert await ada.log_in(ada.app.code()) == 400

    async def test_not_as_a_recovery_code_nor_as_a_text(self, ada: Ada) -> None:
        assert await ada.log_in(ada.app.code(), "recovery_code") == 400
        assert await ada.log_in(ada.app.code(), "sms") == 400
        assert await ada.log_in(ada.app.code()) == 200

    async def test_no_older_step_after_a_newer_one(self, ada: Ada, clock: time_machine.Traveller) -> None:
        clock.shift(STEP)
        older = ada.app.code(-1)
        assert await ada.log_in(ada.app.code(1)) == 200
        assert await ada.log_in(older) == 400
        assert await ada.log_in(ada.app.code()) == 400

    @pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 200), (0, 200), (1, 200), (2, 400)])
    async def test_the_window_is_one_step_each_side(
        self, ada: Ada, clock: time_machine.Traveller, steps: int, status: int
    ) -> None:
        clock.shift(5 * STEP)

        assert await ada.log_in(ada.app.code(steps)) == status

    async def test_a_step_up_says_how(self, ada: Ada) -> None:
        step_up = await ada.service.start_step_up(ada.tokens, method="none")
        elevated = (await ada.service.verify(step_up, ada.app.code(), method="totp")).json()

        removed = await ada.service.ask("DELETE", "/me/factors/totp", token=elevated["access_token"])
        assert removed.status_code == 204


class TestPreference:
    async def test_nothing_is_sent_and_the_app_comes_first(self, ada: Ada) -> None:
        assert (await ada.prefer("totp"))["preferred_method"] == "totp"
        before = await ada.service.simulator.starts(ada.number)

        pending = await ada.service.start_login(ada.number)
        step_up = await ada.service.start_step_up(ada.tokens)

        for each in (pending, step_up):
            assert each["challenge"] is None
            assert [offer["method"] for offer in each["methods"]] == ["totp", "sms", "recovery_code"]
        assert await ada.service.simulator.starts(ada.number) == before
        answer = await ada.service.verify(pending, ada.app.code())  # without a method
        assert answer.json()["status"] == "authenticated"

    async def test_a_message_may_still_be_asked_for(self, ada: Ada) -> None:
        await ada.prefer("totp")
        pending = await ada.service.start_login(ada.number)

        sent = await ada.service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])

        assert sent.status_code == 202
        assert (await ada.service.prove(pending, ada.number))["status"] == "authenticated"

    async def test_a_named_channel_wins(self, ada: Ada) -> None:
        await ada.prefer("totp")

        pending = await ada.service.start_login(ada.number, method="voice")

        assert pending["challenge"]["method"] == "voice"


class TestRemoval:
    async def remove(self, ada: Ada) -> int:
        answer = await ada.service.ask("DELETE", "/me/factors/totp", token=ada.token)
        return answer.status_code

    async def test_it_opens_nothing_any_more(self, ada: Ada) -> None:
        await ada.prefer("totp")
        pending = await ada.service.start_login(ada.number)

        assert [await self.remove(ada), await self.remove(ada)] == [204, 404]

        answer = await ada.service.verify(pending, ada.app.code(), method="totp")
        assert code_of(answer) == "validation_failed"
        assert await rows(ada.service) == []
        me = (await ada.service.get("/me", ada.token)).json()
        assert (me["preferred_method"], me["factors"]) == ("sms", ["sms", "recovery_code"])
        [event] = await ada.events("factor_removed")
        assert event.detail == {"factor": "totp"}

    async def test_another_preference_stays(self, ada: Ada) -> None:
        await ada.prefer("voice")
        await self.remove(ada)

        assert (await ada.service.get("/me", ada.token)).json()["preferred_method"] == "voice"

    async def test_nobody_elses_goes(self, ada: Ada) -> None:
        bob = await ada.service.register(new_number())
        app = await add_app(ada.service, bob)
        await self.remove(ada)

        [row] = await rows(ada.service)
        assert str(row.user_id) == bob["user"]["id"]
        assert app != ada.app

    async def test_a_new_one_begins_anew(self, ada: Ada) -> None:
        code = ada.app.code()
        assert await ada.log_in(code) == 200
        await self.remove(ada)
        anew = Ada(ada.service, ada.number, ada.tokens, await add_app(ada.service, ada.tokens))

        assert await anew.log_in(code) == 400
        assert await anew.log_in(anew.app.code()) == 200


class TestList:
    async def test_each_says_what_it_is(self, ada: Ada) -> None:
        found = await ada.factors()

        assert list(found) == ["sms", "totp", "recovery_code"]
        assert found["sms"]["destination"].endswith(f" {ada.number[-2:]}")
        assert ada.number[:-2] not in str(found)
        assert {each["disabled"] for each in found.values()} == {False}
        assert {each["last_used_at"] for each in found.values()} == {None}

    async def test_recovery_codes_are_there_while_one_is_unused(self, ada: Ada) -> None:
        codes = ada.tokens["recovery_codes"]
        assert await ada.log_in(codes[0], "recovery_code") == 200
        assert (await ada.factors())["recovery_code"]["last_used_at"] == "2026-11-24T12:00:00.000Z"
        for code in codes[1:]:
            assert await ada.log_in(code, "recovery_code") == 200

        assert list(await ada.factors()) == ["sms", "totp"]
