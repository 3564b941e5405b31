"""Whoever holds a key that signs no more: the service says no, at once or from then on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import time_machine
from forged_tokens import ME, OTP, REFUSED, mints, refusal, show

from conftest import NewService
from otp_auth.tokens.keys import generate_keys, load_keys
from otp_auth.tokens.rotation import retire, rotate
from otp_auth.tokens.timing import LEEWAY, PICK_UP
from support.forgery import Mint
from support.service import Service, new_number

OVERLAP = timedelta(minutes=15)
A_WEEK = 7 * 24 * 3600


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    generate_keys(tmp_path / "keys")  # two: a rotation is then one change
    return tmp_path / "keys"


@pytest_asyncio.fixture
async def service(new_service: NewService, keys: Path) -> AsyncIterator[Service]:
    async with new_service(tokens={"signing_keys_dir": keys}) as running:
        yield running


def _retire(service: Service, keys: Path) -> None:
    retire(keys, load_keys(keys).signing.kid, "ES256")
    service.app.state.tokens.keys = load_keys(keys)


def _rotate(service: Service, keys: Path) -> None:
    rotate(keys, "ES256", OVERLAP, wait=lambda _seconds: None)
    service.app.state.tokens.keys = load_keys(keys)


def _fresh(mint: Mint) -> str:
    """Signed now, with the key that signed the genuine one."""
    now = int(datetime.now(UTC).timestamp())
    return mint.forge(claims={"iat": now, "exp": now + 300})


async def test_an_emergency_ends_all_that_the_key_has_signed_or_will(service: Service, keys: Path) -> None:
    access, pending = await mints(service)

    _retire(service, keys)

    for path, mint in ((ME, access), (OTP, pending)):
        for token in (mint.genuine, _fresh(mint), mint.forge(claims={"iat": 1}), mint.of_somebody_else):
            assert refusal(await show(service, path, token)) == REFUSED
    anew = await service.register(new_number())
    assert (await show(service, ME, anew["access_token"])).is_success


async def test_the_retired_key_under_the_name_of_the_new_one_is_refused(service: Service, keys: Path) -> None:
    access, pending = await mints(service)

    _retire(service, keys)

    named = {"kid": load_keys(keys).signing.kid}
    assert refusal(await show(service, ME, access.forge(named))) == REFUSED
    assert refusal(await show(service, OTP, pending.forge(named))) == REFUSED


async def test_a_key_that_was_rotated_out_signs_nothing_new(service: Service, keys: Path) -> None:
    access, pending = await mints(service)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        _rotate(service, keys)
        clock.shift(PICK_UP + LEEWAY + timedelta(seconds=1))

        assert (await show(service, ME, access.genuine)).is_success
        assert (await show(service, OTP, pending.genuine)).is_success
        assert refusal(await show(service, ME, _fresh(access))) == REFUSED
        assert refusal(await show(service, OTP, _fresh(pending))) == REFUSED


async def test_after_the_overlap_nothing_of_that_key_holds_whatever_it_says(
    service: Service, keys: Path
) -> None:
    access, pending = await mints(service)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        _rotate(service, keys)
        long_lived = {"exp": access.claims["exp"] + A_WEEK}
        assert (await show(service, ME, access.forge(claims=long_lived))).is_success

        clock.shift(OVERLAP)

        assert refusal(await show(service, ME, access.forge(claims=long_lived))) == REFUSED
        assert refusal(await show(service, OTP, pending.forge(claims=long_lived))) == REFUSED
