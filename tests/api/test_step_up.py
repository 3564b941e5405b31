"""Step-up: what starts it, what its proof brings, and with what it dies; as a client sees it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from api_surface import bearer, code_of, problem_of
from sqlalchemy import select, update

from conftest import NewService
from otp_auth.accounts.lock import lock_account
from otp_auth.accounts.models import User
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.sessions.models import Session
from support.service import API, PASSWORD, Json, Service, new_number, with_callbacks, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
# One number gets many messages, at once.
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}
OFTEN = WIDE | {"resend_gap": "0"}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=OFTEN) as running:
        yield running


def claims_of(answer: Json) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(answer["access_token"], options={"verify_signature": False})
    return claims


async def sessions(service: Service) -> list[str]:
    """All rows, as they stand."""
    async with service.database.read() as tx:
        return [str(row) for row in await tx.execute(select(Session.__table__).order_by(Session.id))]


async def events(service: Service, name: EventName) -> Sequence[AuditEvent]:
    async with service.database.read() as tx:
        return (await tx.scalars(select(AuditEvent).where(AuditEvent.name == name.value))).all()


async def set_user(service: Service, tokens: Json, **values: Any) -> None:
    async with service.database.write() as tx:
        await tx.execute(update(User).where(User.id == UUID(tokens["user"]["id"])).values(**values))


async def set_session(service: Service, tokens: Json, **values: Any) -> None:
    async with service.database.write() as tx:
        await tx.execute(update(Session).where(Session.id == UUID(tokens["session_id"])).values(**values))


async def otp_codes(service: Service, pending: Json, code: str) -> set[str]:
    """What the three routes of a pending token say."""
    token = pending["pending_token"]
    answers = (
        await service.get("/auth/otp", token),
        await service.post("/auth/otp/send", {"method": "sms"}, token),
        await service.verify(pending, code),
    )
    return {code_of(answer) for answer in answers}


class TestStart:
    async def test_a_code_goes_to_the_own_phone(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)

        pending = await service.start_step_up(tokens)

        assert (pending["status"], pending["challenge"]["purpose"]) == ("otp_required", "step_up")
        assert pending["challenge"]["delivery"] == "sent"
        assert [each["method"] for each in pending["methods"]] == ["sms", "recovery_code"]
        assert len(await service.simulator.messages(number)) == 2

    @pytest.mark.parametrize("preferred", ["sms", "voice"])
    async def test_the_channel_is_the_accounts_own_or_the_one_that_is_named(
        self, service: Service, preferred: str
    ) -> None:
        tokens = await service.register(new_number())
        await service.ask("PATCH", "/me", {"preferred_method": preferred}, tokens["access_token"])

        own = await service.start_step_up(tokens)
        named = await service.start_step_up(tokens, method="voice")

        assert own["challenge"]["method"] == preferred
        assert named["challenge"]["method"] == "voice"

    async def test_none_sends_nothing(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)

        pending = await service.start_step_up(tokens, method="none")

        assert pending["challenge"] is None
        assert len(await service.simulator.messages(number)) == 1

    async def test_a_channel_that_no_country_has_is_a_mistake(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await service.post("/auth/step-up", {"method": "whatsapp"}, tokens["access_token"])

        assert [each["field"] for each in problem_of(answer)["errors"]] == ["body.method"]

    async def test_a_cool_down_is_no_refusal(self, new_service: NewService) -> None:
        async with new_service() as service:
            number = new_number()
            tokens = await service.register(number)
            await service.start_step_up(tokens)

            second = await service.start_step_up(tokens)

            assert second["challenge"]["delivery"] == "not_sent"
            assert second["challenge"]["resend_at"] is not None
            assert len(await service.simulator.messages(number)) == 2

    async def test_a_budget_is_no_refusal(self, new_service: NewService) -> None:
        async with new_service(send={"resend_gap": "0", "per_account_hour": 1}) as service:
            number = new_number()
            tokens = await service.register(number)
            await service.start_step_up(tokens)

            second = await service.start_step_up(tokens)

            assert second["challenge"]["delivery"] == "not_sent"
            assert len(await service.simulator.messages(number)) == 2

    async def test_nothing_goes_to_a_phone_that_is_shut_off(self, new_service: NewService) -> None:
        async with new_service(send=OFTEN, guesses={"consecutive": 1}) as service:
            number = new_number()
            tokens = await service.register(number)
            pending = await service.start_step_up(tokens)
            await service.verify(pending, wrong(await service.simulator.code(number)))

            again = await service.start_step_up(tokens)

            assert again["challenge"] is None
            assert [each["method"] for each in again["methods"]] == ["recovery_code"]
            assert len(await service.simulator.messages(number)) == 2

    async def test_the_message_is_in_the_language_of_the_account(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number, locale="sv")

        await service.start_step_up(tokens)

        texts = [each["text"] for each in await service.simulator.messages(number)]
        assert texts[0].split()[:2] == texts[1].split()[:2]

    async def test_an_access_token_is_asked_for(self, service: Service) -> None:
        pending = await service.start_registration(new_number())

        for token in (None, pending["pending_token"]):
            assert code_of(await service.post("/auth/step-up", token=token)) == "invalid_token"


class TestProof:
    async def test_it_brings_one_access_token_of_the_same_session(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(number)
            before = await sessions(service)
            clock.shift(timedelta(minutes=7))
            pending = await service.start_step_up(tokens)
            answer = await service.verify(pending, await service.simulator.code(number))
            me = await service.get("/me", answer.json()["access_token"])

        elevated, login = claims_of(answer.json()), claims_of(tokens)
        assert answer.json() == {
            "status": "elevated",
            "access_token": answer.json()["access_token"],
            "token_type": "Bearer",
            "expires_in": 600,
        }
        assert "set-cookie" not in answer.headers
        assert elevated["auth_time"] == elevated["iat"] == login["auth_time"] + 7 * 60
        assert (elevated["amr"], elevated["acr"]) == (["pwd", "sms", "mfa"], "aal2")
        assert {name: elevated[name] for name in ("sub", "sid", "aud", "iss", "client_id")} == {
            name: login[name] for name in ("sub", "sid", "aud", "iss", "client_id")
        }
        assert me.json() == tokens["user"]
        assert await sessions(service) == before

    @pytest.mark.parametrize(
        ("amr", "method", "expected"),
        [
            pytest.param(["pwd", "sms", "mfa"], "voice", ["pwd", "sms", "mfa", "tel"], id="one more"),
            pytest.param(["pwd", "sms", "mfa"], "sms", ["pwd", "sms", "mfa"], id="the same again"),
            pytest.param(["pwd"], "sms", ["pwd", "sms", "mfa"], id="of a session of one factor"),
        ],
    )
    async def test_what_was_proved_is_added(
        self, service: Service, amr: list[str], method: str, expected: list[str]
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        await set_session(service, tokens, amr=amr, acr="aal1")

        pending = await service.start_step_up(tokens, method=method)
        elevated = await service.prove(pending, number)

        assert (claims_of(elevated)["amr"], claims_of(elevated)["acr"]) == (expected, "aal2")

    async def test_a_recovery_code_proves_too_and_counts_once(self, service: Service) -> None:
        tokens = await service.register(new_number())
        code = tokens["recovery_codes"][0]

        answers = [
            await service.verify(
                await service.start_step_up(tokens, method="none"), code, method="recovery_code"
            )
            for _ in range(2)
        ]

        assert [answer.status_code for answer in answers] == [200, 400]
        assert claims_of(answers[0].json())["amr"] == ["pwd", "sms", "mfa", "otp"]

    async def test_a_code_is_taken_once(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_step_up(await service.register(number))
        code = await service.simulator.code(number)
        await service.prove(pending, number)

        assert await otp_codes(service, pending, code) == {"challenge_closed"}

    async def test_cookie_mode_gives_no_cookie(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_step_up(await service.register(number))
        headers = bearer(pending["pending_token"]) | {"X-Token-Transport": "cookie"}
        body = {"code": await service.simulator.code(number)}

        answer = await service.http.post(f"{API}/auth/otp/verify", json=body, headers=headers)

        assert answer.json()["status"] == "elevated"
        assert "set-cookie" not in answer.headers

    async def test_a_refresh_knows_nothing_of_it(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(number)
            clock.shift(timedelta(minutes=5))
            await service.step_up(tokens, number)
            answer = await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})

        refreshed, login = claims_of(answer.json()), claims_of(tokens)
        told = ("auth_time", "amr", "acr")
        assert [refreshed[name] for name in told] == [login[name] for name in told]

    async def test_a_newer_one_closes_the_older_once_it_has_sent(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        older = await service.start_step_up(tokens)
        await service.start_step_up(tokens, method="none")
        still_open = await service.get("/auth/otp", older["pending_token"])

        newer = await service.start_step_up(tokens)

        assert still_open.status_code == 200
        assert code_of(await service.get("/auth/otp", older["pending_token"])) == "challenge_closed"
        assert (await service.prove(newer, number))["status"] == "elevated"


class TestWrongCodes:
    async def test_they_count_together_with_those_of_logins(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        outcomes = []
        for which in range(6):  # two at each: no attempt is the challenge's last
            pending = await service.start_login(number) if which % 2 else await service.start_step_up(tokens)
            code = wrong(await service.simulator.code(number))
            outcomes.append(code_of(await service.verify(pending, code)))

        assert outcomes == ["wrong_code"] * 5 + ["too_many_attempts"]

    async def test_the_right_code_is_not_looked_at_then(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        for _ in range(5):
            pending = await service.start_login(number)
            await service.verify(pending, wrong(await service.simulator.code(number)))
        pending = await service.start_step_up(tokens)
        reports = await service.simulator.reports(number)

        answer = await service.verify(pending, await service.simulator.code(number))

        assert code_of(answer) == "too_many_attempts"
        assert await service.simulator.reports(number) == reports

    async def test_the_owner_can_read_of_them(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_step_up(tokens)

        await service.verify(pending, wrong(await service.simulator.code(number)))

        [failed] = await events(service, EventName.SECOND_FACTOR_FAILED)
        assert (str(failed.user_id), str(failed.session_id)) == (tokens["user"]["id"], tokens["session_id"])
        assert failed.detail == {
            "method": "sms",
            "purpose": "step_up",
            "reason": "wrong_code",
            "repeated": False,
        }


class TestOtherChallenges:
    async def test_codes_of_a_login_and_of_a_step_up_are_two(self, service: Service) -> None:
        async with with_callbacks(service):
            number = new_number()
            tokens = await service.register(number)
            login = await service.start_login(number)
            of_login = await service.simulator.code(number)
            step_up = await service.start_step_up(tokens)
            of_step_up = await service.simulator.code(number)

            crossed = [await service.verify(step_up, of_login), await service.verify(login, of_step_up)]
            straight = await service.verify(step_up, of_step_up)

        assert [code_of(answer) for answer in crossed] == ["wrong_code", "wrong_code"]
        assert straight.json()["status"] == "elevated"

    async def test_it_elevates_nobody_else(self, service: Service) -> None:
        ada, bob = new_number(), new_number()
        of_ada, of_bob = await service.register(ada), await service.register(bob)
        pending = await service.start_step_up(of_ada)
        await service.start_step_up(of_bob)

        by_bob = await service.verify(pending, of_bob["recovery_codes"][0], method="recovery_code")
        elevated = await service.prove(pending, ada)

        assert code_of(by_bob) == "wrong_code"
        assert (claims_of(elevated)["sub"], claims_of(elevated)["sid"]) == (
            of_ada["user"]["id"],
            of_ada["session_id"],
        )


class TestEnds:
    @pytest.mark.parametrize("everywhere", [True, False])
    async def test_it_dies_with_its_session(self, service: Service, everywhere: bool) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_step_up(tokens)
        await service.post("/auth/logout", {"everywhere": everywhere}, tokens["access_token"])

        codes = await otp_codes(service, pending, await service.simulator.code(number))

        assert codes == {"challenge_closed"}
        assert len(await service.simulator.messages(number)) == 2

    async def test_the_end_of_another_session_leaves_it(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        other = await service.log_in(number)
        pending = await service.start_step_up(tokens)

        await service.post("/auth/logout", token=other["access_token"])

        assert (await service.prove(pending, number))["status"] == "elevated"

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param({"password_version": 2}, id="a new password"),
            pytest.param({"locked_at": START}, id="a lock"),
        ],
    )
    async def test_a_new_password_or_a_lock_elevates_nobody(
        self, service: Service, values: dict[str, Any]
    ) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_step_up(tokens)
        await set_user(service, tokens, **values)
        if "password_version" in values:  # the session that changed it goes on
            await set_session(service, tokens, **values)

        answer = await service.verify(pending, await service.simulator.code(number))

        assert code_of(answer) == "challenge_closed"

    async def test_a_password_change_closes_it_though_its_session_goes_on(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_step_up(tokens)
        change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}-again"}
        changed = await service.post("/me/password", change, tokens["access_token"])

        codes = await otp_codes(service, pending, await service.simulator.code(number))

        assert changed.status_code == 204
        assert codes == {"challenge_closed"}
        assert (await service.step_up(tokens, number))["status"] == "elevated"

    async def test_the_lock_of_an_operator_closes_it(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        pending = await service.start_step_up(tokens)
        await lock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})

        codes = await otp_codes(service, pending, await service.simulator.code(number))

        assert codes == {"challenge_closed"}

    async def test_the_elevated_token_ends_with_its_session_too(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        elevated = await service.step_up(tokens, number)
        await service.post("/auth/logout", token=tokens["access_token"])

        answer = await service.http.get(f"{API}/me", headers=bearer(elevated["access_token"]))

        assert code_of(answer) == "invalid_token"
