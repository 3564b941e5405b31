"""The OpenAPI document can be worked from: whatever a client meets in it is explained."""

import re
from collections.abc import Iterator

import pytest
from api_surface import Operation, operations

from otp_auth.api.openapi import openapi
from support.service import Json, Service

# The one word a summary begins with, as the name of a button would.
VERBS = (
    "Register|Log|Send|See|Prove|Get|Show|Change|List|End|Trust|Enrol|Confirm|Remove|Ask|Set|Cancel|Export|Delete|"
    "Check|Revoke|Take|Explain"
)
LONGEST_SUMMARY = 60


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
def document(service: Service) -> Json:
    return openapi(service.app)


@pytest.fixture
def everything(service: Service) -> list[Operation]:
    return operations(service.app)


def test_operations_stand_in_the_order_of_use(document: Json, everything: list[Operation]) -> None:
    tags = [tag["name"] for tag in document["tags"]]

    assert all(tag["description"] for tag in document["tags"])
    assert all(len(each.description["tags"]) == 1 for each in everything)
    assert {each.description["tags"][0] for each in everything} == set(tags)
    assert tags[:3] == ["registration", "login", "second factor"]


def test_each_operation_says_what_it_does_and_what_comes_of_it(everything: list[Operation]) -> None:
    for each in everything:
        summary, text = each.description["summary"], each.description["description"]
        assert re.match(rf"({VERBS})\b", summary), summary
        assert len(summary) <= LONGEST_SUMMARY
        assert text.endswith("."), text
        assert "\n" not in text.replace("\n\n", ""), "lines of the source show"
        for status, answer in each.description["responses"].items():
            assert answer["description"] not in {"", "Successful Response"}, (each.name, status)


def test_each_parameter_is_described(everything: list[Operation]) -> None:
    parameters = [part for each in everything for part in each.description.get("parameters", ())]

    assert len(parameters) > 5
    assert [part["name"] for part in parameters if not part.get("description")] == []


def fields_without_words(document: Json) -> Iterator[str]:
    """Those of the shapes; what has one value only, or is a shape, explains itself.

    Words of the RFCs are left out, and the export, whose parts docs/personal-data.md explains.
    """
    for name, shape in document["components"]["schemas"].items():
        if name.startswith("Export") or name in {"Introspection", "OAuthRefusal"}:
            continue
        for field, schema in shape.get("properties", {}).items():
            if not schema.keys() & {"description", "$ref", "const"}:
                yield f"{name}.{field}"


def test_each_field_is_described(document: Json) -> None:
    assert list(fields_without_words(document)) == []


def test_each_way_in_is_described(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]

    assert {"PendingToken", "AccessToken", "ResetToken", "RefreshCookie", "ServiceClient"} < schemes.keys()
    assert all(scheme["description"] for scheme in schemes.values())
    # "Authorize" sends these as a person pastes them.
    assert {schemes[name]["scheme"] for name in ("PendingToken", "AccessToken", "ResetToken")} == {"bearer"}
    assert schemes["ServiceClient"]["scheme"] == "basic"
