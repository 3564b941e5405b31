"""The order in which a request is judged, and what is said of its fields."""

from typing import Any

import pytest
from api_surface import JSON_TYPE, TEXT, TOO_LARGE, WRONG_FIELDS, bearer, code_of, problem_of

from otp_auth.api.body_errors import LARGEST_BODY
from support.service import Service, new_number

BAD_JSON = b"{"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
async def access(service: Service) -> dict[str, str]:
    """The Authorization header of somebody who is logged in."""
    return bearer((await service.register(new_number()))["access_token"])


@pytest.mark.parametrize(
    ("method", "headers", "body", "code"),
    [
        pytest.param("PUT", TEXT, TOO_LARGE, "method_not_allowed", id="the method before all"),
        pytest.param("PATCH", TEXT, TOO_LARGE, "invalid_token", id="credentials before the media type"),
        pytest.param("PATCH", JSON_TYPE, TOO_LARGE, "invalid_token", id="credentials before the size"),
        pytest.param("PATCH", JSON_TYPE, BAD_JSON, "invalid_token", id="credentials before JSON"),
        pytest.param("PATCH", JSON_TYPE, WRONG_FIELDS, "invalid_token", id="credentials before the fields"),
    ],
)
async def test_what_is_judged_of_a_stranger(
    service: Service, method: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    answer = await service.http.request(method, "/api/v1/me", content=body, headers=headers)

    assert code_of(answer) == code


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        pytest.param(TEXT, TOO_LARGE, "unsupported_media_type", id="the media type before the size"),
        pytest.param(TEXT, BAD_JSON, "unsupported_media_type", id="the media type before JSON"),
        pytest.param(JSON_TYPE, BAD_JSON * LARGEST_BODY * 2, "payload_too_large", id="the size before JSON"),
        pytest.param(JSON_TYPE, BAD_JSON, "malformed_request", id="JSON before the fields"),
        pytest.param(JSON_TYPE, WRONG_FIELDS, "validation_failed", id="the fields at last"),
    ],
)
@pytest.mark.parametrize("route", ["PATCH /api/v1/me", "POST /api/v1/auth/register"])
async def test_what_is_judged_of_a_body(
    service: Service, access: dict[str, str], route: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    method, path = route.split()

    answer = await service.http.request(method, path, content=body, headers=headers | access)

    assert code_of(answer) == code


async def test_the_fields_are_judged_before_the_challenge(service: Service) -> None:
    number = new_number()
    pending = await service.start_registration(number)
    await service.prove(pending, number)

    unread = await service.verify(pending, "1", unknown=1)
    judged = await service.verify(pending, "1")

    assert [code_of(unread), code_of(judged)] == ["validation_failed", "challenge_closed"]


async def test_a_refused_field_is_named_with_its_rule(service: Service) -> None:
    body = {"phone_number": "1", "password": "short", "email": "x", "method": "pigeon", "region": "XX"}

    answer = await service.post("/auth/register", body | {"locale": "?", "role": "admin"})

    rules = {error["field"]: error["rule"] for error in problem_of(answer)["errors"]}
    assert rules == {
        "body.phone_number": "too_short",
        "body.password": "too_short",
        "body.email": "too_short",
        "body.method": "not_one_of",
        "body.region": "not_a_region",
        "body.locale": "wrong_format",
        "body.role": "unknown_field",
    }


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        pytest.param(
            "/auth/login", {"identifier": "abc", "password": "x", "method": "y"}, "method", id="login"
        ),
        pytest.param("/auth/login", {"identifier": "abc"}, "password", id="left out"),
        pytest.param("/auth/token/refresh", {"refresh_token": None}, "refresh_token", id="refresh"),
    ],
)
async def test_one_mistake_is_one_error(service: Service, path: str, body: Any, field: str) -> None:
    errors = problem_of(await service.post(path, body))["errors"]

    assert [error["field"] for error in errors] == [f"body.{field}"]
