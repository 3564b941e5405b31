"""A new phone number: who may ask, what the new number proves, and what the old one is worth afterwards."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
import time_machine
from api_surface import bearer, code_of
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.lock import lock_account
from otp_auth.accounts.models import PasswordReset
from otp_auth.sessions.models import TrustedDevice
from support.authenticator import add_app
from support.service import API, PASSWORD, Json, Service, new_number, wrong

NEW_PASSWORD = "Amber-Meadow-Compass-31"


async def ask(service: Service, tokens: Json, number: str, **fields: str) -> httpx.Response:
    return await service.post("/me/phone", {"phone_number": number, **fields}, tokens["access_token"])


async def begin(service: Service, tokens: Json, number: str, **fields: str) -> Json:
    answer = await ask(service, tokens, number, **fields)
    assert answer.status_code == 202, answer.text
    body: Json = answer.json()
    return body


async def move(service: Service, tokens: Json, number: str) -> Json:
    return await service.prove(await begin(service, tokens, number), number)


class TestTheWalk:
    async def test_the_code_goes_to_the_new_number_and_makes_it_the_accounts(self, service: Service) -> None:
        old, new = new_number(), new_number()
        tokens = await service.register(old)

        pending = await begin(service, tokens, new)
        shown = (await service.get("/auth/otp", pending["pending_token"])).json()
        before = (await service.get("/me", tokens["access_token"])).json()
        changed = await service.prove(pending, new)
        after = (await service.get("/me", tokens["access_token"])).json()

        assert pending["challenge"]["purpose"] == "phone_change"
        assert pending["methods"] == [{"method": "sms", "destination": f"•••••••• {new[-2:]}"}]
        assert shown["methods"] == pending["methods"]
        assert len(await service.simulator.messages(old)) == 1  # of the registration
        assert before["phone_number"] == old
        assert changed == {"status": "phone_changed", "user": after}
        assert after["phone_number"] == new
        assert after["phone_verified_at"] > before["phone_verified_at"]

    async def test_a_national_number_needs_its_region(self, service: Service) -> None:
        tokens = await service.register(new_number())

        pending = await begin(service, tokens, "070 174 06 05", region="SE", method="voice")

        assert pending["challenge"]["method"] == "voice"
        assert pending["challenge"]["destination"] == "•••••••• 05"

    async def test_the_new_number_logs_in_and_the_old_one_does_not(self, service: Service) -> None:
        old, new = new_number(), new_number()
        tokens = await service.register(old)
        await move(service, tokens, new)

        by_old = await service.post("/auth/login", {"identifier": old, "password": PASSWORD})
        logged_in = await service.log_in(new)

        assert code_of(by_old) == "invalid_credentials"
        assert logged_in["user"]["id"] == tokens["user"]["id"]

    async def test_whoever_gets_the_old_number_is_somebody_new(self, service: Service) -> None:
        """A recycled number neither opens nor merges."""
        old, new = new_number(), new_number()
        tokens = await service.register(old)
        await move(service, tokens, new)

        stranger = await service.register(old)

        assert stranger["user"]["id"] != tokens["user"]["id"]
        assert (await service.get("/me", tokens["access_token"])).json()["phone_number"] == new

    async def test_a_number_of_a_dormant_account_is_not_opened_by_proving_it(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        pending = await service.start_registration(number)

        answer = await service.verify(pending, await service.simulator.code(number))

        assert code_of(answer) == "account_exists"


class TestWhoMayAsk:
    async def test_an_old_proof_is_not_enough(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=9, seconds=50)) as clock:
            fresh = (await service.get("/me", tokens["access_token"])).status_code
            clock.shift(11)
            renewed = await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
            stale = await ask(service, renewed.json(), new_number())
            elevated = await service.step_up(renewed.json(), number)
            answer = await ask(service, elevated, new_number())

        assert fresh == 200
        assert code_of(stale) == "insufficient_user_authentication"
        assert answer.status_code == 202

    async def test_a_pending_token_is_none(self, service: Service) -> None:
        pending = await service.start_registration(new_number())

        answer = await service.post("/me/phone", {"phone_number": new_number()}, pending["pending_token"])

        assert code_of(answer) == "invalid_token"


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"phone_number": "12"}, "validation_failed"),
            ({"phone_number": "070 174 06 05"}, "phone_number_invalid"),
            ({}, "validation_failed"),
            ({"phone_number": "+46701740605", "method": "totp"}, "validation_failed"),
            ({"phone_number": "+46701740605", "user_id": str(uuid4())}, "validation_failed"),
        ],
    )
    async def test_fields(self, service: Service, fields: Json, code: str) -> None:
        tokens = await service.register(new_number())

        answer = await service.post("/me/phone", fields, tokens["access_token"])

        assert code_of(answer) == code

    async def test_the_present_number(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)

        assert code_of(await ask(service, tokens, number)) == "conflict"

    async def test_a_country_that_is_not_served(self, new_service: NewService) -> None:
        async with new_service(send={"countries": "SE"}) as service:
            tokens = await service.register(new_number())

            assert code_of(await ask(service, tokens, "+4915123456789")) == "destination_refused"

    async def test_a_budget_that_is_spent_is_no_refusal(self, new_service: NewService) -> None:
        async with new_service(send={"per_account_hour": 1, "resend_gap": "0"}) as service:
            number = new_number()
            tokens = await service.register(number)
            first = await begin(service, tokens, new_number())
            second = await begin(service, tokens, new_number())

        assert [each["challenge"]["delivery"] for each in (first, second)] == ["sent", "not_sent"]

    async def test_another_factor_of_the_account_proves_no_number(self, service: Service) -> None:
        tokens = await service.register(new_number())
        app = await add_app(service, tokens)
        pending = await begin(service, tokens, new_number())

        by_app = await service.verify(pending, app.code(1), method="totp")
        by_code = await service.verify(pending, tokens["recovery_codes"][0], method="recovery_code")
        by_old_sms = await service.verify(pending, "000000", method="voice")

        assert {code_of(each) for each in (by_app, by_code, by_old_sms)} == {"validation_failed"}

    async def test_a_code_to_the_old_number_proves_nothing(self, service: Service) -> None:
        old, new = new_number(), new_number()
        tokens = await service.register(old)
        await service.start_step_up(tokens)
        pending = await begin(service, tokens, new)

        answer = await service.verify(pending, await service.simulator.code(old))

        assert (code_of(answer), answer.json()["attempts_left"]) == ("wrong_code", 2)


class TestTakenNumbers:
    async def test_the_start_tells_nothing(self, service: Service) -> None:
        taken, free = new_number(), new_number()
        await service.register(taken)
        tokens = await service.register(new_number())

        seen = []
        for number in (taken, free):
            pending = await begin(service, tokens, number)
            shown = (await service.get("/auth/otp", pending["pending_token"])).json()
            guess = await service.verify(pending, wrong(await service.simulator.code(number)))
            seen.append((_shape(pending), _shape(shown), guess.status_code, guess.json()["code"]))

        assert seen[0] == seen[1]

    async def test_only_whoever_proves_it_learns_that_it_is_taken(self, service: Service) -> None:
        taken, own = new_number(), new_number()
        owner = await service.register(taken)
        tokens = await service.register(own)
        pending = await begin(service, tokens, taken)

        answer = await service.verify(pending, await service.simulator.code(taken))
        again = await service.get("/auth/otp", pending["pending_token"])

        assert code_of(answer) == "account_exists"
        assert code_of(again) == "challenge_closed"
        for each, number in ((owner, taken), (tokens, own)):
            assert (await service.get("/me", each["access_token"])).json()["phone_number"] == number


def _shape(pending: Json) -> Json:
    challenge = pending["challenge"]
    kept = {
        name: value
        for name, value in challenge.items()
        if name not in {"id", "destination", "expires_at", "resend_at"}
    }
    return {"challenge": kept, "methods": [each["method"] for each in pending["methods"]]}


class TestItsSession:
    @pytest.mark.parametrize("end", ["logout", "revocation", "password", "lock"])
    async def test_the_change_dies_with_what_asked_for_it(self, service: Service, end: str) -> None:
        number, new = new_number(), new_number()
        tokens = await service.register(number)
        other = await service.log_in(number)
        pending = await begin(service, tokens, new)
        code = await service.simulator.code(new)
        match end:
            case "logout":
                await service.post("/auth/logout", token=tokens["access_token"])
            case "revocation":
                path = f"/me/sessions/{tokens['session_id']}"
                await service.ask("DELETE", path, token=other["access_token"])
            case "password":
                body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
                assert (await service.post("/me/password", body, other["access_token"])).status_code == 204
            case _:
                assert await lock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})

        answer = await service.verify(pending, code)

        assert code_of(answer) == "challenge_closed"

    async def test_a_newer_change_closes_the_older_once_it_has_sent(self, service: Service) -> None:
        first, second = new_number(), new_number()
        tokens = await service.register(new_number())
        older = await begin(service, tokens, first)
        newer = await begin(service, tokens, second)

        refused = await service.verify(older, await service.simulator.code(first))

        assert code_of(refused) == "challenge_closed"
        assert (await service.prove(newer, second))["user"]["phone_number"] == second


class TestAfterwards:
    async def test_what_rests_on_the_old_number_is_dead_and_sessions_live(self, service: Service) -> None:
        old, new = new_number(), new_number()
        tokens = await service.register(old)
        others = await service.log_in(old)
        waiting = [await service.start_login(old, method="none"), await service.start_step_up(others)]
        await _add_device_and_reset(service, tokens)

        await move(service, tokens, new)

        for pending in waiting:
            assert code_of(await service.get("/auth/otp", pending["pending_token"])) == "challenge_closed"
        for each in (tokens, others):
            assert (await service.get("/me", each["access_token"])).status_code == 200
            body = {"refresh_token": each["refresh_token"]}
            assert (await service.post("/auth/token/refresh", body)).status_code == 200
        async with service.database.read() as tx:
            ended = [*(await tx.scalars(select(TrustedDevice.ended_at)))]
            ended += [*(await tx.scalars(select(PasswordReset.ended_at)))]
        assert len(ended) == 2
        assert None not in ended

    async def test_the_owner_can_read_of_it(self, service: Service) -> None:
        old, new = new_number(), new_number()
        tokens = await service.register(old)
        await move(service, tokens, new)

        events = (await service.get("/me/events", tokens["access_token"])).json()["items"]

        (event,) = [each for each in events if each["name"] == "phone_changed"]
        assert event["session_id"] == tokens["session_id"]
        assert event["detail"] == {"old_ends_in": old[-2:], "new_ends_in": new[-2:]}

    async def test_wrong_codes_of_the_new_number_do_not_shut_off_the_old(
        self, new_service: NewService
    ) -> None:
        async with new_service(guesses={"consecutive": 2}) as service:
            number, new = new_number(), new_number()
            tokens = await service.register(number)
            pending = await begin(service, tokens, new)
            for _ in range(2):
                await service.verify(pending, wrong(await service.simulator.code(new)))

            factors = await service.http.get(f"{API}/me/factors", headers=bearer(tokens["access_token"]))

        assert not any(each["disabled"] for each in factors.json()["items"])

    async def test_they_cost_guesses_of_the_account(self, new_service: NewService) -> None:
        async with new_service(guesses={"codes_5_minutes": 1}) as service:
            number, new = new_number(), new_number()
            tokens = await service.register(number)
            pending = await begin(service, tokens, new)
            await service.verify(pending, wrong(await service.simulator.code(new)))
            login = await service.start_login(number)

            answer = await service.verify(login, await service.simulator.code(number))

        assert code_of(answer) == "too_many_attempts"


class TestTheOwnerOfANumber:
    """A number that was only named is treated as a stranger's: whoever it belongs to is left in peace."""

    async def test_a_login_code_that_waits_stays_good(self, service: Service) -> None:
        taken = new_number()
        await service.register(taken)
        login = await service.start_login(taken)
        tokens = await service.register(new_number())

        pending = await begin(service, tokens, taken)

        assert pending["challenge"]["delivery"] == "sent"  # so it looks
        assert len(await service.simulator.messages(taken)) == 2
        assert (await service.prove(login, taken))["status"] == "authenticated"

    async def test_a_login_is_not_held_up(self, service: Service) -> None:
        taken = new_number()
        await service.register(taken)
        tokens = await service.register(new_number())
        await begin(service, tokens, taken)

        login = await service.start_login(taken)

        assert login["challenge"]["delivery"] == "sent"
        assert (await service.prove(login, taken))["status"] == "authenticated"


async def _add_device_and_reset(service: Service, tokens: Json) -> None:
    now, user_id = datetime.now(UTC), UUID(tokens["user"]["id"])
    times = {"created_at": now, "expires_at": now + timedelta(days=1), "password_version": 1}
    device = TrustedDevice(user_id=user_id, name="x", digest="d" * 64, last_used_at=now, **times)
    reset = PasswordReset(user_id=user_id, token_digest="r" * 64, **times)
    async with service.database.write() as tx:
        tx.add_all([device, reset])
