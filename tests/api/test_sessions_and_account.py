"""After the second factor: refresh, logout, the own account."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from support.service import Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def claims_of(tokens: Json) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return claims


async def refresh(service: Service, token: str) -> tuple[int, Json]:
    answer = await service.post("/auth/token/refresh", {"refresh_token": token})
    return answer.status_code, answer.json()


class TestRefresh:
    async def test_it_rotates_and_never_raises_what_was_proved(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            clock.shift(timedelta(hours=1))
            status, refreshed = await refresh(service, tokens["refresh_token"])

        before, after = claims_of(tokens), claims_of(refreshed)
        assert status == 200
        assert refreshed["refresh_token"] != tokens["refresh_token"]
        assert refreshed["session_id"] == tokens["session_id"]
        assert after["auth_time"] == before["auth_time"]
        assert (after["amr"], after["acr"]) == (before["amr"], before["acr"])
        assert after["iat"] == before["iat"] + 3600
        assert "recovery_codes" not in refreshed

    async def test_an_unknown_token_is_refused(self, service: Service) -> None:
        tokens = await service.register(new_number())

        for token in ("unknown", tokens["access_token"][:500]):
            status, problem = await refresh(service, token)
            assert (status, problem["code"]) == (401, "invalid_token")

    async def test_it_ends_after_seven_days_without_use(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            clock.shift(timedelta(days=7))

            assert (await refresh(service, tokens["refresh_token"]))[0] == 401

    async def test_it_ends_after_thirty_days_in_any_case(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            token = (await service.register(new_number()))["refresh_token"]
            for _ in range(5):
                clock.shift(timedelta(days=5, hours=23))
                status, refreshed = await refresh(service, token)
                assert status == 200
                token = refreshed["refresh_token"]
            assert refreshed["refresh_expires_in"] == 5 * 3600  # less than the seven days
            clock.shift(timedelta(seconds=refreshed["refresh_expires_in"]))

            assert (await refresh(service, token))[0] == 401


class TestLogout:
    async def test_the_session_is_over_at_once(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        other = await service.log_in(number)

        answer = await service.post("/auth/logout", token=tokens["access_token"])

        assert answer.status_code == 204
        assert answer.content == b""
        assert (await service.get("/me", tokens["access_token"])).status_code == 401
        assert (await refresh(service, tokens["refresh_token"]))[0] == 401
        assert (await service.get("/me", other["access_token"])).status_code == 200

    async def test_everywhere_means_all_sessions_of_this_account(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        other = await service.log_in(number)
        stranger = await service.register(new_number())

        await service.post("/auth/logout", {"everywhere": True}, other["access_token"])

        for ended in (tokens, other):
            assert (await service.get("/me", ended["access_token"])).status_code == 401
            assert (await refresh(service, ended["refresh_token"]))[0] == 401
        assert (await service.get("/me", stranger["access_token"])).status_code == 200


class TestMe:
    async def test_what_is_given_changes_and_the_rest_stays(self, service: Service) -> None:
        tokens = await service.register(new_number(), display_name="Ada", locale="sv")
        token = tokens["access_token"]

        changed = await service.ask("PATCH", "/me", {"email": "New@Example.com", "display_name": None}, token)

        expected = tokens["user"] | {"email": "new@example.com", "display_name": None}
        assert changed.status_code == 200
        assert changed.json() == (await service.get("/me", token)).json() == expected

    async def test_nothing_given_changes_nothing(self, service: Service) -> None:
        tokens = await service.register(new_number())
        token = tokens["access_token"]

        bare = await service.ask("PATCH", "/me", token=token)
        empty = await service.ask("PATCH", "/me", {}, token)

        assert bare.json() == empty.json() == tokens["user"]

    async def test_a_taken_email_is_a_conflict(self, service: Service) -> None:
        await service.register(new_number(), email="ada@example.com")
        tokens = await service.register(new_number())

        answer = await service.ask("PATCH", "/me", {"email": "ADA@example.com"}, tokens["access_token"])

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    async def test_totp_without_an_app_is_a_conflict(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await service.ask("PATCH", "/me", {"preferred_method": "totp"}, tokens["access_token"])

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize("field", ["id", "phone_number", "phone_verified_at", "factors", "password_hash"])
    async def test_no_other_field_can_be_written(self, service: Service, field: str) -> None:
        tokens = await service.register(new_number())

        answer = await service.ask("PATCH", "/me", {field: "x"}, tokens["access_token"])

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert (await service.get("/me", tokens["access_token"])).json() == tokens["user"]
