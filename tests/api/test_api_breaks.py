"""A new version breaks no client of the last release, unless that is meant: then the baseline moves along.

`docs/openapi.baseline.json` is the document of the last release. At a release, and where a break is meant
and stands in the changelog: `cp docs/openapi.json docs/openapi.baseline.json`.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from api_breaks import breaks

from support.service import Json

DOCS = Path(__file__).resolve().parents[2] / "docs"
LOGIN, VERIFY = "/api/v1/auth/login", "/api/v1/auth/otp/verify"


def document_of(name: str) -> Json:
    found: Json = json.loads((DOCS / name).read_text(encoding="utf-8"))
    return found


def test_no_client_of_the_last_release_is_broken() -> None:
    assert breaks(document_of("openapi.baseline.json"), document_of("openapi.json")) == []


def remove(*steps: str | int) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        *outer, last = steps
        del at(document, outer)[last]

    return change


def put(*steps: str | int, value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        *outer, last = steps
        at(document, outer)[last] = value

    return change


def drop(*steps: str | int, value: Any) -> Callable[[Json], None]:
    """Take a value out of a list."""

    def change(document: Json) -> None:
        at(document, list(steps)).remove(value)

    return change


def append(*steps: str | int, value: Any) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        at(document, list(steps)).append(value)

    return change


def at(document: Json, steps: list[str | int]) -> Any:
    found: Any = document
    for step in steps:
        found = found[step]
    return found


SHAPES = ("components", "schemas")
LOGIN_POST = ("paths", LOGIN, "post")
SESSIONS = ("paths", "/api/v1/me/sessions", "get")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(remove("paths", LOGIN), "POST /api/v1/auth/login: is gone", id="path"),
        pytest.param(remove(*LOGIN_POST), "POST /api/v1/auth/login: is gone", id="operation"),
        pytest.param(
            put(*LOGIN_POST, "operationId", value="signIn"),
            "POST /api/v1/auth/login: is called signIn",
            id="name of an operation",
        ),
        pytest.param(
            put(*SESSIONS, "parameters", value=[]),
            "GET /api/v1/me/sessions: cursor: is gone",
            id="parameter",
        ),
        pytest.param(
            put(*SESSIONS, "parameters", 0, "required", value=True),
            "GET /api/v1/me/sessions: cursor: is required",
            id="required parameter",
        ),
        pytest.param(
            put(*LOGIN_POST, "security", value=[{"AccessToken": []}]),
            "POST /api/v1/auth/login: takes no stranger",
            id="credential",
        ),
        pytest.param(
            remove(*SHAPES, "LoginBody", "properties", "region"),
            "POST /api/v1/auth/login: request.region: is gone",
            id="field of a request",
        ),
        pytest.param(
            append(*SHAPES, "LoginBody", "required", value="region"),
            "POST /api/v1/auth/login: request.region: is required",
            id="field that is required",
        ),
        pytest.param(
            put(*SHAPES, "LogoutBody", "properties", "everywhere", "type", value="string"),
            "POST /api/v1/auth/logout: request.everywhere: boolean is taken no more",
            id="type of a request",
        ),
        pytest.param(
            drop(*SHAPES, "SendBody", "properties", "method", "enum", value="voice"),
            "POST /api/v1/auth/otp/send: request.method: voice is gone",
            id="value of a request",
        ),
        pytest.param(
            put(*SHAPES, "VerifyBody", "properties", "code", "maxLength", value=6),
            "POST /api/v1/auth/otp/verify: request.code: maxLength is stricter",
            id="limit of a request",
        ),
        pytest.param(
            put(*SHAPES, "VerifyBody", "properties", "code", "format", value="digits"),
            "POST /api/v1/auth/otp/verify: request.code: format is stricter",
            id="format of a request",
        ),
        pytest.param(
            put("paths", "/api/v1/auth/logout", "post", "requestBody", "required", value=True),
            "POST /api/v1/auth/logout: request: is required",
            id="body that is required",
        ),
        pytest.param(
            remove("paths", "/api/v1/auth/password/reset", "post", "responses", "202"),
            "POST /api/v1/auth/password/reset: answers no 202",
            id="answer",
        ),
        pytest.param(
            remove("paths", "/problems/{code}", "get", "responses", "200", "content", "text/html"),
            "GET /problems/{code}: 200: text/html is gone",
            id="media type",
        ),
        pytest.param(
            remove(*LOGIN_POST, "responses", "429", "headers", "Retry-After"),
            "POST /api/v1/auth/login: 429: Retry-After is gone",
            id="header",
        ),
        pytest.param(
            remove(*SHAPES, "Elevated", "properties", "expires_in"),
            "POST /api/v1/auth/otp/verify: 200<Elevated>.expires_in: is gone",
            id="field of an answer",
        ),
        pytest.param(
            drop(*SHAPES, "Elevated", "required", value="expires_in"),
            "POST /api/v1/auth/otp/verify: 200<Elevated>.expires_in: may be left out",
            id="field of an answer that may be left out",
        ),
        pytest.param(
            put(*SHAPES, "Elevated", "properties", "expires_in", "type", value="string"),
            "POST /api/v1/auth/otp/verify: 200<Elevated>.expires_in: may be string",
            id="type of an answer",
        ),
        pytest.param(
            drop(*SHAPES, "ProblemCode", "enum", value="conflict"),
            "GET /health: 500.code: conflict is gone",
            id="value of an answer",
        ),
        pytest.param(
            remove(
                *LOGIN_POST,
                "responses",
                "503",
                "content",
                "application/problem+json",
                "examples",
                "overloaded",
            ),
            "POST /api/v1/auth/login: 503: overloaded is gone",
            id="code of a route",
        ),
    ],
)
def test_each_kind_of_break_is_found(change: Callable[[Json], None], expected: str) -> None:
    before = document_of("openapi.json")
    now = deepcopy(before)
    change(now)

    assert expected in breaks(before, now)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(put("paths", "/new", value={}), id="path"),
        pytest.param(
            put(*SHAPES, "LoginBody", "properties", "hint", value={"type": "string"}), id="field of a request"
        ),
        pytest.param(
            put(*SHAPES, "Elevated", "properties", "hint", value={"type": "string"}), id="field of an answer"
        ),
        pytest.param(append(*SHAPES, "ProblemCode", "enum", value="new"), id="code"),
        pytest.param(
            append(*SHAPES, "SendBody", "properties", "method", "enum", value="new"), id="value of a request"
        ),
        pytest.param(put(*LOGIN_POST, "summary", value="Another"), id="words"),
        pytest.param(put(*SHAPES, "VerifyBody", "properties", "code", "maxLength", value=99), id="limit"),
        pytest.param(drop(*SHAPES, "LoginBody", "required", value="password"), id="less required"),
    ],
)
def test_what_breaks_nobody_is_let_through(change: Callable[[Json], None]) -> None:
    before = document_of("openapi.json")
    now = deepcopy(before)
    change(now)

    assert breaks(before, now) == []
