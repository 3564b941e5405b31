"""The OpenAPI document says what the contract says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_surface import (
    OAUTH_ERRORS,
    SERVICE_CLIENT,
    STATUS_OF,
    Operation,
    operations,
    problems_of,
    resolve,
)
from contract_surface import ADDRESSES, ANSWERS, REFUSALS

from otp_auth.api.documents import documents
from otp_auth.api.openapi import openapi
from support.service import Json, Service

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
def document(service: Service) -> Json:
    return openapi(service.app)


@pytest.fixture
def everything(service: Service) -> list[Operation]:
    return operations(service.app)


def _walk(node: Any) -> Iterator[Json]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)


async def test_the_document_is_served_as_it_is(service: Service, document: Json) -> None:
    answer = await service.http.get("/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document
    assert openapi(service.app) == document


@pytest.mark.parametrize("name", sorted(documents()))
def test_what_the_repository_keeps_of_the_sources_is_current(name: str) -> None:
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert kept == documents()[name], "write it anew by ./dev docs"


def test_the_document_of_a_running_service_is_the_one_that_is_kept(document: Json) -> None:
    assert json.loads(documents()["openapi.json"]) == document


def test_the_codes_are_those_of_the_contract(document: Json) -> None:
    shapes = document["components"]["schemas"]

    assert set(shapes["ProblemCode"]["enum"]) == STATUS_OF.keys()
    assert shapes["Problem"]["properties"]["code"] == {"$ref": "#/components/schemas/ProblemCode"}


def test_every_address_of_the_contract_is_there(everything: list[Operation]) -> None:
    assert {f"{each.method} {each.path}" for each in everything} == ADDRESSES


def test_every_reference_leads_somewhere(document: Json) -> None:
    references = {node["$ref"] for node in _walk(document) if isinstance(node.get("$ref"), str)}

    assert references
    assert all(resolve(document, reference) for reference in references)


def test_nothing_of_the_framework_shows(document: Json) -> None:
    assert {name for name in document["components"]["schemas"] if "Validation" in name} == set()
    assert "HTTPValidationError" not in str(document)


def test_operations_have_names_of_their_own(everything: list[Operation]) -> None:
    names = [each.name for each in everything]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_every_refusal_is_documented_and_no_other(document: Json, everything: list[Operation]) -> None:
    documented = {
        each.name: {
            example["code"] for examples in problems_of(document, each).values() for example in examples
        }
        for each in everything
    }

    assert documented == REFUSALS


def test_refusals_stand_under_their_status(document: Json, everything: list[Operation]) -> None:
    for each in everything:
        for status, examples in problems_of(document, each).items():
            assert {STATUS_OF[example["code"]] for example in examples} == {int(status)}, each.name
            assert {example["status"] for example in examples} == {int(status)}, each.name


def test_gateways_are_told_their_refusals_in_the_form_of_their_rfcs(everything: list[Operation]) -> None:
    for_gateways = [each for each in everything if each.credential == SERVICE_CLIENT]

    assert len(for_gateways) == 2
    for each in for_gateways:
        assert set(each.description["requestBody"]["content"]) == {"application/x-www-form-urlencoded"}
        for status, error in OAUTH_ERRORS.items():
            content = each.description["responses"][status]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/OAuthRefusal"}
            assert content["examples"][error]["value"]["error"] == error


def _name(schema: Json) -> str | None:
    """The name of a shape."""
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


@pytest.mark.parametrize("name", ["verifyCode", "logIn"])
def test_answers_of_several_kinds_are_told_apart_by_their_status(
    document: Json, everything: list[Operation], name: str
) -> None:
    (operation,) = [each for each in everything if each.name == name]
    named = operation.description["responses"]["200"]["content"]["application/json"]["schema"]
    schema = resolve(document, named["$ref"])

    assert schema["discriminator"]["propertyName"] == "status"
    mapping = schema["discriminator"]["mapping"]
    assert sorted(mapping.values()) == sorted(each["$ref"] for each in schema["oneOf"])
    assert {
        status: resolve(document, name)["properties"]["status"]["const"] for status, name in mapping.items()
    } == {status: status for status in mapping}


def test_answers_have_the_shape_of_the_contract(everything: list[Operation]) -> None:
    shapes = {}
    for each in everything:
        status = next(status for status in each.description["responses"] if status.startswith("2"))
        content = each.description["responses"][status].get("content", {}).get("application/json", {})
        name = _name(content.get("schema", {}))
        if each.name not in {"getJwks", "getMetadata", "getProblem", "takeSinchEvent"}:
            shapes[each.name] = (status, name)

    assert shapes == ANSWERS


def test_a_reset_may_also_be_held(everything: list[Operation]) -> None:
    (route,) = [each for each in everything if each.name == "resetPassword"]

    answers = {status for status in route.description["responses"] if status.startswith("2")}

    assert answers == {"202", "204"}
    content = route.description["responses"]["202"]["content"]["application/json"]
    assert _name(content["schema"]) == "ResetHeld"


def test_every_request_body_is_closed_and_read_as_json(document: Json, everything: list[Operation]) -> None:
    bodies = {each.name: each.description["requestBody"]["content"] for each in everything if each.takes_body}

    assert {tuple(content) for content in bodies.values()} == {("application/json",)}
    closed = {
        name: schema["additionalProperties"]
        for name, schema in document["components"]["schemas"].items()
        if name.endswith("Body")
    }
    assert closed == dict.fromkeys(closed, False)
    assert len(closed) == len(bodies)


def test_optional_bodies_are_marked(everything: list[Operation]) -> None:
    optional = {each.name for each in everything if each.takes_body and not each.needs_body}

    assert optional == {"stepUp", "refreshTokens", "logOut", "changeMe", "renewRecoveryCodes"}


def test_secrets_are_marked(document: Json) -> None:
    schemas_of = document["components"]["schemas"]
    marked = {
        (body, field)
        for body in (
            "RegisterBody",
            "LoginBody",
            "VerifyBody",
            "ConfirmTotpBody",
            "RefreshBody",
            "ChangePasswordBody",
        )
        for field, schema in schemas_of[body]["properties"].items()
        if "'format': 'password'" in str(schema)
    }

    assert marked == {
        ("RegisterBody", "password"),
        ("LoginBody", "password"),
        ("LoginBody", "device_token"),
        ("VerifyBody", "code"),
        ("ConfirmTotpBody", "code"),
        ("RefreshBody", "refresh_token"),
        ("ChangePasswordBody", "current_password"),
        ("ChangePasswordBody", "new_password"),
    }


def test_answers_name_all_their_fields(document: Json) -> None:
    shapes = document["components"]["schemas"]

    tokens, offer, pending = shapes["Tokens"], shapes["OfferedMethod"], shapes["Pending"]
    sometimes = {"recovery_codes", "refresh_token", "device_token"}
    assert {"access_token", "user"} | sometimes <= tokens["properties"].keys()
    assert set(tokens["required"]) == tokens["properties"].keys() - sometimes
    assert (set(offer["properties"]), offer["required"]) == ({"method", "destination"}, ["method"])
    assert set(pending["required"]) == pending["properties"].keys()
