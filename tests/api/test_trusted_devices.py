"""Trusted devices: who gets one, what a login with it is worth, where it is listed, and what ends it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
import time_machine
from api_surface import Operation, bearer, code_of, operations
from httpx import Response
from sqlalchemy import func, select, update
from test_token_matrix import ROUTES, Opens

from conftest import NewService
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.api.client_address import masked_address
from otp_auth.audit.models import AuditEvent
from otp_auth.budgets import Spending
from otp_auth.challenges.models import Challenge
from otp_auth.errors import OverloadedError
from otp_auth.hashing import HashingPool
from otp_auth.sessions.models import Session, TrustedDevice
from support.authenticator import add_app, enrol
from support.browser import COOKIE_MODE, opened_browser
from support.devices import (
    ON,
    WIDE,
    is_asked_for_a_code,
    let_in,
    register_trusted,
    show,
    trust_another,
    verify_trusted,
)
from support.resets import allowed, cancel, reset
from support.service import PASSWORD, Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
WRONG = "Wrong-Lantern-99"
NEW_PASSWORD = "Amber-Meadow-Compass-31"
FOURTEEN, FIFTEEN = "Quiet-Harbour-", "Quiet-Harbour-L"
BEHIND_A_PROXY = "127.0.0.1/32"
HERE = "203.0.113.7"


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON) as running:
        yield running


def said_of(tokens: Json) -> Json:
    claims: Json = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return claims


async def listed(service: Service, tokens: Json, cursor: str | None = None) -> Json:
    answer = await service.get(f"/me/devices{f'?cursor={cursor}' if cursor else ''}", tokens["access_token"])
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def end(service: Service, tokens: Json, device_id: str) -> Response:
    return await service.ask("DELETE", f"/me/devices/{device_id}", token=tokens["access_token"])


async def events(service: Service, tokens: Json, name: str) -> list[AuditEvent]:
    mine = (AuditEvent.user_id == UUID(tokens["user"]["id"]), AuditEvent.name == name)
    async with service.database.read() as tx:
        return list(await tx.scalars(select(AuditEvent).where(*mine).order_by(AuditEvent.id)))


async def stored(service: Service) -> int:
    async with service.database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(TrustedDevice)) or 0


class TestTrust:
    @pytest.mark.parametrize("how", ["register", "login", "app"])
    async def test_a_proved_code_can_bring_it(self, service: Service, how: str) -> None:
        number = new_number()
        if how == "register":
            tokens = await register_trusted(service, number)
        else:
            first = await service.register(number)
            app = await add_app(service, first) if how == "app" else None
            pending = await service.start_login(number)
            code = app.code() if app else await service.simulator.code(number)
            method = {"method": "totp"} if app else {}
            tokens = (await service.verify(pending, code, trust_device=True, **method)).json()

        assert said_of(tokens)["acr"] == "aal2"
        [device] = (await listed(service, tokens))["items"]
        [event] = await events(service, tokens, "device_trusted")
        assert event.detail == {"device_id": device["id"]}
        assert str(event.session_id) == tokens["session_id"]
        assert (await let_in(service, tokens))["device_token"] != tokens["device_token"]

    async def test_nobody_gets_it_who_has_not_asked(self, service: Service) -> None:
        tokens = await service.register(new_number())

        assert "device_token" not in tokens
        assert await stored(service) == 0

    async def test_a_recovery_code_brings_none(self, service: Service) -> None:
        number = new_number()
        codes = (await service.register(number))["recovery_codes"]
        pending = await service.start_login(number, method="none")

        answer = await service.verify(pending, codes[0], method="recovery_code", trust_device=True)

        assert (answer.status_code, answer.json()["status"]) == (200, "authenticated")
        assert "device_token" not in answer.json()
        assert await stored(service) == 0

    async def test_a_step_up_brings_none(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_step_up(await service.register(number))

        answer = await service.verify(pending, await service.simulator.code(number), trust_device=True)

        assert (answer.status_code, answer.json()["status"]) == (200, "elevated")
        assert "device_token" not in answer.json()
        assert await stored(service) == 0

    async def test_a_change_of_the_phone_brings_none(self, service: Service) -> None:
        tokens, number = await service.register(new_number()), new_number()
        begun = await service.post("/me/phone", {"phone_number": number}, tokens["access_token"])

        code = await service.simulator.code(number)
        answer = await service.verify(begun.json(), code, trust_device=True)

        assert (answer.status_code, answer.json()["status"]) == (200, "phone_changed")
        assert "device_token" not in answer.json()
        assert await stored(service) == 0

    async def test_it_is_off_by_default(self, new_service: NewService) -> None:
        async with new_service(send=WIDE) as service:
            number = new_number()
            pending = await service.start_registration(number)
            code = await service.simulator.code(number)

            tokens = (await service.verify(pending, code, trust_device=True)).json()

            assert tokens["status"] == "authenticated"
            assert "device_token" not in tokens
            assert (await listed(service, tokens))["items"] == []

    async def test_switched_off_again_no_device_counts_and_all_are_listed(
        self, new_service: NewService, service: Service
    ) -> None:
        tokens = await register_trusted(service)

        async with new_service() as off:
            assert await is_asked_for_a_code(off, tokens)
            [device] = (await listed(off, tokens))["items"]
            assert (await end(off, tokens, device["id"])).status_code == 204
            assert (await listed(off, tokens))["items"] == []
        assert await is_asked_for_a_code(service, tokens)

    async def test_it_is_called_as_its_owner_says_or_as_it_says_itself(self, service: Service) -> None:
        number = new_number()
        named = await trust_another_named(service, number, "Ada's phone")
        await trust_another(service, number)

        names = [device["name"] for device in (await listed(service, named))["items"]]
        sessions = (await service.get("/me/sessions", named["access_token"])).json()["items"]
        by_device = await let_in(service, named)
        newest = (await service.get("/me/sessions", by_device["access_token"])).json()["items"][0]

        assert names == [sessions[0]["device"], "Ada's phone"]
        assert names[0].startswith("python-httpx")
        assert (newest["current"], newest["device"]) == (True, "Ada's phone")


async def trust_another_named(service: Service, number: str, name: str) -> Json:
    pending = await service.start_registration(number)
    return await verify_trusted(service, pending, number, name)


class TestLogin:
    async def test_it_is_a_session_of_one_factor(self, service: Service) -> None:
        tokens = await register_trusted(service)
        sent = len(await service.simulator.messages(tokens["user"]["phone_number"]))

        by_device = await let_in(service, tokens)

        said = said_of(by_device)
        assert (said["acr"], said["amr"], said["sid"]) == ("aal1", ["pwd"], by_device["session_id"])
        assert by_device["session_id"] != tokens["session_id"]
        assert by_device["user"] == tokens["user"]
        assert "recovery_codes" not in by_device
        assert len(await service.simulator.messages(tokens["user"]["phone_number"])) == sent
        assert (await service.get("/me", by_device["access_token"])).status_code == 200

    async def test_a_refresh_leaves_it_so(self, service: Service) -> None:
        by_device = await let_in(service, await register_trusted(service))

        answer = await service.post("/auth/token/refresh", {"refresh_token": by_device["refresh_token"]})

        said, before = said_of(answer.json()), said_of(by_device)
        assert "device_token" not in answer.json()
        assert [said[name] for name in ("acr", "amr", "auth_time", "sid")] == [
            before[name] for name in ("acr", "amr", "auth_time", "sid")
        ]

    async def test_it_is_written_down(self, service: Service) -> None:
        tokens = await register_trusted(service)
        [device] = (await listed(service, tokens))["items"]

        by_device = await let_in(service, tokens)

        [event] = await events(service, tokens, "login_succeeded")
        assert event.detail == {"method": "trusted_device", "device_id": device["id"], "new_network": False}
        assert str(event.session_id) == by_device["session_id"]

    async def test_the_e_mail_address_will_do(self, service: Service) -> None:
        tokens = await register_trusted(service, email="ada@example.com")
        body = {
            "identifier": "ada@example.com",
            "password": PASSWORD,
            "device_token": tokens["device_token"],
        }

        assert (await service.post("/auth/login", body)).json()["status"] == "authenticated"

    async def test_in_cookie_mode_the_refresh_token_is_in_the_cookie(self, service: Service) -> None:
        tokens = await register_trusted(service)
        body = {
            "identifier": tokens["user"]["phone_number"],
            "password": PASSWORD,
            "device_token": tokens["device_token"],
        }
        async with opened_browser(service) as browser:
            answer = await browser.post("/auth/login", body, mode=COOKIE_MODE)
            assert "refresh_token" not in answer.json()
            assert answer.json()["device_token"]
            assert (await browser.refresh()).status_code == 200

    async def test_a_wrong_password_is_wrong_and_looks_at_no_device(self, service: Service) -> None:
        tokens = await register_trusted(service)
        without = {"identifier": tokens["user"]["phone_number"], "password": WRONG}

        shown = await show(service, tokens, password=WRONG)
        plain = await service.post("/auth/login", without)

        assert _plain(shown) == _plain(plain)
        assert code_of(shown) == "invalid_credentials"
        await let_in(service, tokens)

    async def test_a_locked_account_answers_as_to_a_wrong_password(self, service: Service) -> None:
        tokens = await register_trusted(service)
        wrong = await show(service, tokens, password=WRONG)
        user_id = UUID(tokens["user"]["id"])
        await lock_account(service.database, user_id, {"by": "operator"})

        locked = await show(service, tokens)
        await unlock_account(service.database, user_id, {"by": "operator"})

        assert _plain(locked) == _plain(wrong)
        assert await is_asked_for_a_code(service, tokens)

    async def test_an_unknown_account_answers_as_to_a_wrong_password(self, service: Service) -> None:
        tokens = await register_trusted(service)
        wrong = await show(service, tokens, password=WRONG)
        nobody = {"user": {"phone_number": new_number()}, "device_token": tokens["device_token"]}

        assert _plain(await show(service, nobody)) == _plain(wrong)

    async def test_without_a_device_the_answer_is_that_of_any_login(self, service: Service) -> None:
        tokens = await register_trusted(service)
        body = {"identifier": tokens["user"]["phone_number"], "password": PASSWORD, "method": "none"}
        plain, odd = (
            (await service.post("/auth/login", body)).json(),
            (await show(service, tokens, "x")).json(),
        )

        assert {name: plain[name] for name in plain if name != "pending_token"} == {
            name: odd[name] for name in odd if name != "pending_token"
        }


def _plain(answer: Response) -> tuple[int, Json, set[str]]:
    body: Json = answer.json()
    body.pop("request_id", None)
    return answer.status_code, body, set(answer.headers)


class TestRecentProof:
    async def test_no_route_that_wants_one_opens_to_such_a_login(self, service: Service) -> None:
        by_device = await let_in(service, await register_trusted(service))
        wanting = [each for each in operations(service.app) if ROUTES[each.name] is Opens.RECENT]
        assert len(wanting) >= 5

        refused = {each.name: code_of(await _ask(service, each, by_device)) for each in wanting}

        assert set(refused.values()) == {"insufficient_user_authentication"}

    async def test_password_and_held_resets_want_two_factors_however_old(self, service: Service) -> None:
        """A thief with password and device neither keeps the owner out nor undoes the owner's reset."""
        tokens = await register_trusted(service)
        number = tokens["user"]["phone_number"]
        by_device = await let_in(service, tokens)
        assert (await reset(service, await allowed(service, number))).status_code == 202
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

        refused = [
            await service.post("/me/password", change, by_device["access_token"]),
            await cancel(service, by_device),
        ]
        profile = (await service.get("/me", tokens["access_token"])).json()
        elevated = await service.step_up(by_device, number)
        opened = [
            await cancel(service, elevated),
            await service.post("/me/password", change, elevated["access_token"]),
        ]

        assert [code_of(each) for each in refused] == ["insufficient_user_authentication"] * 2
        for each in refused:
            assert each.status_code == 401
            assert each.headers["WWW-Authenticate"].endswith('acr_values="aal2"')
            assert each.json()["acr_values"] == "aal2"
            assert "max_age" not in each.json()
        assert profile["password_reset_at"]
        assert [each.status_code for each in opened] == [204, 204]

    async def test_a_step_up_gives_one_token_and_leaves_the_session_as_it_is(self, service: Service) -> None:
        tokens = await register_trusted(service)
        by_device = await let_in(service, tokens)

        elevated = await service.step_up(by_device, tokens["user"]["phone_number"])

        assert (said_of(elevated)["acr"], said_of(elevated)["amr"]) == ("aal2", ["pwd", "sms", "mfa"])
        renewed = await service.post("/me/recovery-codes", token=elevated["access_token"])
        again = await service.post("/auth/token/refresh", {"refresh_token": by_device["refresh_token"]})
        assert renewed.status_code == 200
        assert (said_of(again.json())["acr"], said_of(again.json())["amr"]) == ("aal1", ["pwd"])
        refused = await service.post("/me/recovery-codes", token=again.json()["access_token"])
        assert code_of(refused) == "insufficient_user_authentication"

    async def test_a_device_token_opens_nothing_else(self, service: Service) -> None:
        tokens = await register_trusted(service)
        shown = tokens["device_token"]

        answers = [
            await service.get("/me", shown),
            await service.get("/auth/otp", shown),
            await service.post("/auth/token/refresh", {"refresh_token": shown}),
        ]

        assert [code_of(answer) for answer in answers] == ["invalid_token"] * 3


async def _ask(service: Service, operation: Operation, tokens: Json) -> Response:
    body: Json | None = {} if operation.takes_body else None
    headers = bearer(tokens["access_token"])
    return await service.http.request(operation.method, operation.path, json=body, headers=headers)


class TestLengthOfPasswords:
    @pytest.mark.parametrize(("enabled", "shortest"), [(True, 15), (False, 8)])
    async def test_a_registration_wants_as_many_characters(
        self, new_service: NewService, enabled: bool, shortest: int
    ) -> None:
        async with new_service(send=WIDE, trusted_devices={"enabled": enabled}) as service:
            short, enough = [
                await service.post(
                    "/auth/register", {"phone_number": new_number(), "password": FIFTEEN[:length]}
                )
                for length in (shortest - 1, shortest)
            ]

        assert (code_of(short), enough.status_code) == ("validation_failed", 202)
        [error] = short.json()["errors"]
        assert (error["field"], error["rule"]) == ("body.password", "too_short")
        assert FIFTEEN[: shortest - 1] not in short.text

    async def test_a_change_wants_15(self, service: Service) -> None:
        tokens = await service.register(new_number())
        short, enough = [
            await service.post(
                "/me/password", {"current_password": PASSWORD, "new_password": new}, tokens["access_token"]
            )
            for new in (FOURTEEN, FIFTEEN)
        ]

        assert (code_of(short), enough.status_code) == ("validation_failed", 204)
        assert [(error["field"], error["rule"]) for error in short.json()["errors"]] == [
            ("body.new_password", "too_short")
        ]

    async def test_a_letter_is_one_character_however_it_is_typed(self, service: Service) -> None:
        composed, apart = "é-Harbour-Lant", "e\u0301-Harbour-Lant"
        assert (len(composed), len(apart)) == (14, 15)

        answer = await service.post("/auth/register", {"phone_number": new_number(), "password": apart})

        assert code_of(answer) == "validation_failed"

    @pytest.mark.parametrize(("password", "trusted"), [(FOURTEEN, False), (FIFTEEN, True)])
    async def test_passwords_from_before_bring_a_device_only_if_they_are_long(
        self, new_service: NewService, service: Service, password: str, trusted: bool
    ) -> None:
        number = new_number()
        async with new_service() as before:
            await before.register(number, password=password)

        pending = await service.start_login(number, password=password)
        answer = await service.verify(pending, await service.simulator.code(number), trust_device=True)

        assert answer.json()["status"] == "authenticated"
        assert ("device_token" in answer.json()) is trusted

    @pytest.mark.parametrize(("password", "trusted"), [(FOURTEEN, False), (FIFTEEN, True)])
    async def test_so_do_registrations_that_began_before(
        self, new_service: NewService, service: Service, password: str, trusted: bool
    ) -> None:
        number = new_number()
        async with new_service() as before:
            pending = await before.start_registration(number, password=password)

        answer = await service.verify(pending, await service.simulator.code(number), trust_device=True)

        assert answer.json()["status"] == "authenticated"
        assert ("device_token" in answer.json()) is trusted

    async def test_a_login_that_an_earlier_version_began_brings_none(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        pending = await service.start_login(number)
        async with service.database.write() as tx:
            await tx.execute(update(Challenge).values(payload=None))

        answer = await service.verify(pending, await service.simulator.code(number), trust_device=True)

        assert answer.json()["status"] == "authenticated"
        assert "device_token" not in answer.json()


Change = Callable[[Service, Json], Awaitable[None]]


async def change_password(service: Service, tokens: Json) -> None:
    body = {"current_password": PASSWORD, "new_password": PASSWORD}
    answer = await service.post("/me/password", body, tokens["access_token"])
    assert answer.status_code == 204


async def change_phone(service: Service, tokens: Json) -> None:
    number = new_number()
    begun = await service.post("/me/phone", {"phone_number": number}, tokens["access_token"])
    assert (await service.prove(begun.json(), number))["status"] == "phone_changed"
    tokens["user"]["phone_number"] = number


async def add_an_app(service: Service, tokens: Json) -> None:
    await add_app(service, tokens)


async def revoke(service: Service, tokens: Json) -> None:
    [device] = (await listed(service, tokens))["items"]
    assert (await end(service, tokens, device["id"])).status_code == 204


class TestEnds:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (change_password, "password_changed"),
            (change_phone, "phone_changed"),
            (add_an_app, "factor_added"),
            (revoke, None),
        ],
    )
    async def test_what_it_rests_on_changes(
        self, service: Service, change: Change, reason: str | None
    ) -> None:
        tokens = await register_trusted(service)
        [device] = (await listed(service, tokens))["items"]
        newest = await let_in(service, tokens)
        neighbour = await register_trusted(service)

        await change(service, tokens)

        assert await is_asked_for_a_code(service, tokens, newest["device_token"], tokens["device_token"])
        assert (await listed(service, tokens))["items"] == []
        [event] = await events(service, tokens, "device_revoked")
        assert event.detail == {"device_id": device["id"]} | ({"reason": reason} if reason else {})
        await let_in(service, neighbour)

    async def test_one_that_has_expired_is_not_told_as_revoked(self, service: Service) -> None:
        tokens = await register_trusted(service)
        async with service.database.write() as tx:
            await tx.execute(update(TrustedDevice).values(expires_at=datetime.now(UTC)))

        await change_password(service, tokens)

        assert await events(service, tokens, "device_revoked") == []

    async def test_an_app_is_removed(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        await add_app(service, tokens)
        tokens = await trust_another(service, number)

        removed = await service.ask("DELETE", "/me/factors/totp", token=tokens["access_token"])

        assert removed.status_code == 204
        assert await is_asked_for_a_code(service, tokens)
        [event] = await events(service, tokens, "device_revoked")
        assert event.detail["reason"] == "factor_removed"

    async def test_an_app_that_is_not_confirmed_ends_none(self, service: Service) -> None:
        tokens = await register_trusted(service)
        app = await enrol(service, tokens)
        wrong = await service.post(
            "/me/factors/totp/confirm", {"code": app.wrong_code()}, tokens["access_token"]
        )

        assert code_of(wrong) == "wrong_code"
        await let_in(service, tokens)

    @pytest.mark.parametrize("everywhere", [False, True])
    async def test_a_logout_ends_none(self, service: Service, everywhere: bool) -> None:
        tokens = await register_trusted(service)

        await service.post("/auth/logout", {"everywhere": everywhere}, tokens["access_token"])

        await let_in(service, tokens)

    async def test_an_account_that_is_deleted_has_none(self, service: Service) -> None:
        tokens = await register_trusted(service)
        number = tokens["user"]["phone_number"]
        await show(service, tokens, password=WRONG)
        counted = Spending.key.contains(tokens["user"]["id"])
        async with service.database.read() as tx:
            assert await tx.scalar(select(Spending.spent).where(counted, Spending.spent > 0)) == 1

        assert (await service.ask("DELETE", "/me", token=tokens["access_token"])).status_code == 204
        async with service.database.read() as tx:
            assert await tx.scalar(select(func.count()).select_from(Spending).where(counted)) == 0
        again = await service.register(number)

        assert await stored(service) == 0
        assert await is_asked_for_a_code(service, again | {"device_token": tokens["device_token"]})

    async def test_whoever_is_revoked_keeps_the_sessions(self, service: Service) -> None:
        tokens = await register_trusted(service)
        by_device = await let_in(service, tokens)

        await revoke(service, tokens)

        assert (await service.get("/me", by_device["access_token"])).status_code == 200


class TestList:
    async def test_what_it_tells(self, new_service: NewService) -> None:
        policy: dict[str, Any] = {"trusted_devices": ON, "trusted_proxies": BEHIND_A_PROXY}
        with time_machine.travel(START, tick=False) as clock:
            async with new_service(send=WIDE, **policy) as service:
                tokens = await register_trusted(service)
                clock.shift(timedelta(hours=1))
                assert (await show(service, tokens, address=HERE)).status_code == 200
                tokens = await service.log_in(tokens["user"]["phone_number"])

                page = await listed(service, tokens)

        [device] = page["items"]
        assert UUID(device.pop("id")).version == 7
        assert device.pop("name").startswith("python-httpx")
        assert device == {
            "created_at": "2026-11-24T12:00:00.000Z",
            "last_used_at": "2026-11-24T13:00:00.000Z",
            "expires_at": "2026-12-24T12:00:00.000Z",
            "address": masked_address("203.0.113.0/24"),
        }
        assert page["next_cursor"] is None

    async def test_the_newest_first_in_pages(self, service: Service) -> None:
        tokens = await service.register(new_number())
        user_id = UUID(tokens["user"]["id"])
        async with service.database.write() as tx:
            tx.add_all([_device(user_id, f"{number}") for number in range(51)])

        first = await listed(service, tokens)
        last = await listed(service, tokens, first["next_cursor"])

        ids = [device["id"] for page in (first, last) for device in page["items"]]
        assert (len(first["items"]), len(last["items"]), last["next_cursor"]) == (50, 1, None)
        assert ids == sorted(set(ids), reverse=True)

    async def test_those_that_are_over_and_those_of_others_are_not_there(self, service: Service) -> None:
        tokens = await register_trusted(service)
        await register_trusted(service)
        user_id, past = UUID(tokens["user"]["id"]), datetime.now(UTC) - timedelta(seconds=1)
        over = [
            _device(user_id, "a", ended_at=past),
            _device(user_id, "b", expires_at=past),
            _device(user_id, "c", password_version=0),
        ]
        async with service.database.write() as tx:
            tx.add_all(over)

        items = (await listed(service, tokens))["items"]

        assert len(items) == 1
        assert items[0]["name"].startswith("python-httpx")

    async def test_no_token_and_no_digest_is_in_it(self, service: Service) -> None:
        tokens = await register_trusted(service)
        answer = await service.get("/me/devices", tokens["access_token"])

        assert set(answer.json()["items"][0]) == {
            "id",
            "name",
            "created_at",
            "last_used_at",
            "expires_at",
            "address",
        }

    async def test_what_is_not_there_and_what_is_not_ones_own_answer_alike(self, service: Service) -> None:
        ada, bob = await register_trusted(service), await register_trusted(service)
        [of_bob] = (await listed(service, bob))["items"]
        [of_ada] = (await listed(service, ada))["items"]
        assert (await end(service, ada, of_ada["id"])).status_code == 204

        wanted = [of_bob["id"], of_ada["id"], str(uuid4()), of_bob["id"].upper(), "x", ada["session_id"]]
        answers = [await end(service, ada, each) for each in wanted]

        assert {answer.status_code for answer in answers} == {404}
        assert len({_without_id(answer) for answer in answers}) == 1
        await let_in(service, bob)


def _without_id(answer: Response) -> bytes:
    return answer.content.replace(answer.headers["x-request-id"].encode(), b"")


def _device(user_id: UUID, digest: str, **changes: Any) -> TrustedDevice:
    now = datetime.now(UTC)
    values = {"created_at": now, "last_used_at": now, "expires_at": now + timedelta(days=1)}
    return TrustedDevice(
        **{"user_id": user_id, "name": "x", "digest": digest, "password_version": 1, **values, **changes}
    )


class TestBudgets:
    @pytest.fixture
    async def service(self, new_service: NewService) -> AsyncIterator[Service]:
        budgets = {"passwords_address_5_minutes": 3, "passwords_15_minutes": 3}
        proxies = {"trusted_proxies": BEHIND_A_PROXY}
        async with new_service(send=WIDE, trusted_devices=ON, guesses=budgets, **proxies) as running:
            yield running

    async def tries(self, service: Service, tokens: Json, device_token: str, times: int) -> list[int]:
        return [(await show(service, tokens, device_token, WRONG, HERE)).status_code for _ in range(times)]

    async def test_strangers_keep_its_owner_from_no_login(self, service: Service) -> None:
        tokens = await register_trusted(service)
        strangers = await self.tries(service, tokens, "none", 4)

        without = await show(service, tokens, "none")
        by_device = await show(service, tokens)

        assert (strangers, without.status_code) == ([401, 401, 401, 429], 429)
        assert by_device.json()["status"] == "authenticated"

    async def test_a_device_has_as_many_tries_wherever_it_is(self, service: Service) -> None:
        tokens = await register_trusted(service)
        with time_machine.travel(START, tick=False) as clock:
            answers = await self.tries(service, tokens, tokens["device_token"], 4)
            elsewhere = await show(service, tokens, address="198.51.100.7")
            clock.shift(timedelta(minutes=5))
            later = await show(service, tokens)

        assert answers == [401, 401, 401, 429]
        assert (code_of(elsewhere), elsewhere.headers["Retry-After"]) == ("too_many_attempts", "300")
        assert later.status_code == 200

    async def test_right_passwords_and_those_that_nobody_looked_at_cost_nothing(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def overloaded(*_: object) -> None:
            raise OverloadedError

        tokens = await register_trusted(service)
        with monkeypatch.context() as patch:
            patch.setattr(HashingPool, "run", overloaded)
            busy = [(await show(service, tokens)).status_code for _ in range(4)]
        for _ in range(4):
            tokens = await let_in(service, tokens)

        assert busy == [503] * 4

    async def test_it_is_counted_before_the_hash(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_at: list[str] = []
        verify = PasswordHasher._verify

        def note(self: PasswordHasher, password: str, stored: str | None) -> bool:
            looked_at.append(password)
            return verify(self, password, stored)

        tokens = await register_trusted(service)
        monkeypatch.setattr(PasswordHasher, "_verify", note)

        await self.tries(service, tokens, tokens["device_token"], 6)

        assert looked_at == [WRONG] * 3

    @pytest.mark.parametrize("whose", ["of another account", "spent", "of a device that ended"])
    async def test_no_other_token_has_tries_of_its_own(self, service: Service, whose: str) -> None:
        tokens = await register_trusted(service)
        if whose == "of another account":
            token = (await register_trusted(service))["device_token"]
        else:
            token = tokens["device_token"]
            newest = await let_in(service, tokens)
            if whose == "of a device that ended":
                token = newest["device_token"]
                await revoke(service, tokens)

        assert await self.tries(service, tokens, "none", 3) == [401] * 3
        assert await self.tries(service, tokens, token, 2) == [429] * 2


async def test_only_the_one_function_makes_its_session(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken away, nothing else opens one."""

    async def refuse(*_: object) -> None:
        raise OverloadedError

    tokens = await register_trusted(service)
    monkeypatch.setattr("otp_auth.ceremonies.device_login.open_session", refuse)

    assert (await show(service, tokens)).status_code == 503

    async with service.database.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Session)) == 1
    monkeypatch.undo()
    await let_in(service, tokens)  # all of it was rolled back: the token isn't spent
