"""Hundreds of forged tokens over HTTP: each gets the same plain refusal, and moves nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import forged_claims
import pytest
import pytest_asyncio
from api_surface import Log, bearer, code_of, listening
from forged_signatures import twin
from forged_tokens import ACCESS, ME, OTP, PENDING, REFUSED, Refusal, mints, refusal, show, try_all

from conftest import NewService
from otp_auth.tokens.keys import generate_key
from support.forgery import Forgery, Mint
from support.service import Service, new_number
from support.watching import watching

FEWEST = 50  # what was promised


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, so that no connection to a database is seen, unless a test says otherwise."""
    url: str = request.getfixturevalue(getattr(request, "param", "sqlite_database"))
    return url


@pytest.fixture(scope="module")
def two_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("two-keys")
    generate_key(directory)
    generate_key(directory, "EdDSA")
    return directory


@pytest_asyncio.fixture
async def service(new_service: NewService, two_keys: Path) -> AsyncIterator[Service]:
    async with new_service(tokens={"signing_keys_dir": two_keys}) as running:
        yield running


@asynccontextmanager
async def _tempting_server() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Where the forger's keys could be fetched; the list is of what was asked."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def _levels(log: Log) -> set[str]:
    return {line.partition(" ")[0] for line in log.lines}


async def _seen_of(
    service: Service, path: str, mint: Mint, forgeries: Mapping[str, Forgery]
) -> dict[str, Refusal | str]:
    """Try all while nothing may happen: no connection, no file, no complaint in the log."""
    await try_all(service, path, mint, {"warming up": lambda mint: f"{mint.genuine}A"})
    for forge in forgeries.values():
        forge(mint)  # what a forger makes once is made now
    with listening() as log, watching() as happened:
        seen = await try_all(service, path, mint, forgeries)
    # The service itself asks Sinch meanwhile how its messages went (challenges/following.py).
    sinch = f"'127.0.0.1', {urlsplit(service.simulator.base_url).port}"
    assert [event for event in happened if sinch not in event] == []
    assert _levels(log) <= {"DEBUG", "INFO"}
    assert mint.segments[2] not in log.text
    return seen


@pytest.mark.parametrize("kind", ["access", "pending"])
async def test_a_forged_token_is_refused_and_nothing_else_happens(service: Service, kind: str) -> None:
    path, forgeries = (ME, ACCESS) if kind == "access" else (OTP, PENDING)
    async with _tempting_server() as (address, asked):
        access, pending = await mints(service, address)
        mint = access if kind == "access" else pending

        seen = await _seen_of(service, path, mint, forgeries)

    assert {name: told for name, told in seen.items() if told != REFUSED} == {}
    assert len(seen) == len(forgeries) >= FEWEST
    assert asked == []


@pytest.mark.parametrize("database_url", ["postgres_database"], indirect=True)
async def test_ids_that_do_not_belong_together_open_nothing_on_postgresql_either(service: Service) -> None:
    access, _ = await mints(service)

    seen = await try_all(service, ME, access, forged_claims.IDS)

    assert seen == dict.fromkeys(forged_claims.IDS, REFUSED)


async def test_the_other_signature_of_a_token_is_no_other_token(service: Service) -> None:
    """ECDSA has two for each; whoever flips one holds the same token, and it ends with its session."""
    access, _ = await mints(service)
    tokens = service.app.state.tokens

    assert twin(access) != access.genuine
    assert (await show(service, ME, twin(access))).is_success
    assert tokens.read_access(twin(access)) == tokens.read_access(access.genuine)

    await service.post("/auth/logout", token=access.genuine)
    assert code_of(await show(service, ME, twin(access))) == "invalid_token"


OTHER_SCHEMES = {
    "no scheme": "{token}",
    "Basic": "Basic {token}",
    "Token": "Token {token}",
    "DPoP": "DPoP {token}",
    "another word": "BearerToken {token}",
    "no space": "Bearer{token}",
    "a tab": "Bearer\t{token}",
    "two spaces": "Bearer  {token}",
    "a space before": " Bearer {token}",
    "a colon": "Bearer: {token}",
    "as a parameter": 'Bearer token="{token}"',
    "scheme twice": "Bearer Bearer {token}",
    "two in one": "Bearer {token}, Bearer {token}",
    "two schemes": "Basic YTpi, Bearer {token}",
    "no token": "Bearer",
    "space for a token": "Bearer ",
}


async def test_a_genuine_token_in_another_header_than_bearer_is_refused(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]

    seen = {
        name: refusal(await service.http.get(ME, headers={"Authorization": value.format(token=token)}))
        for name, value in OTHER_SCHEMES.items()
    }

    # RFC 6750 3.1: whoever shows no bearer token is told no error.
    silent = REFUSED | {"WWW-Authenticate": "Bearer"}
    assert seen == {
        name: REFUSED if value.startswith("Bearer") else silent for name, value in OTHER_SCHEMES.items()
    }


async def test_the_scheme_is_read_in_any_letters(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]

    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await service.http.get(ME, headers={"Authorization": f"{scheme} {token}"})).is_success


async def test_two_headers_are_refused_also_where_they_agree(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]
    one, garbage = bearer(token)["Authorization"], "Bearer garbage"

    for values in ((one, one), (one, garbage), (garbage, one), (one, "Basic YTpi")):
        headers = [("Authorization", value) for value in values]
        assert refusal(await service.http.get(ME, headers=headers)) == REFUSED


async def test_a_token_is_read_nowhere_but_in_its_header(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]
    elsewhere: list[dict[str, Any]] = [
        {"params": {"access_token": token}},  # RFC 6750 2.3
        {"headers": {"Cookie": f"access_token={token}; Authorization=Bearer {token}"}},
        {"headers": {"X-Authorization": f"Bearer {token}", "Proxy-Authorization": f"Bearer {token}"}},
        {"data": {"access_token": token}},  # RFC 6750 2.2
        {"json": {"access_token": token, "token": token}},
    ]

    for request in elsewhere:
        method = "PATCH" if {"data", "json"} & set(request) else "GET"
        answer = await service.http.request(method, ME, **request)
        # RFC 6750 3.1: whoever shows no token is told no error.
        assert refusal(answer) == REFUSED | {"WWW-Authenticate": "Bearer"}
