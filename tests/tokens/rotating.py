"""What the tests of taking turns share: a directory of keys, a clock that stands still, tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine

from otp_auth.settings import Algorithm
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.key_files import list_keys
from otp_auth.tokens.keys import load_keys
from otp_auth.tokens.rotation import Rotation, overlap, rotate

ISSUER = "https://auth.example.com"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OVERLAP = overlap(timedelta(minutes=10), timedelta(minutes=5))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def turn(directory: Path, clock: time_machine.Traveller, algorithm: Algorithm = "ES256") -> Rotation:
    return rotate(directory, algorithm, OVERLAP, wait=clock.shift)


def states(directory: Path) -> dict[str, str]:
    return {entry.kid: entry.state for entry in list_keys(directory)}


def files(directory: Path) -> set[str]:
    return {path.stem for path in directory.glob("*.pem")}


def tokens_of(directory: Path) -> Tokens:
    return Tokens(
        load_keys(directory),
        issuer=ISSUER,
        audience=ISSUER,
        client_id="first-party",
        access_lifetime=timedelta(minutes=10),
    )


def access(tokens: Tokens) -> str:
    return tokens.issue_access(
        user_id=uuid4(), session_id=uuid4(), auth_time=datetime.now(UTC), amr=["pwd"], acr="aal2"
    )


def pending(tokens: Tokens) -> str:
    return tokens.issue_pending(challenge_id=uuid4(), expires_at=datetime.now(UTC) + timedelta(minutes=5))


def published(directory: Path) -> list[str]:
    return [jwk["kid"] for jwk in load_keys(directory).jwks()["keys"]]
