"""For each route that writes, a call that its caller may make, with what has to be there before.

`stored_rows`, `rows_about` and `effect` say what such a call has changed, and of whom.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from api_surface import JSON_TYPE, Operation, bearer

from otp_auth.challenges.models import Challenge
from otp_auth.database import Base, Database
from support import gateway
from support.authenticator import add_app, enrol
from support.callbacks import signed_headers
from support.devices import trust_another
from support.resets import allowed, reset, settled
from support.service import PASSWORD, Json, Service, new_number
from support.whole_account import WholeAccount, rows_of

NEW_PASSWORD = "Amber-Meadow-Compass-31"
SHARED_COUNTERS = frozenset({"budgets", "conversions"})
Rows = dict[tuple[str, str], dict[str, Any]]  # by table and primary key


@dataclass(frozen=True)
class Person:
    """Somebody with a session."""

    number: str
    tokens: Json


@dataclass(frozen=True)
class Call:
    """What is sent, and what stands in the address."""

    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    async def send(self, service: Service, operation: Operation, query: str = "") -> httpx.Response:
        path = operation.template.format_map(self.parameters)
        url = f"{path}?{query}" if query else path
        answer = await service.http.request(
            operation.method, url, content=self.content, headers=dict(self.headers)
        )
        await settled(service)
        return answer


Prepare = Callable[[Service, Person], Awaitable[Call]]


async def new_person(service: Service) -> Person:
    number = new_number()
    return Person(number, await service.register(number))


def call(body: Json | None = None, token: str | None = None, **parameters: str) -> Call:
    content = b"" if body is None else json.dumps(body).encode()
    headers = (JSON_TYPE if content else {}) | (bearer(token) if token else {})
    return Call(content, headers, parameters)


def _as_oneself(body: Json | None = None) -> Prepare:
    """A call that needs nothing but a session."""

    async def prepare(_service: Service, person: Person) -> Call:
        return call(body, person.tokens["access_token"])

    return prepare


async def _register(_service: Service, _person: Person) -> Call:
    return call({"phone_number": new_number(), "password": PASSWORD})


async def _log_in(_service: Service, person: Person) -> Call:
    return call({"identifier": person.number, "password": PASSWORD})


async def _send_code(service: Service, person: Person) -> Call:
    pending = await service.start_login(person.number, method="none")
    return call({"method": "sms"}, pending["pending_token"])


async def _verify_code(service: Service, person: Person) -> Call:
    pending = await service.start_login(person.number)
    return call({"code": await service.simulator.code(person.number)}, pending["pending_token"])


async def _refresh(_service: Service, person: Person) -> Call:
    return call({"refresh_token": person.tokens["refresh_token"]})


async def _change_phone(_service: Service, person: Person) -> Call:
    return call({"phone_number": new_number()}, person.tokens["access_token"])


async def _confirm_totp(service: Service, person: Person) -> Call:
    app = await enrol(service, person.tokens)
    return call({"code": app.code()}, person.tokens["access_token"])


async def _remove_totp(service: Service, person: Person) -> Call:
    await add_app(service, person.tokens)
    return call(token=person.tokens["access_token"])


async def _end_session(service: Service, person: Person) -> Call:
    other = await service.log_in(person.number)
    return call(token=person.tokens["access_token"], session_id=other["session_id"])


async def _end_other_sessions(service: Service, person: Person) -> Call:
    await service.log_in(person.number)
    return call(token=person.tokens["access_token"])


async def _end_device(service: Service, person: Person) -> Call:
    trusting = await trust_another(service, person.number)
    token = person.tokens["access_token"]
    devices = (await service.get("/me/devices", trusting["access_token"])).json()["items"]
    return call(token=token, device_id=devices[0]["id"])


async def _forget_password(_service: Service, person: Person) -> Call:
    return call({"identifier": person.number})


async def _reset_password(service: Service, person: Person) -> Call:
    token = (await allowed(service, person.number))["reset_token"]
    return call({"new_password": NEW_PASSWORD}, token)


async def _cancel_reset(service: Service, person: Person) -> Call:
    assert (await reset(service, await allowed(service, person.number))).status_code == 202
    return call(token=person.tokens["access_token"])


async def _log_out_everywhere(service: Service, person: Person) -> Call:
    await service.log_in(person.number)
    return call({"everywhere": True}, person.tokens["access_token"])


async def _ask_as_gateway(_service: Service, person: Person) -> Call:
    content = f"token={person.tokens['refresh_token']}".encode()
    return Call(content, gateway.basic() | gateway.FORM)


async def _tell_of_a_delivery(service: Service, person: Person) -> Call:
    pending = await service.start_login(person.number)
    async with service.database.read() as tx:
        challenge = await tx.get_one(Challenge, UUID(pending["challenge"]["id"]))
    event = {
        "id": challenge.verification_id,
        "event": "VerificationSmsDeliveredEvent",
        "method": "sms",
        "identity": {"type": "number", "endpoint": person.number},
        "reference": str(challenge.reference),
        "smsResult": "Successful",
    }
    content = json.dumps(event).encode()
    return Call(content, signed_headers(content))


# Each route that writes stands here in a line of its own, or the tests fail.
CALLS: dict[str, Prepare] = {
    "register": _register,
    "logIn": _log_in,
    "stepUp": _as_oneself(),
    "sendCode": _send_code,
    "verifyCode": _verify_code,
    "refreshTokens": _refresh,
    "logOut": _log_out_everywhere,
    "changeMe": _as_oneself({"display_name": "Ada", "locale": "sv-SE", "preferred_method": "voice"}),
    "deleteMe": _as_oneself(),
    "changePassword": _as_oneself({"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
    "forgotPassword": _forget_password,
    "resetPassword": _reset_password,
    "cancelPasswordReset": _cancel_reset,
    "changePhone": _change_phone,
    "enrolTotp": _as_oneself(),
    "confirmTotp": _confirm_totp,
    "removeTotp": _remove_totp,
    "renewRecoveryCodes": _as_oneself(),
    "endSession": _end_session,
    "endOtherSessions": _end_other_sessions,
    "endDevice": _end_device,
    "introspectToken": _ask_as_gateway,
    "revokeToken": _ask_as_gateway,
    "takeSinchEvent": _tell_of_a_delivery,
}


async def stored_rows(database: Database) -> Rows:
    """All rows of all tables."""
    return {
        (table.name, " ".join(str(row[column.name]) for column in table.primary_key)): row
        for table in Base.metadata.sorted_tables
        for row in await rows_of(database, table)
    }


def rows_about(rows: Rows, account: WholeAccount) -> Rows:
    """Those in which anything stands that leads to this account: its id, number, address, sessions."""
    sessions = {
        key for (table, key), row in rows.items() if table == "sessions" and _names(row, account.names)
    }
    names = [*account.names, *sessions]
    return {place: row for place, row in rows.items() if _names(row, names)}


def _names(row: Mapping[str, Any], names: Sequence[str]) -> bool:
    text = json.dumps(dict(row), default=str, ensure_ascii=False)
    return any(name in text for name in names)


def effect(before: Rows, after: Rows) -> dict[str, int]:
    """Which columns have changed, in how many rows; how many rows came, and how many went.

    Without counters that all share: whoever comes first makes their rows.
    """
    counted: Counter[str] = Counter()
    for place in before.keys() | after.keys():
        old, new = before.get(place), after.get(place)
        if place[0] in SHARED_COUNTERS:
            continue
        if old is None or new is None:
            counted[f"{place[0]}: {'came' if old is None else 'went'}"] += 1
        else:
            counted.update(f"{place[0]}.{name}" for name in old if old[name] != new[name])
    return dict(counted)
