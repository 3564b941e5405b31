"""Registration: an account exists only once its phone has answered."""

import pytest
from sqlalchemy import func, select

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.challenges.models import Challenge
from support.service import PASSWORD, Service, new_number


async def users(service: Service) -> int:
    async with service.database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(User)) or 0


async def test_before_the_proof_there_is_no_account(service: Service) -> None:
    number = new_number()
    pending = await service.start_registration(number)

    login = await service.post("/auth/login", {"identifier": number, "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "invalid_credentials")
    assert await users(service) == 0

    await service.prove(pending, number)
    assert await users(service) == 1


async def test_what_was_proved_leaves_no_copy_of_the_password(service: Service) -> None:
    await service.register(new_number())

    async with service.database.read() as tx:
        assert set(await tx.scalars(select(Challenge.payload))) == {None}


async def test_a_taken_number_shows_only_to_whoever_holds_the_phone(service: Service) -> None:
    number, free = new_number(), new_number()
    await service.register(number)

    taken = await service.start_registration(number, password="Another-Lantern-77")
    fresh = await service.start_registration(free)
    answer = await service.verify(taken, await service.simulator.code(number))
    again = await service.verify(taken, await service.simulator.code(number))

    assert taken.keys() == fresh.keys()
    assert taken["challenge"].keys() == fresh["challenge"].keys()
    assert taken["methods"][0].keys() == fresh["methods"][0].keys()
    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")
    assert again.status_code == 410
    assert await users(service) == 1
    assert (await service.log_in(number))["status"] == "authenticated"


async def test_a_taken_email_shows_only_after_the_proof(service: Service) -> None:
    await service.register(new_number(), email="ada@example.com")
    number = new_number()

    pending = await service.start_registration(number, email="ADA@example.com")
    answer = await service.verify(pending, await service.simulator.code(number))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")
    assert await users(service) == 1


async def test_the_message_is_in_the_language_of_the_person(service: Service) -> None:
    swede, german = new_number(), new_number()
    await service.start_registration(swede, locale="sv-SE")
    await service.http.post(
        "/api/v1/auth/register",
        json={"phone_number": german, "password": PASSWORD},
        headers={"Accept-Language": "de-DE,de;q=0.9"},
    )

    texts = [(await service.simulator.messages(number))[0]["text"] for number in (swede, german)]
    assert "kod" in texts[0].lower()
    assert "code" in texts[1].lower()
    assert texts[0].split()[0] != texts[1].split()[0]


@pytest.mark.parametrize(
    ("fields", "code", "rule"),
    [
        pytest.param({"password": "short-7"}, "validation_failed", "too_short", id="7 characters"),
        pytest.param({"password": "x" * 129}, "validation_failed", "too_long", id="129 characters"),
        pytest.param({"password": "password123"}, "weak_password", "common", id="common"),
        pytest.param({"password": "aaaaaaaaaaaa"}, "weak_password", "repeated", id="one letter"),
        pytest.param(
            {"email": "quiet.harbour@example.com", "password": "Quiet.Harbour"},
            "weak_password",
            "context",
            id="own address",
        ),
        pytest.param({"email": "nobody"}, "validation_failed", "not_an_email", id="no address"),
        pytest.param({"region": "XX"}, "validation_failed", "not_a_region", id="no country"),
    ],
)
async def test_fields_that_are_refused(
    service: Service, fields: dict[str, str], code: str, rule: str
) -> None:
    body = {"phone_number": new_number(), "password": PASSWORD, **fields}

    answer = await service.post("/auth/register", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["rule"] == rule
    assert fields.get("password", "\0") not in answer.text


@pytest.mark.parametrize(
    "number",
    [
        "+46701",
        "+1415555CALL",
        "+46701740605;ext=12",
        "0701740605",
        "+4670174060\u200b5",
        "+49301234567890123",
    ],
)
async def test_numbers_that_are_none(service: Service, number: str) -> None:
    answer = await service.post("/auth/register", {"phone_number": number, "password": PASSWORD})

    assert answer.status_code == 422
    assert answer.json()["code"] in {"phone_number_invalid", "validation_failed"}


async def test_a_country_that_is_not_served_is_refused(new_service: NewService) -> None:
    async with new_service(send={"countries": "DE,FR"}) as service:
        number = new_number()
        answer = await service.post("/auth/register", {"phone_number": number, "password": PASSWORD})

        assert (answer.status_code, answer.json()["code"]) == (422, "destination_refused")
        assert await service.simulator.starts(number) == 0


async def test_the_first_channel_on_offer_is_taken(new_service: NewService) -> None:
    async with new_service(send={"methods": "voice"}) as service:
        number = new_number()
        pending = await service.start_registration(number)

        assert pending["challenge"]["method"] == "voice"
        assert (await service.simulator.messages(number))[0]["method"] == "callout"


@pytest.mark.parametrize("countries", ["se", "SE", "*", "DE, se"])
async def test_countries_are_read_in_any_letters(new_service: NewService, countries: str) -> None:
    async with new_service(send={"countries": countries}) as service:
        assert (await service.register(new_number()))["status"] == "authenticated"


async def test_canonically_equal_addresses_are_one(service: Service) -> None:
    await service.register(new_number(), email="J\u030cada@example.com")
    number = new_number()

    pending = await service.start_registration(number, email="\u01f0ada@example.com")
    answer = await service.verify(pending, await service.simulator.code(number))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")


async def test_a_body_of_nonsense_gets_a_short_answer(service: Service) -> None:
    answer = await service.post("/auth/register", {f"field_{which}": 1 for which in range(3000)})

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20
