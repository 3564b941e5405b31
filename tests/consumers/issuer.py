"""An otp-auth that listens where its tokens say that it does, and tokens of every kind."""

import base64
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from conftest import NewService
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import KeySet, generate_key, load_keys
from otp_auth.tokens.signatures import sign
from support.service import Json, Service, new_number
from support.simulator import served

JWKS = "/.well-known/jwks.json"
TOO_OLD = timedelta(seconds=61)  # more than any leeway


@dataclass
class Door:
    """An address that is there before the service behind it; counts what is asked for."""

    app: ASGIApp | None = None
    asked: Counter[str] = field(default_factory=Counter)
    broken: set[str] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self.app is None:
            raise NotImplementedError  # the service behind runs already
        self.asked[scope["path"]] += 1
        app = Response(status_code=500) if scope["path"] in self.broken else self.app
        await app(scope, receive, send)


@dataclass(frozen=True)
class Issuer:
    """What a test needs of it."""

    address: str
    door: Door
    service: Service

    @property
    def keys(self) -> KeySet:
        tokens: Tokens = self.service.app.state.tokens
        return tokens.keys

    def issuing(self, keys: KeySet | None = None, **changes: Any) -> Tokens:
        usual = {"issuer": self.address, "audience": self.address, "client_id": "first-party"}
        return Tokens(keys or self.keys, **{**usual, "access_lifetime": timedelta(minutes=10), **changes})


@asynccontextmanager
async def running_issuer(new_service: NewService, **settings: Any) -> AsyncIterator[Issuer]:
    door = Door()
    async with served(door) as address, new_service(public_url=address, **settings) as service:
        door.app = service.app
        yield Issuer(address, door, service)


def issue(tokens: Tokens, account: Json, *, age: timedelta = timedelta(0), acr: str = "aal2") -> str:
    """Issue an access token of this account; `age` is how long ago a factor was proved."""
    return tokens.issue_access(
        user_id=UUID(account["user"]["id"]),
        session_id=UUID(account["session_id"]),
        auth_time=datetime.now(UTC) - age,
        amr=["pwd", "sms", "mfa"],
        acr=acr,
    )


async def bad_tokens(issuer: Issuer, account: Json, folder: Path) -> dict[str, str]:
    """Tokens that nobody may accept, by what is wrong with them."""
    pending = await issuer.service.start_registration(new_number())
    good = account["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    head, _, signature = good.rpartition(".")
    generate_key(folder)
    foreign = load_keys(folder)
    our_headers = {"typ": "at+jwt", "kid": issuer.keys.signing.kid}
    return {
        "a pending token": pending["pending_token"],
        "a pending token for the audience": sign(issuer.keys, "pending+jwt", claims),
        "an ordinary JWT": sign(issuer.keys, "JWT", claims),
        "a refresh token": account["refresh_token"],
        "another audience": issue(issuer.issuing(audience="https://other.example.com"), account),
        "the audience of pending tokens": issue(issuer.issuing(audience=f"{issuer.address}/otp"), account),
        "another issuer": issue(issuer.issuing(issuer="https://other.example.com"), account),
        "expired": issue(issuer.issuing(access_lifetime=-TOO_OLD), account),
        "another key": issue(issuer.issuing(foreign), account),
        "another key by our name": jwt.encode(claims, foreign.signing.private_key, "ES256", our_headers),
        "alg none": jwt.encode(claims, "", "none", our_headers),
        "signed with our public key as a secret": _confused(issuer.keys, our_headers, claims),
        "no signature": f"{head}.",
        "another signature": f"{head}.{signature[::-1]}",
        "garbage": "garbage",
    }


def _confused(keys: KeySet, headers: Json, claims: Json) -> str:
    public_key = keys.verifying[keys.signing.kid].public_key
    secret = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [_segment(json.dumps(part).encode()) for part in ({**headers, "alg": "HS256"}, claims)]
    return ".".join((*parts, _segment(hmac.digest(secret, ".".join(parts).encode(), "sha256"))))


def _segment(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
