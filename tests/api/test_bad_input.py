"""Nonsense in every field of every body: always a refusal of the contract, nothing echoed, nothing stored.

The fields come from the service's own document, the nonsense and what is taken of it from `bad_values`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import time_machine
from api_surface import (
    JSON_TYPE,
    Operation,
    bearer,
    code_of,
    everything_stored,
    listening,
    operations,
)
from bad_values import BODIES, CANARY, SECRET, TAKEN, TAKEN_BODIES, TRIED, VALUES

from support.resets import allowed
from support.service import PASSWORD, Service, new_number


@dataclass(frozen=True)
class Ground:
    """A service with somebody in it, and for each route a body that would be taken."""

    service: Service
    bodies: dict[str, dict[str, object]]
    tokens: dict[str | None, str]

    def routes(self) -> list[Operation]:
        return [each for each in operations(self.service.app) if each.takes_body]

    async def send(self, operation: Operation, content: bytes) -> httpx.Response:
        token = self.tokens.get(operation.credential)
        headers = JSON_TYPE | (bearer(token) if token else {})
        return await self.service.http.request(
            operation.method, operation.path, content=content, headers=headers
        )

    def body(self, operation: Operation, field: str, value: bytes, *, twice: bool = False) -> bytes:
        """The good body of a route with one field as these bytes."""
        pairs = [
            (name, json.dumps(good).encode())
            for name, good in self.bodies[operation.name].items()
            if name != field
        ]
        pairs += [(field, value)] * (2 if twice else 1)
        return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in pairs) + b"}"


@pytest.fixture
async def ground(service: Service) -> Ground:
    number, waiting = new_number(), new_number()
    account = await service.register(number, email="ada@example.com")
    pending = await service.start_registration(waiting)
    login: dict[str, object] = {"identifier": number, "password": PASSWORD, "method": "none"}
    return Ground(
        service,
        bodies={
            "register": {"phone_number": "+46709999998", "password": PASSWORD},
            "logIn": login,
            "stepUp": {"method": "none"},
            "renewRecoveryCodes": {},
            "sendCode": {"method": "voice"},
            "verifyCode": {"code": "000000"},
            "refreshTokens": {"refresh_token": "none"},
            "logOut": {"everywhere": False},
            "changeMe": {"display_name": "Ada"},
            "confirmTotp": {"code": "000000"},
            "changePhone": {"phone_number": "+46709999997"},
            "forgotPassword": {"identifier": "nobody@example.com"},
            "resetPassword": {"new_password": "Amber-Meadow-Compass-31"},
            "changePassword": {"current_password": PASSWORD, "new_password": "Amber-Meadow-Compass-31"},
        },
        tokens={
            "PendingToken": pending["pending_token"],
            "AccessToken": account["access_token"],
            "ResetToken": (await allowed(service, number))["reset_token"],
        },
    )


def _cases(ground: Ground) -> Iterator[tuple[Operation, str, str, bytes]]:
    """Every route, field and value that must be refused."""
    for operation in ground.routes():
        for field in operation.fields or ():
            excepted = (TAKEN | TRIED).get((operation.name, field), set())
            for name, value in VALUES.items():
                if name not in excepted:
                    yield operation, field, name, ground.body(operation, field, value)
            again = b'"' + SECRET + b'"'
            yield operation, field, "twice", ground.body(operation, field, again, twice=True)


def _bodies(ground: Ground) -> Iterator[tuple[Operation, str, str, bytes]]:
    for operation in ground.routes():
        for name, content in BODIES.items():
            if (operation.name, name) not in TAKEN_BODIES:
                yield operation, "the body", name, content
        good = ground.bodies[operation.name]
        text = json.dumps(good).encode()
        yield operation, "the body", "something after it", text + b" " + SECRET
        yield operation, "the body", "two of it", text + text
        value = b'"' + SECRET + b'"'
        for extra in ("is_verified", "role", "user_id", "phone_verified_at", "__proto__"):
            yield operation, extra, "unknown field", ground.body(operation, extra, value)


def _faults(answer: httpx.Response) -> list[str]:
    """What is wrong with a refusal."""
    if not 400 <= answer.status_code < 500:
        return [f"status {answer.status_code}"]
    code_of(answer)
    return ["echoed"] if CANARY in answer.text or CANARY in str(answer.headers) else []


async def _stored(ground: Ground) -> dict[str, list[str]]:
    """All rows but those of wrong passwords: they count, and are told, however strange they are."""
    stored = await everything_stored(ground.service.database)
    of_passwords = ("('passwords:", "('audit:")
    stored["budgets"] = [row for row in stored["budgets"] if not row.startswith(of_passwords)]
    stored["audit_events"] = [row for row in stored["audit_events"] if "'login_failed'" not in row]
    return stored


async def test_nonsense_is_refused_and_neither_echoed_nor_stored(ground: Ground) -> None:
    wrong: dict[tuple[str, str, str], list[str]] = {}

    # The clock stands still, so that Sinch isn't asked meanwhile how the messages went: that would be stored.
    with listening() as log, time_machine.travel(datetime.now(UTC), tick=False):
        before = await _stored(ground)
        for operation, field, name, content in (*_cases(ground), *_bodies(ground)):
            if faults := _faults(await ground.send(operation, content)):
                wrong[operation.name, field, name] = faults

        assert await _stored(ground) == before
    assert wrong == {}
    assert CANARY not in log.text
    assert "ERROR" not in log.text


async def test_what_only_looks_like_nonsense_is_taken(ground: Ground) -> None:
    operation_of = {each.name: each for each in ground.routes()}
    wrong = {}
    for (route, field), names in TAKEN.items():
        for name in sorted(names):
            if route in {"logOut", "changePassword"}:  # what it ends or changes is its own
                account = await ground.service.register(new_number())
                ground.tokens["AccessToken"] = account["access_token"]
            if route == "resetPassword":  # it is used up
                await ground.service.register(number := new_number())
                ground.tokens["ResetToken"] = (await allowed(ground.service, number))["reset_token"]
            answer = await ground.send(
                operation_of[route], ground.body(operation_of[route], field, VALUES[name])
            )
            if not answer.is_success:
                wrong[route, field, name] = answer.text
        ground.tokens["AccessToken"] = (await ground.service.register(new_number()))["access_token"]

    assert wrong == {}


async def test_an_optional_body_may_be_null(ground: Ground) -> None:
    change, leave = (
        next(each for each in ground.routes() if each.name == name) for name in ("changeMe", "logOut")
    )

    answers = [await ground.send(change, BODIES[name]) for name in ("nothing", "null")]
    answers.append(await ground.send(leave, BODIES["null"]))

    assert [answer.status_code for answer in answers] == [200, 200, 204]


async def test_a_code_that_could_be_one_is_judged(ground: Ground) -> None:
    verify = next(each for each in ground.routes() if each.name == "verifyCode")
    cases = [(field, name) for (_, field), names in TRIED.items() for name in sorted(names)]
    codes = set()
    for field, name in cases:
        pending = await ground.service.start_registration(new_number())
        ground.tokens["PendingToken"] = pending["pending_token"]
        codes.add(code_of(await ground.send(verify, ground.body(verify, field, VALUES[name]))))

    assert codes == {"wrong_code"}
