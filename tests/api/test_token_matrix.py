"""Every route against every kind of credential. The routes come from the service's own document."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from api_surface import JSON_TYPE, Operation, code_of, operations

from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import generate_key, load_keys
from support.service import PUBLIC_URL, Service, new_number

# Each route stands in one of these lists, or the test fails: somebody has to decide.
PUBLIC = {
    "register",
    "logIn",
    "refreshTokens",
    "getJwks",
    "getProblem",
    "getHealth",
    "getLiveness",
    "getReadiness",
}
PENDING = {"sendCode", "getChallenge", "verifyCode"}
SINCH = {"takeSinchEvent"}  # no token opens it
ACCESS = {"getMe", "changeMe", "logOut"}
OPENS = {"pending": PENDING, "access": ACCESS, "access, scheme in small letters": ACCESS}

Headers = list[tuple[bytes, bytes]]


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


def _authorization(*values: str | bytes) -> Headers:
    return [(b"Authorization", value.encode() if isinstance(value, str) else value) for value in values]


def _issue(tokens: Tokens, session: UUID, user: UUID) -> str:
    now = datetime.now(UTC)
    return tokens.issue_access(user_id=user, session_id=session, auth_time=now, amr=["pwd"], acr="aal2")


def _tokens_with(keys: Path, lifetime: timedelta = timedelta(minutes=10)) -> Tokens:
    return Tokens(
        load_keys(keys),
        issuer=PUBLIC_URL,
        audience=PUBLIC_URL,
        client_id="first-party",
        access_lifetime=lifetime,
    )


@pytest.fixture
async def credentials(service: Service, signing_keys: Path, tmp_path: Path) -> dict[str, Headers]:
    """Headers by what they hold."""
    account = await service.register(new_number())
    gone = await service.register(new_number())
    await service.post("/auth/logout", token=gone["access_token"])
    pending = await service.start_registration(new_number())
    access, waiting = account["access_token"], pending["pending_token"]
    session, user = UUID(account["session_id"]), UUID(account["user"]["id"])
    challenge = UUID(pending["challenge"]["id"])
    past = datetime.now(UTC) - timedelta(minutes=1)
    ours, foreign = service.app.state.tokens, tmp_path / "foreign"
    generate_key(foreign)
    unsigned = jwt.encode(jwt.decode(access, options={"verify_signature": False}), "", algorithm="none")
    bearers = {
        "pending": waiting,
        "access": access,
        "refresh token": account["refresh_token"],
        "access of a session that was ended": gone["access_token"],
        "access, expired": _issue(_tokens_with(signing_keys, timedelta(minutes=-1)), session, user),
        "access of nobody": _issue(ours, uuid4(), uuid4()),
        "access of another key": _issue(_tokens_with(foreign), session, user),
        "access, unsigned": unsigned,
        "access, signature cut": access.rpartition(".")[0] + ".",
        "access, claims changed": access.replace(access.split(".")[1], waiting.split(".")[1]),
        "pending, expired": ours.issue_pending(challenge_id=challenge, expires_at=past),
        "pending of another key": _tokens_with(foreign).issue_pending(
            challenge_id=challenge, expires_at=datetime.now(UTC) + timedelta(minutes=5)
        ),
        "garbage": "garbage",
        "dots": "a.b.c",
        "10 kB": "a" * 10_000,
    }
    others = {
        "none": [],
        "two headers": _authorization(f"Bearer {access}", f"Bearer {access}"),
        "pending and access": _authorization(f"Bearer {waiting}", f"Bearer {access}"),
        "two in one header": _authorization(f"Bearer {access}, Bearer {access}"),
        "access as Basic": _authorization(f"Basic {access}"),
        "pending as Basic": _authorization(f"Basic {waiting}"),
        "access without a scheme": _authorization(access),
        "nothing after the scheme": _authorization("Bearer "),
        "access after two spaces": _authorization(f"Bearer  {access}"),
        "bytes": _authorization(b"Bearer \xff\xfe\x00"),
        "access, scheme in small letters": _authorization(f"bearer {access}"),
    }
    return {name: _authorization(f"Bearer {token}") for name, token in bearers.items()} | others


async def _ask(service: Service, operation: Operation, headers: Headers) -> httpx.Response:
    """Ask with a body that is refused as soon as somebody looks into it, so that nothing happens."""
    content = b'{"unknown": 1}' if operation.takes_body else None
    kind = [(name.encode(), value.encode()) for name, value in JSON_TYPE.items() if content]
    return await service.http.request(
        operation.method, operation.path, content=content, headers=[*headers, *kind]
    )


def _outcome(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, None if answer.is_success else code_of(answer)


def test_every_route_is_classified(service: Service) -> None:
    documented = {operation.name: operation.credential for operation in operations(service.app)}

    assert documented == (
        dict.fromkeys(PUBLIC)
        | dict.fromkeys(PENDING, "PendingToken")
        | dict.fromkeys(ACCESS, "AccessToken")
        | dict.fromkeys(SINCH, "SinchSignature")
    )


async def test_each_route_opens_to_its_own_token_alone(
    service: Service, credentials: dict[str, Headers]
) -> None:
    protected = [each for each in operations(service.app) if each.name not in PUBLIC]

    seen = {
        (operation.name, name): _outcome(await _ask(service, operation, headers))
        for operation in protected
        for name, headers in credentials.items()
    }

    opened = (422, "validation_failed")
    expected = {
        (operation.name, name): (opened if operation.takes_body else (200, None))
        if operation.name in OPENS.get(name, ())
        else (401, "invalid_token")
        for operation in protected
        for name in credentials
    }
    assert seen == expected


async def test_a_public_route_ignores_every_token(service: Service, credentials: dict[str, Headers]) -> None:
    public = [each for each in operations(service.app) if each.name in PUBLIC]

    seen = {
        (operation.name, name): _outcome(await _ask(service, operation, headers))
        for operation in public
        for name, headers in credentials.items()
    }

    expected = {
        (operation.name, name): (422, "validation_failed") if operation.takes_body else (200, None)
        for operation in public
        for name in credentials
    }
    assert seen == expected
