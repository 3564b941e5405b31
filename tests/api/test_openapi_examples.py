"""Examples of the OpenAPI document: there is one for every body, each is one, and the service says so."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from api_surface import Operation, bearer, operations, problems_of, token_of_each_kind
from pydantic import TypeAdapter

from otp_auth.api import export_answers, oauth_answers, schemas
from otp_auth.api.openapi import openapi
from otp_auth.api.operation_examples import ANSWERS
from support.authenticator import add_app, enrol
from support.resets import allowed
from support.service import PASSWORD, Json, Service, new_number, wrong

BODIES = (schemas, oauth_answers, export_answers)
UNIONS = {"LoggedIn", "Verified"}
JSON = "application/json"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
def document(service: Service) -> Json:
    return openapi(service.app)


@pytest.fixture
def everything(service: Service) -> list[Operation]:
    return operations(service.app)


def read(name: str, example: Any) -> Any:
    """Read an example as the shape of this name. Raises ValidationError."""
    kind = next(getattr(each, name) for each in BODIES if hasattr(each, name))
    return TypeAdapter(kind).validate_json(json.dumps(example))


def test_every_body_has_an_example_that_is_one(document: Json) -> None:
    shapes = document["components"]["schemas"]
    for name in shapes.keys() - {"ProblemCode", *UNIONS}:
        schema = shapes[name]
        for example in schema["examples"]:
            read(name, example)


def test_examples_of_refusals_are_problems(document: Json, everything: list[Operation]) -> None:
    examples = [
        example for each in everything for shown in problems_of(document, each).values() for example in shown
    ]

    assert len(examples) > 250
    for example in examples:
        problem = schemas.Problem.model_validate(example)
        assert problem.type.endswith(f"/problems/{problem.code}")
        assert problem.detail
        known = schemas.Problem.model_fields.keys()
        assert example.keys() <= known, "a member that clients aren't told of"
        assert ("errors" in example) is (problem.code in {"validation_failed", "weak_password"})


def shapes_of(schema: Json) -> list[str]:
    kinds = [schema, *schema.get("anyOf", ())]
    return [kind["$ref"].rpartition("/")[2] for kind in kinds if "$ref" in kind]


def json_bodies(operation: Operation) -> Iterator[tuple[str, Json]]:
    """What it reads and what it answers, by a name."""
    description = operation.description
    places = {"request": description.get("requestBody", {}), **description["responses"]}
    for place, entry in places.items():
        if JSON in entry.get("content", {}):
            yield f"{operation.name} {place}", entry["content"][JSON]


def test_every_operation_shows_its_bodies(everything: list[Operation]) -> None:
    bodies = {name: body for each in everything for name, body in json_bodies(each)}

    assert len(bodies) > 40
    assert [name for name, body in bodies.items() if not (body.get("examples") or body.get("example"))] == []


def test_each_example_has_the_shape_of_its_body(everything: list[Operation]) -> None:
    checked = 0
    for each in everything:
        for name, body in json_bodies(each):
            for shape in shapes_of(body["schema"]):
                for example in body["examples"].values():
                    assert example["summary"], name
                    read(shape, example["value"])
                    checked += 1

    assert checked > 80


async def test_a_code_on_its_way_looks_as_the_document_shows_it(service: Service) -> None:
    number = new_number()
    registration = await service.start_registration(number)
    await service.prove(registration, number)
    login = await service.start_login(number)
    call = await service.post("/auth/otp/send", {"method": "voice"}, login["pending_token"])

    assert call.status_code == 429, "the cool-down holds for every way"
    assert_looks_alike(registration["challenge"], ANSWERS["register", "202"], "sent")
    assert_looks_alike(login["challenge"], ANSWERS["logIn", "200"], "sent")


async def test_a_message_that_failed_or_keeps_silent_looks_as_the_document_shows_it(service: Service) -> None:
    async with service.simulator.fault("start", "status", 402):
        failed = await service.start_registration(new_number())
    quiet = await service.start_registration(new_number())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=31)):
        state = (await service.get("/auth/otp", quiet["pending_token"])).json()

    assert_looks_alike(failed["challenge"], ANSWERS["register", "202"], "failed")
    assert_looks_alike(state["challenge"] | {"purpose": "login"}, ANSWERS["getChallenge", "200"], "quiet")


def assert_looks_alike(challenge: Json, examples: Json, name: str) -> None:
    """What doesn't depend on the hour and the number is the same; so is what may be asked for when."""
    example = examples[name]["value"]["challenge"]
    own = {"id", "destination", "expires_at", "resend_at", "code_length"}
    assert challenge.keys() == example.keys()
    assert {each: challenge[each] for each in example.keys() - own} == {
        each: example[each] for each in example.keys() - own
    }
    lasts = [
        datetime.fromisoformat(each["expires_at"]) - datetime.fromisoformat(each["resend_at"])
        for each in (challenge, example)
    ]
    assert abs(lasts[0] - lasts[1]) < timedelta(seconds=5)


async def credential(service: Service, operation: Operation) -> dict[str, str]:
    """A new one: what an operation is asked for may end it."""
    match operation.credential:
        case "PendingToken":
            return bearer((await service.start_registration(new_number()))["pending_token"])
        case "AccessToken":
            return bearer((await service.register(new_number()))["access_token"])
        case "ResetToken":
            await service.register(number := new_number())
            return bearer((await allowed(service, number))["reset_token"])
    return {}


async def test_each_example_of_a_request_is_taken_by_its_route(
    service: Service, everything: list[Operation]
) -> None:
    tried = 0
    for each in everything:
        if not each.takes_body:
            continue
        for example in each.description["requestBody"]["content"][JSON]["examples"].values():
            headers = await credential(service, each)
            answer = await service.http.request(
                each.method, each.path, json=example["value"], headers=headers
            )
            codes = {error["rule"] for error in answer.json().get("errors", ())} if answer.content else set()
            assert codes <= {"not_offered"}, (each.name, example, answer.text)
            assert str(answer.status_code) in each.description["responses"]
            assert_headers_are_as_told(each, answer)
            tried += 1

    assert tried > 30


def assert_headers_are_as_told(operation: Operation, answer: httpx.Response) -> None:
    told = operation.description["responses"][str(answer.status_code)]["headers"]
    assert "X-Request-ID" in told
    for name in ("Retry-After", "WWW-Authenticate"):
        assert (name in told) is (name.lower() in answer.headers), (operation.name, answer.text)
    assert "x-request-id" in answer.headers
    if "set-cookie" in answer.headers:
        assert "Set-Cookie" in told


class TestRefusals:
    """What the document shows is what the service says, word for word."""

    @pytest.fixture
    def told(self, document: Json, everything: list[Operation]) -> dict[str, list[Json]]:
        return {
            each.name: [example for found in problems_of(document, each).values() for example in found]
            for each in everything
        }

    def assert_told(self, told: list[Json], answer: httpx.Response, **changes: Any) -> None:
        said = answer.json() | changes
        said["request_id"] = told[0]["request_id"]
        assert said in told, answer.text

    async def test_fields(
        self, service: Service, document: Json, everything: list[Operation], told: dict[str, list[Json]]
    ) -> None:
        tokens = await token_of_each_kind(service)
        for each in everything:
            if not each.takes_body or each.name == "renewRecoveryCodes":
                continue
            (shape,) = shapes_of(each.description["requestBody"]["content"][JSON]["schema"])
            (good,) = document["components"]["schemas"][shape]["examples"]
            body = {name: good[name] for name in list(good)[1:]} | {"unknown": True}
            headers = bearer(tokens[each.credential]) if each.credential else {}

            answer = await service.http.request(each.method, each.path, json=body, headers=headers)

            self.assert_told(told[each.name], answer)

    async def test_codes(self, service: Service, told: dict[str, list[Json]]) -> None:
        account = await service.register(number := new_number())
        app = await add_app(service, account)
        pending = await service.start_login(number)
        code = wrong(await service.simulator.code(number))
        verify, send = told["verifyCode"], told["sendCode"]

        self.assert_told(verify, await service.verify(pending, code))
        self.assert_told(
            verify, await service.verify(pending, app.wrong_code(), method="totp"), attempts_left=2
        )
        self.assert_told(
            verify, await service.verify(pending, "AAAA", method="recovery_code"), attempts_left=2
        )
        self.assert_told(verify, await service.verify(pending, code))
        again = {"method": "sms"}
        self.assert_told(send, await service.post("/auth/otp/send", again, pending["pending_token"]))
        silent = await service.start_login(number, method="none")
        self.assert_told(verify, await service.verify(silent, "123456", method="sms"), attempts_left=2)
        self.assert_told(verify, await service.verify(silent, "123456", method="whatsapp"))

    async def test_credentials(self, service: Service, told: dict[str, list[Json]]) -> None:
        account = await service.register(number := new_number())
        token = account["access_token"]
        login = {"identifier": number, "password": "another one"}
        change = {"current_password": "another one", "new_password": PASSWORD}

        self.assert_told(told["logIn"], await service.post("/auth/login", login))
        self.assert_told(told["getMe"], await service.get("/me", "forged"))
        self.assert_told(told["changePassword"], await service.post("/me/password", change, token))
        weak = {"phone_number": number, "password": "password"}
        self.assert_told(told["register"], await service.post("/auth/register", weak))
        odd = {"phone_number": "+46 12", "password": PASSWORD}
        self.assert_told(told["register"], await service.post("/auth/register", odd))
        self.assert_told(told["refreshTokens"], await service.post("/auth/token/refresh", {}))
        spent = {"refresh_token": "x" * 43}
        self.assert_told(told["refreshTokens"], await service.post("/auth/token/refresh", spent))

    async def test_what_does_not_fit(self, service: Service, told: dict[str, list[Json]]) -> None:
        account = await service.register(number := new_number())
        other = await service.register(new_number(), email="taken@example.com")
        token = account["access_token"]

        self.assert_told(
            told["changeMe"], await service.ask("PATCH", "/me", {"email": "taken@example.com"}, token)
        )
        self.assert_told(
            told["changeMe"], await service.ask("PATCH", "/me", {"preferred_method": "totp"}, token)
        )
        self.assert_told(
            told["changePhone"], await service.post("/me/phone", {"phone_number": number}, token)
        )
        confirm = await service.post("/me/factors/totp/confirm", {"code": "123456"}, token)
        self.assert_told(told["confirmTotp"], confirm)
        app = await enrol(service, account)
        confirm = await service.post("/me/factors/totp/confirm", {"code": app.wrong_code()}, token)
        self.assert_told(told["confirmTotp"], confirm)
        await add_app(service, other)
        self.assert_told(
            told["enrolTotp"], await service.post("/me/factors/totp", token=other["access_token"])
        )
        self.assert_told(told["endSession"], await service.ask("DELETE", "/me/sessions/x", token=token))
