"""The OpenAPI document: FastAPI's own, and in it what clients are told besides.

FastAPI knows routes, bodies and what `refusals` described. Added here: the one shape of every refusal,
examples for every body, and headers.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ValidationError

from otp_auth.api import schemas
from otp_auth.api.examples import EXAMPLES
from otp_auth.api.field_errors import field_errors
from otp_auth.api.operation_examples import ANSWERS, REQUESTS
from otp_auth.api.problems import (
    MEDIA_TYPE,
    InternalError,
    ValidationFailedError,
    all_refusals,
    example_of,
    refusals,
)
from otp_auth.api.response_headers import HEADERS, headers_of

TITLE = "otp-auth"
DESCRIPTION = """A password and a code on the phone.

**The walk.** Register or log in, take the `pending_token` to the `otp` routes, prove the code, and hold an
access token that any service can check with the keys of `/.well-known/jwks.json`. On this page: send
*register*, copy the `pending_token` of the answer into *Authorize* at `PendingToken`, send *verifyCode*
with the code that arrived (in development it is in the inbox at `/sandbox/`), copy its `access_token` to
`AccessToken`, and send *getMe*.

**Refusals** are RFC 9457 problem details. Switch on `code`; `title` and `detail` are for people. Each
`type` is an address that explains the code. 429 and 503 say in `Retry-After` when to try again.

**Every answer** carries `X-Request-ID`, the one that was sent or a new one: quote it when you report
something. Times are UTC, durations are seconds. Later versions may add fields, codes and events: pass
over what you don't know.
"""
TAGS = [
    {"name": "registration", "description": "1. A phone number and a password, confirmed by the phone."},
    {"name": "login", "description": "2. The password: the first factor."},
    {"name": "second factor", "description": "3. The code: send it, see where it stands, prove it."},
    {"name": "tokens", "description": "4. Stay logged in, and log out."},
    {"name": "account", "description": "5. The person behind the access token."},
    {"name": "step-up", "description": "6. A recent proof, before what matters."},
    {"name": "factors", "description": "7. The authenticator app and recovery codes."},
    {"name": "sessions", "description": "8. Where one is logged in, and which devices need no code."},
    {"name": "password", "description": "9. Another password, known or forgotten."},
    {"name": "other services", "description": "Check access tokens elsewhere."},
    {"name": "operation", "description": "Health, callbacks, and what a refusal means."},
]
# Answers of several kinds, by the operation that gives them.
_UNIONS = {"logIn": "LoggedIn", "verifyCode": "Verified"}
_JSON = "application/json"


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document of all routes of this application."""
    document = app.openapi()
    if "Problem" not in document["components"]["schemas"]:
        _complete(document)
    return document


def _complete(document: dict[str, Any]) -> None:
    document["info"]["description"] = _flowing(document["info"]["description"])
    components = document["components"]
    _complete_schemas(components["schemas"])
    components["headers"] = deepcopy(HEADERS)
    components["examples"] = {}
    for operation in _operations(document):
        _complete_operation(operation)
        _name_union(operation, components["schemas"])
        _share_examples(operation, components["examples"])
    components["examples"] = dict(sorted(components["examples"].items()))


def _complete_schemas(found: dict[str, Any]) -> None:
    for foreign in ("HTTPValidationError", "ValidationError"):
        found.pop(foreign, None)
    problem = schemas.Problem.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )
    found.update(problem.pop("$defs", {}))
    problem["properties"]["code"] = {"$ref": "#/components/schemas/ProblemCode"}
    found["Problem"] = problem
    found["ProblemCode"] = {
        "type": "string",
        "enum": sorted(all_refusals()),
        "description": "What to switch on. A later version may have more: treat those by their status.",
    }
    for name, example in EXAMPLES.items():
        found[name]["examples"] = [example]
    for shape in found.values():
        for field in shape.get("properties", {}).values():
            _lift_description(field)


def _lift_description(field: dict[str, Any]) -> None:
    """Of a field that may be null Pydantic describes the other kind: readers look at the field itself."""
    for kind in field.get("anyOf", ()):
        if "description" in kind:
            field.setdefault("description", kind.pop("description"))


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _complete_operation(operation: dict[str, Any]) -> None:
    # FastAPI keeps the line breaks of the source, which many a page shows.
    operation["description"] = _flowing(operation["description"])
    if MEDIA_TYPE not in operation["responses"].get("422", {}).get("content", {}):
        # FastAPI's own shape of a refusal, which no route answers with.
        operation["responses"].pop("422", None)
    described = {str(status): entry for status, entry in refusals(InternalError).items()}
    operation["responses"] = dict(sorted((operation["responses"] | described).items()))
    _give_examples(operation)
    for status, response in operation["responses"].items():
        response["headers"] = headers_of(operation["operationId"], status)


def _flowing(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _give_examples(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    request = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    if request is not None:
        request.setdefault("examples", REQUESTS.get(name) or _example_of_schema(request))
        _show_wrong_fields(operation, _shape_of(request))
    for status, response in operation["responses"].items():
        answer = response.get("content", {}).get(_JSON)
        if answer is not None and "example" not in answer:
            answer.setdefault("examples", ANSWERS.get((name, status)) or _example_of_schema(answer))


def _shape_of(body: dict[str, Any]) -> str | None:
    """The name of the one shape of a body; optional ones may be null too."""
    schema = body.get("schema", {})
    kinds = (schema, *schema.get("anyOf", ()))
    return next((kind["$ref"].rpartition("/")[2] for kind in kinds if "$ref" in kind), None)


def _example_of_schema(body: dict[str, Any]) -> dict[str, Any]:
    name = _shape_of(body)
    return {"usual": {"summary": "Usual", "value": EXAMPLES[name]}} if name in EXAMPLES else {}


def _show_wrong_fields(operation: dict[str, Any], shape: str | None) -> None:
    """Put what the service says of this body, with a field missing and one unknown, in place of any other."""
    if shape is None or not hasattr(schemas, shape):
        return
    refusal = ValidationFailedError(errors=_errors_of(getattr(schemas, shape), EXAMPLES[shape]))
    content = operation["responses"]["422"]["content"][MEDIA_TYPE]
    del content["examples"][ValidationFailedError.code]
    name = f"{ValidationFailedError.code}.{shape}"
    content["examples"] = {name: example_of(refusal), **content["examples"]}


def _errors_of(kind: type[BaseModel], good: dict[str, Any]) -> list[dict[str, str]]:
    bad = {name: value for index, (name, value) in enumerate(good.items()) if index} | {"unknown": True}
    try:
        kind.model_validate(bad)
    except ValidationError as error:
        return field_errors([each | {"loc": ("body", *each["loc"])} for each in error.errors()])
    raise AssertionError("an unknown field was taken")


def _name_union(operation: dict[str, Any], found: dict[str, Any]) -> None:
    if name := _UNIONS.get(operation["operationId"]):
        answer = operation["responses"]["200"]["content"][_JSON]
        found[name] = answer["schema"] | {"title": name}
        answer["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _share_examples(operation: dict[str, Any], shared: dict[str, Any]) -> None:
    """Let a refusal that operations have in common stand once."""
    for response in operation["responses"].values():
        examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        for name, example in examples.items():
            if shared.setdefault(name, example) == example:
                examples[name] = {"$ref": f"#/components/examples/{name}"}
