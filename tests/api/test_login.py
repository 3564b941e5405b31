"""Login: the password, then the code."""

import re
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.accounts.passwords import PasswordHasher
from support.service import PASSWORD, PUBLIC_URL, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def try_login(
    service: Service, identifier: str, password: str = PASSWORD
) -> tuple[int, dict[str, object]]:
    answer = await service.post("/auth/login", {"identifier": identifier, "password": password})
    body = answer.json()
    body.pop("request_id", None)
    return answer.status_code, body


async def test_a_stranger_and_a_wrong_password_get_the_same_answer(service: Service) -> None:
    number = new_number()
    await service.register(number, email="ada@example.com")

    answers = [
        await try_login(service, number, "Wrong-Lantern-99"),
        await try_login(service, "ada@example.com", "Wrong-Lantern-99"),
        await try_login(service, new_number()),
        await try_login(service, "nobody@example.com"),
        await try_login(service, "neither number nor address"),
    ]

    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


async def test_any_spelling_of_the_identifier_leads_to_the_account(service: Service) -> None:
    number = new_number()
    await service.register(number, email="ada@example.com")

    for identifier in (number, f"+46 {number[3:5]} {number[5:]}", "ADA@Example.COM", f" {number}"):
        assert (await service.start_login(identifier, method="none"))["status"] == "otp_required"
    national = await service.start_login(f"0{number[3:]}", region="SE", method="none")
    assert national["status"] == "otp_required"


async def test_a_login_within_the_cool_down_is_no_refusal(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        await service.register(number)
        first = await service.start_login(number)
        clock.shift(timedelta(milliseconds=1))  # which of two is newer is told by the millisecond
        second = await service.start_login(number)
        clock.shift(timedelta(seconds=60))
        sent = await service.post("/auth/otp/send", {"method": "sms"}, second["pending_token"])
        older = await service.get("/auth/otp", first["pending_token"])
        tokens = await service.prove(second, number)

    assert first["challenge"]["delivery"] == "sent"  # the proof of the registration ended the cool-down
    assert second["challenge"]["delivery"] == "not_sent"
    assert second["challenge"]["resend_at"] == "2026-11-24T12:01:00.000Z"
    assert sent.status_code == 202
    assert older.status_code == 410  # one live code at a time
    assert tokens["status"] == "authenticated"


async def test_an_older_login_lives_until_the_newer_one_has_sent(service: Service) -> None:
    number = new_number()
    await service.register(number)
    first = await service.start_login(number)
    await service.start_login(number, method="none")

    assert (await service.prove(first, number))["status"] == "authenticated"


async def test_nothing_is_sent_when_nothing_is_asked_for(service: Service) -> None:
    number = new_number()
    await service.register(number)

    pending = await service.start_login(number, method="none")

    assert pending["challenge"] is None
    assert [offer["method"] for offer in pending["methods"]] == ["sms", "recovery_code"]
    assert await service.simulator.starts(number) == 1


async def test_the_preferred_channel_is_taken(service: Service) -> None:
    number = new_number()
    tokens = await service.register(number)
    await service.ask("PATCH", "/me", {"preferred_method": "voice"}, tokens["access_token"])

    pending = await service.start_login(number)

    assert pending["challenge"]["method"] == "voice"
    assert (await service.simulator.messages(number))[0]["method"] == "callout"


async def test_a_recovery_code_gets_in_once(service: Service) -> None:
    number = new_number()
    code = (await service.register(number))["recovery_codes"][3]
    pending = await service.start_login(number, method="none")
    spelled = code.lower().replace("-", "")

    first = await service.verify(pending, spelled, method="recovery_code")
    other = await service.verify(
        await service.start_login(number, method="none"), code, method="recovery_code"
    )

    assert first.status_code == 200
    assert jwt.decode(first.json()["access_token"], options={"verify_signature": False})["amr"] == [
        "pwd",
        "otp",
        "mfa",
    ]
    assert (other.status_code, other.json()["code"]) == (400, "wrong_code")


async def test_somebody_elses_recovery_code_is_wrong(service: Service) -> None:
    mine, theirs = new_number(), new_number()
    await service.register(mine)
    code = (await service.register(theirs))["recovery_codes"][0]

    answer = await service.verify(await service.start_login(mine), code, method="recovery_code")

    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_code")


async def test_the_pending_answer_says_all_that_a_screen_needs(service: Service) -> None:
    number = new_number()
    await service.register(number)

    pending = await service.start_login(number)
    shown = (await service.get("/auth/otp", pending["pending_token"])).json()

    challenge = pending["challenge"]
    assert pending["methods"][0] == {"method": "sms", "destination": f"•••••••• {number[-2:]}"}
    assert challenge["purpose"] == "login"
    assert challenge["attempts_left"] == challenge["sends_left"] == 3
    assert challenge["next_methods"] == []  # none may be asked for now
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", challenge["id"]
    )
    assert shown.keys() == pending.keys() - {"pending_token", "token_type"}
    assert shown["challenge"] == challenge


async def test_the_access_token_says_what_was_proved(service: Service) -> None:
    number = new_number()
    tokens = await service.register(number)
    keys = jwt.PyJWKSet.from_dict((await service.http.get("/.well-known/jwks.json")).json())

    header = jwt.get_unverified_header(tokens["access_token"])
    claims = jwt.decode(tokens["access_token"], keys[header["kid"]], ["ES256"], audience=PUBLIC_URL)

    assert header["typ"] == "at+jwt"
    assert claims["iss"] == claims["aud"] == PUBLIC_URL
    assert claims["sub"] == tokens["user"]["id"]
    assert claims["sid"] == tokens["session_id"]
    assert (claims["amr"], claims["acr"], claims["client_id"]) == (
        ["pwd", "sms", "mfa"],
        "aal2",
        "first-party",
    )
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 600
    assert number[1:] not in str(claims)


async def test_a_hash_of_another_cost_is_renewed_at_login(new_service: NewService) -> None:
    number = new_number()
    async with new_service() as service:
        await service.register(number)
    async with new_service(passwords={"bcrypt_cost": 5}) as service:
        await service.start_login(number, method="none")
        async with service.database.read() as tx:
            stored = await tx.scalar(select(User.password_hash))

        assert stored is not None
        assert "r=5" in stored
        assert (await service.start_login(number, method="none"))["status"] == "otp_required"


@pytest.mark.parametrize("password", ["Quiet-Harbour-Lantern-5", "quiet-harbour-lantern-58", " "])
async def test_other_passwords_are_wrong(service: Service, password: str) -> None:
    number = new_number()
    await service.register(number)

    assert (await try_login(service, number, password))[0] == 401


async def test_a_stranger_costs_as_much_work_as_a_known_person(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = new_number()
    await service.register(number)
    verified: list[str] = []
    verify = PasswordHasher._verify

    def counting(self: PasswordHasher, password: str, stored: str | None) -> bool:
        verified.append("known" if stored else "unknown")
        return verify(self, password, stored)

    monkeypatch.setattr(PasswordHasher, "_verify", counting)
    await try_login(service, number, "Wrong-Lantern-99")
    await try_login(service, new_number())
    await try_login(service, "no number")

    assert verified == ["known", "unknown", "unknown"]


async def test_any_spelling_of_an_international_address_leads_to_the_account(service: Service) -> None:
    await service.register(new_number(), email="Ada@xn--bcher-kva.example")

    for identifier in ("ada@xn--bcher-kva.example", "ADA@b\u00fccher.example", "ada@bu\u0308cher.example"):
        assert (await service.start_login(identifier, method="none"))["status"] == "otp_required"


async def test_a_country_that_is_served_no_longer_gets_no_message(new_service: NewService) -> None:
    number = new_number()
    async with new_service() as service:
        await service.register(number)
    async with new_service(send={"countries": "DE"}) as service:
        pending = await service.start_login(number)
        answer = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])

        assert pending["challenge"]["delivery"] == "not_sent"
        assert (answer.status_code, answer.json()["code"]) == (422, "destination_refused")
        assert await service.simulator.starts(number) == 1
