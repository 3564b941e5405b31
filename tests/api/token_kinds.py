"""Every kind of credential that somebody may show, good and bad, for the matrix of tokens and routes."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from api_surface import Operation
from sqlalchemy import update

from otp_auth.accounts.models import User
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import generate_key, load_keys
from otp_auth.tokens.opaque import digest
from support.callbacks import signed_headers
from support.resets import NEW_PASSWORD, allowed, forgot, reset
from support.service import PASSWORD, PUBLIC_URL, Json, Service, new_number

SERVICE_CLIENT = ("gateway", "a-secret-of-the-gateway-0123456789-abcdef")

Headers = list[tuple[bytes, bytes]]
# The headers for one request; only a signature depends on it.
Credential = Callable[[Operation, bytes], Headers]


async def every_kind(service: Service, keys: Path, foreign: Path) -> dict[str, Credential]:
    """Return credentials by what they are. `keys` is the service's directory, `foreign` becomes another's."""
    account = await service.register(new_number())
    pending = await service.start_registration(new_number())
    bearers = (
        await _pending_kinds(service, pending)
        | await _access_kinds(service, account)
        | await _reset_kinds(service)
        | _made_kinds(service, account, pending, keys, foreign)
    )
    kinds = {name: f"Bearer {token}" for name, token in bearers.items()}
    plain = {name: _always(value) for name, value in kinds.items()}
    return plain | _odd_headers(account["access_token"], pending["pending_token"])


async def _pending_kinds(service: Service, pending: Json) -> dict[str, str]:
    number = new_number()
    await service.register(number)
    login = await service.start_login(number)
    step_up = await service.start_step_up(await service.register(new_number()))
    return {
        "pending": pending["pending_token"],
        "pending of a login": login["pending_token"],
        "pending of a step-up": step_up["pending_token"],
    }


async def _reset_kinds(service: Service) -> dict[str, str]:
    numbers = [new_number() for _ in range(4)]
    for number in numbers:
        await service.register(number)
    unused, used, void = [await allowed(service, number) for number in numbers[:3]]
    assert (await reset(service, used)).status_code == 202
    owner = await service.log_in(numbers[2])
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await service.post("/me/password", body, owner["access_token"])).status_code == 204
    pending = await forgot(service, numbers[3])
    return {
        "pending of a reset": pending["pending_token"],
        "reset": unused["reset_token"],
        "reset, used": used["reset_token"],
        "reset, void": void["reset_token"],
        "reset, its digest": digest(unused["reset_token"]),
    }


async def _access_kinds(service: Service, account: Json) -> dict[str, str]:
    elevated = await service.step_up(account, account["user"]["phone_number"])
    ended, locked, changed = [await service.register(new_number()) for _ in range(3)]
    await service.post("/auth/logout", token=ended["access_token"])
    await _set(service, locked, locked_at=datetime.now(UTC))
    await _set(service, changed, password_version=User.password_version + 1)
    return {
        "access": account["access_token"],
        "access, elevated": elevated["access_token"],
        "refresh token": account["refresh_token"],
        "access of a session that was ended": ended["access_token"],
        "access of a locked account": locked["access_token"],
        "access of an earlier password": changed["access_token"],
    }


async def _set(service: Service, account: Json, **values: Any) -> None:
    """Change the row alone: what else a lock or a new password does must not be needed."""
    async with service.database.write() as tx:
        await tx.execute(update(User).where(User.id == UUID(account["user"]["id"])).values(**values))


def _made_kinds(service: Service, account: Json, pending: Json, keys: Path, foreign: Path) -> dict[str, str]:
    generate_key(foreign)
    access, waiting = account["access_token"], pending["pending_token"]
    session, user = UUID(account["session_id"]), UUID(account["user"]["id"])
    challenge = UUID(pending["challenge"]["id"])
    now, ours = datetime.now(UTC), service.app.state.tokens
    later, past = now + timedelta(minutes=5), now - timedelta(minutes=1)
    unsigned = jwt.encode(jwt.decode(access, options={"verify_signature": False}), "", algorithm="none")
    stranger = _tokens_with(foreign)
    return {
        "access, expired": _issue(_tokens_with(keys, timedelta(minutes=-1)), session, user),
        "access, proved an hour ago": _issue(ours, session, user, auth_time=now - timedelta(hours=1)),
        "access of one factor": _issue(ours, session, user, acr="aal1"),
        "access of nobody": _issue(ours, uuid4(), uuid4()),
        "access of another key": _issue(stranger, session, user),
        "access, unsigned": unsigned,
        "access, signature cut": access.rpartition(".")[0] + ".",
        "access, claims changed": access.replace(access.split(".")[1], waiting.split(".")[1]),
        "pending, expired": ours.issue_pending(challenge_id=challenge, expires_at=past),
        "pending of another key": stranger.issue_pending(challenge_id=challenge, expires_at=later),
        "garbage": "garbage",
        "dots": "a.b.c",
        "10 kB": "a" * 10_000,
    }


def _tokens_with(keys: Path, lifetime: timedelta = timedelta(minutes=10)) -> Tokens:
    return Tokens(
        load_keys(keys),
        issuer=PUBLIC_URL,
        audience=PUBLIC_URL,
        client_id="first-party",
        access_lifetime=lifetime,
    )


def _issue(tokens: Tokens, session: UUID, user: UUID, **said: Any) -> str:
    proof: dict[str, Any] = {"auth_time": datetime.now(UTC), "amr": ["pwd", "sms", "mfa"], "acr": "aal2"}
    return tokens.issue_access(user_id=user, session_id=session, **(proof | said))


def _odd_headers(access: str, waiting: str) -> dict[str, Credential]:
    return {
        "none": _always(),
        "two headers": _always(f"Bearer {access}", f"Bearer {access}"),
        "pending and access": _always(f"Bearer {waiting}", f"Bearer {access}"),
        "two in one header": _always(f"Bearer {access}, Bearer {access}"),
        "access as Basic": _always(f"Basic {access}"),
        "pending as Basic": _always(f"Basic {waiting}"),
        "access without a scheme": _always(access),
        "nothing after the scheme": _always("Bearer "),
        "access after two spaces": _always(f"Bearer  {access}"),
        "bytes": _always(b"Bearer \xff\xfe\x00"),
        "access, scheme in small letters": _always(f"bearer {access}"),
        "service client": _always(f"Basic {_basic(*SERVICE_CLIENT)}"),
        "service client, wrong secret": _always(f"Basic {_basic(SERVICE_CLIENT[0], 'wrong')}"),
        "signature of Sinch": _signed_by_sinch,
    }


def _always(*values: str | bytes) -> Credential:
    headers = [(b"Authorization", value.encode() if isinstance(value, str) else value) for value in values]
    return lambda _operation, _content: headers


def _basic(client_id: str, secret: str) -> str:
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def _signed_by_sinch(operation: Operation, content: bytes) -> Headers:
    headers = signed_headers(content, path=operation.path, content_type="application/json")
    return [(name.encode(), value.encode()) for name, value in headers.items()]
