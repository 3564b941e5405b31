"""Gateways ask of forged tokens: none is active, and none ends the session that it names."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from forged_tokens import ACCESS, ME, mints, show

from conftest import NewService
from otp_auth.tokens.keys import generate_key
from support.forgery import Mint
from support.gateway import CLIENTS, INTROSPECT, REVOKE, ask
from support.service import Service

LARGEST_FORM = 60_000  # octets; what is larger isn't read at all


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest_asyncio.fixture
async def service(new_service: NewService, tmp_path: Path) -> AsyncIterator[Service]:
    generate_key(tmp_path / "keys")
    generate_key(tmp_path / "keys", "EdDSA")
    async with new_service(
        tokens={"signing_keys_dir": tmp_path / "keys"}, service_clients=CLIENTS
    ) as running:
        yield running


def _forged(mint: Mint) -> dict[str, str]:
    tokens = {name: forge(mint) for name, forge in ACCESS.items()}
    return {name: token for name, token in tokens.items() if len(token) < LARGEST_FORM}


async def test_no_forged_token_is_active(service: Service) -> None:
    access, _ = await mints(service)
    assert (await ask(service, INTROSPECT, access.genuine)).json()["active"] is True

    seen = {name: _told(await ask(service, INTROSPECT, token)) for name, token in _forged(access).items()}

    assert {name: told for name, told in seen.items() if told != (200, '{"active":false}')} == {}


async def test_no_forged_token_ends_a_session(service: Service) -> None:
    access, _ = await mints(service)

    for name, token in _forged(access).items():
        assert _told(await ask(service, REVOKE, token)) == (200, ""), name
        assert (await show(service, ME, access.genuine)).is_success, name
        assert (await show(service, ME, access.of_somebody_else)).is_success, name


def _told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text
