"""The service's surface as its own OpenAPI document tells it, and what holds for every answer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from loguru import logger
from sqlalchemy import select

from otp_auth.api.body_errors import LARGEST_BODY
from otp_auth.api.openapi import openapi
from otp_auth.api.schemas import Problem
from otp_auth.database import Base, Database
from support.resets import allowed
from support.service import PUBLIC_URL, Json, Service, new_number

# Section 8 of the contract.
STATUS_OF = {
    code: status
    for status, codes in {
        400: ("wrong_code", "wrong_password", "malformed_request"),
        401: ("invalid_credentials", "invalid_token", "insufficient_user_authentication"),
        403: ("not_allowed", "proof_required"),
        404: ("not_found",),
        405: ("method_not_allowed",),
        409: ("account_exists", "conflict"),
        410: ("challenge_closed",),
        413: ("payload_too_large",),
        415: ("unsupported_media_type",),
        422: ("validation_failed", "weak_password", "phone_number_invalid", "destination_refused"),
        429: ("rate_limited", "resend_too_soon", "too_many_attempts", "too_many_sends"),
        500: ("internal_error",),
        503: ("provider_unavailable", "overloaded", "not_ready"),
    }.items()
    for code in codes
}
SINCH = "SinchSignature"  # who signs its requests instead of showing a token
# An example for every parameter of an address.
PARAMETERS = {
    "code": "not_found",
    "session_id": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
    "device_id": "0190b3c4-9a0b-7c1d-8e2f-4a5b6c7d8e9f",
}
READS = frozenset({"GET", "HEAD", "OPTIONS"})
SERVICE_CLIENT = "ServiceClient"  # speaks forms and RFC 6749 5.2: see support/gateway
# RFC 6749 5.2, for the two routes of service clients.
OAUTH_ERRORS = {"400": "invalid_request", "401": "invalid_client", "413": "invalid_request"}
JSON_TYPE = {"Content-Type": "application/json"}
# Bodies that fail at one step of the judging each.
TOO_LARGE = b" " * (LARGEST_BODY + 1)
WRONG_FIELDS = b'{"unknown": 1}'
TEXT = {"Content-Type": "text/plain"}


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str  # with an example for every parameter
    template: str  # with the names of its parameters
    name: str  # the operationId
    credential: str | None
    fields: dict[str, Json] | None  # of the body, with their schemas; None: takes no body
    needs_body: bool
    body: dict[str, Json]  # a value for each field
    description: Json

    @property
    def takes_body(self) -> bool:
        return self.fields is not None

    @property
    def writes(self) -> bool:
        return self.method not in READS

    def parameters(self, place: str) -> set[str]:
        """The names of its parameters in this place: `path`, `query`."""
        listed = self.description.get("parameters", ())
        return {each["name"] for each in listed if each["in"] == place}


def operations(app: FastAPI) -> list[Operation]:
    """Everything that the document lists."""
    document = openapi(app)
    return [
        _operation(document, method, path, description)
        for path, methods in document["paths"].items()
        for method, description in methods.items()
    ]


def _operation(document: Json, method: str, path: str, description: Json) -> Operation:
    security = description.get("security", [])
    # An empty one means that there may be none.
    credential = next(iter(security[0])) if security and {} not in security else None
    body = description.get("requestBody") if credential not in {SINCH, SERVICE_CLIENT} else None
    schema = _object(document, body["content"]["application/json"]["schema"]) if body else None
    return Operation(
        method=method.upper(),
        path=path.format_map(PARAMETERS),
        template=path,
        name=description["operationId"],
        credential=credential,
        fields=schema["properties"] if schema else None,
        needs_body=bool(body and body.get("required")),
        body=whole_body(document, schema) if schema else {},
        description=description,
    )


def _object(document: Json, schema: Json) -> Json:
    """Return the schema of the object that stands there, or that may; `{}` where none may."""
    for each in (schema, *schema.get("anyOf", ())):
        if "$ref" in each:
            found: Json = resolve(document, each["$ref"])
            return found if "properties" in found else {}
        if "properties" in each:
            return dict(each)
    return {}


def whole_body(document: Json, schema: Json) -> Json:
    """A body with every field that there is: by the example of the body, of the field, or by its type."""
    example: Json = next(iter(schema.get("examples", ())), {})
    return {
        name: example[name] if name in example else _example(document, field)
        for name, field in schema["properties"].items()
    }


def _example(document: Json, field: Json) -> Any:
    if inner := _object(document, field):
        return whole_body(document, inner)
    for each in (field, *field.get("anyOf", ())):
        if values := each.get("examples") or each.get("enum"):
            return values[0]
        if "const" in each:
            return each["const"]
    kinds = {each.get("type") for each in (field, *field.get("anyOf", ()))}
    return False if "boolean" in kinds else 1 if "integer" in kinds else "x"


def problems_of(document: Json, operation: Operation) -> dict[str, list[Json]]:
    """Examples of refusals by the status they are documented under."""
    return {
        status: [
            (resolve(document, example["$ref"]) if "$ref" in example else example)["value"]
            for example in response["content"]["application/problem+json"]["examples"].values()
        ]
        for status, response in operation.description["responses"].items()
        if int(status) >= 400 and (operation.credential != SERVICE_CLIENT or status not in OAUTH_ERRORS)
    }


def resolve(document: Json, reference: str) -> Any:
    """Follow a `$ref` inside the document. Raises KeyError for one that leads nowhere."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def problem_of(answer: httpx.Response) -> Json:
    """Return the problem, and assert all that holds for every refusal."""
    problem: Json = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    Problem.model_validate(problem)
    assert problem["status"] == answer.status_code == STATUS_OF[problem["code"]]
    assert problem["type"] == f"{PUBLIC_URL}/problems/{problem['code']}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers) is (answer.status_code == 401)
    assert ("retry-after" in answer.headers) is (answer.status_code in {429, 503})
    assert int(answer.headers.get("retry-after", 1)) >= 1
    assert ("errors" in problem) is (problem["code"] in {"validation_failed", "weak_password"})
    return problem


def code_of(answer: httpx.Response) -> str:
    return str(problem_of(answer)["code"])


async def everything_stored(database: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    stored = {}
    async with database.read() as tx:
        for table in Base.metadata.sorted_tables:
            stored[table.name] = sorted(map(repr, await tx.execute(select(table))))
    return stored


class Log(logging.Handler):
    """What was logged, as it was handed over: nothing is masked yet."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def listening() -> Iterator[Log]:
    """Collect both logs until the block ends."""
    log = Log()
    layout = "{level} {message} {extra}"
    sink = logger.add(
        lambda message: log.lines.append(str(message)), format=layout, backtrace=False, diagnose=False
    )
    logging.getLogger().addHandler(log)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(log)
        logger.remove(sink)


async def token_of_each_kind(service: Service) -> dict[str | None, str]:
    """By the credential that a route names. The reset token is of the account of the access token."""
    pending = await service.start_registration(new_number())
    account = await service.register(number := new_number())
    return {
        "PendingToken": pending["pending_token"],
        "AccessToken": account["access_token"],
        "ResetToken": (await allowed(service, number))["reset_token"],
    }
