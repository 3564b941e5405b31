"""Every route against every kind of credential. The routes come from the service's own document."""

from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

import httpx
import pytest
from api_surface import Operation, code_of, operations
from fastapi.routing import iter_route_contexts
from token_kinds import SERVICE_CLIENT, Credential, every_kind

from conftest import NewService
from otp_auth.api import farewell
from otp_auth.api.openapi import openapi
from support.gateway import refusal_of
from support.service import Service


class Opens(StrEnum):
    """What a route opens to. The value begins with its security scheme in the document."""

    ALL = ""
    PENDING = "PendingToken"
    ACCESS = "AccessToken"
    RESET = "ResetToken"
    RECENT = "AccessToken, of a recent proof"
    TWO_FACTORS = "AccessToken, of two factors"
    SINCH = "SinchSignature"
    SERVICE = "ServiceClient"


# Each route stands here in a line of its own, or the test fails: somebody has to decide.
ROUTES = {
    "register": Opens.ALL,
    "logIn": Opens.ALL,
    "stepUp": Opens.ACCESS,
    "sendCode": Opens.PENDING,
    "getChallenge": Opens.PENDING,
    "verifyCode": Opens.PENDING,
    "refreshTokens": Opens.ALL,
    "logOut": Opens.ACCESS,
    "getMe": Opens.ACCESS,
    "changeMe": Opens.ACCESS,
    "changePassword": Opens.TWO_FACTORS,
    "changePhone": Opens.RECENT,
    "forgotPassword": Opens.ALL,
    "resetPassword": Opens.RESET,
    "cancelPasswordReset": Opens.TWO_FACTORS,
    "listFactors": Opens.ACCESS,
    "enrolTotp": Opens.RECENT,
    "confirmTotp": Opens.ACCESS,
    "removeTotp": Opens.RECENT,
    "renewRecoveryCodes": Opens.RECENT,
    "listSessions": Opens.ACCESS,
    "listEvents": Opens.ACCESS,
    "listDevices": Opens.ACCESS,
    "endDevice": Opens.ACCESS,
    "exportMe": Opens.RECENT,
    "deleteMe": Opens.RECENT,
    "endSession": Opens.ACCESS,
    "endOtherSessions": Opens.ACCESS,
    "getJwks": Opens.ALL,
    "getMetadata": Opens.ALL,
    "getProblem": Opens.ALL,
    "takeSinchEvent": Opens.SINCH,
    "introspectToken": Opens.SERVICE,
    "revokeToken": Opens.SERVICE,
    "getHealth": Opens.ALL,
    "getLiveness": Opens.ALL,
    "getReadiness": Opens.ALL,
}
# Routes that the document doesn't show. `/metrics` has a token of its own (test_metrics_route.py).
UNSEEN = {"/metrics", "/openapi.json", "/docs", "/docs/start.js", "/docs/assets"}
# The kinds of credential (token_kinds.py) that open something; no other may.
KEYS = {
    "pending": Opens.PENDING,
    "pending of a login": Opens.PENDING,
    "pending of a step-up": Opens.PENDING,
    "pending of a reset": Opens.PENDING,
    "reset": Opens.RESET,
    # Used or void, it is refused only when the fields are right: 410.
    "reset, used": Opens.RESET,
    "reset, void": Opens.RESET,
    "access": Opens.ACCESS,
    "access, elevated": Opens.ACCESS,
    "access, proved an hour ago": Opens.ACCESS,
    "access of one factor": Opens.ACCESS,
    "access, scheme in small letters": Opens.ACCESS,
    "signature of Sinch": Opens.SINCH,
    "service client": Opens.SERVICE,
}
# Access tokens that such a route sends to a step-up.
TOO_LITTLE = {
    Opens.RECENT: {"access, proved an hour ago", "access of one factor"},
    Opens.TWO_FACTORS: {"access of one factor"},
}

Outcome = tuple[int, str | None]
# What a route that opened answers to our empty or nonsensical request, where it isn't the usual.
ANSWERS: dict[str, Outcome] = {
    "endSession": (404, "not_found"),  # nobody has a session with the id of the example
    "endOtherSessions": (204, None),
    "endDevice": (404, "not_found"),  # nor a device
    "enrolTotp": (201, None),
    "deleteMe": (204, None),
    "cancelPasswordReset": (404, "not_found"),  # nothing waits
    "removeTotp": (404, "not_found"),  # only enrolled, and never confirmed
    "takeSinchEvent": (400, "malformed_request"),
    "introspectToken": (400, "invalid_request"),
    "revokeToken": (400, "invalid_request"),
}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    client_id, secret = SERVICE_CLIENT
    async with new_service(service_clients={client_id: secret}) as running:
        yield running


@pytest.fixture
async def kinds(service: Service, signing_keys: Path, tmp_path: Path) -> dict[str, Credential]:
    return await every_kind(service, signing_keys, tmp_path / "foreign")


async def _ask(service: Service, operation: Operation, credential: Credential) -> Outcome:
    """Ask with a body that is refused as soon as somebody looks into it, so that nothing happens."""
    content = b'{"unknown": 1}' if operation.takes_body else b""
    headers = credential(operation, content)
    if content and b"Content-Type" not in dict(headers):
        headers = [*headers, (b"Content-Type", b"application/json")]
    answer = await service.http.request(operation.method, operation.path, content=content, headers=headers)
    return _outcome(answer)


def _outcome(answer: httpx.Response) -> Outcome:
    if answer.is_success:
        return answer.status_code, None
    is_problem = answer.headers["content-type"] == "application/problem+json"
    return (answer.status_code, code_of(answer)) if is_problem else refusal_of(answer)


def _expected(operation: Operation, kind: str) -> Outcome:
    opens = ROUTES[operation.name]
    if opens in TOO_LITTLE:
        if kind in TOO_LITTLE[opens]:
            return 401, "insufficient_user_authentication"
        opens = Opens.ACCESS
    if opens not in (Opens.ALL, KEYS.get(kind)):
        return 401, "invalid_client" if opens is Opens.SERVICE else "invalid_token"
    usual = (422, "validation_failed") if operation.takes_body else (200, None)
    return ANSWERS.get(operation.name, usual)


def test_every_route_is_classified(service: Service) -> None:
    documented = {operation.name: operation.credential or "" for operation in operations(service.app)}

    assert documented == {name: opens.value.partition(",")[0] for name, opens in ROUTES.items()}


def test_no_route_is_outside_the_document_but_these(service: Service) -> None:
    everything = {context.path for context in iter_route_contexts(service.app.routes)}

    assert everything - set(openapi(service.app)["paths"]) == UNSEEN


async def test_each_route_opens_to_its_own_credential_alone(
    service: Service, kinds: dict[str, Credential], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stay(*_arguments: object) -> None:
        """The other routes are asked with the same account."""

    monkeypatch.setattr(farewell, "delete_account", stay)
    asked = [(operation, kind) for operation in operations(service.app) for kind in kinds]

    seen = {(operation.name, kind): await _ask(service, operation, kinds[kind]) for operation, kind in asked}

    assert seen == {(operation.name, kind): _expected(operation, kind) for operation, kind in asked}


def test_what_opens_something_is_shown(kinds: dict[str, Credential]) -> None:
    assert set().union(*TOO_LITTLE.values()) < set(KEYS) <= set(kinds)
