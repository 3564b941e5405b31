from collections.abc import AsyncIterator, Callable
from typing import TypeVar, TypeVarTuple

import pytest
from passlib.handlers.bcrypt import bcrypt_sha256  # type: ignore[import-untyped,unused-ignore]

from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.hashing import HashingPool

COST = 4

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class CountingPool(HashingPool):
    """Counts the jobs that reached a thread."""

    jobs = 0

    async def run(self, function: Callable[[*Arguments], T], *args: *Arguments) -> T:
        self.jobs += 1
        return await super().run(function, *args)


@pytest.fixture
async def pool() -> AsyncIterator[CountingPool]:
    pool = CountingPool(threads=1, queue=5)
    yield pool
    pool.close()


@pytest.fixture
async def hasher(pool: CountingPool) -> PasswordHasher:
    hasher = PasswordHasher(pool, COST)
    await hasher.prepare()
    return hasher


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, hasher: PasswordHasher) -> list[str]:
    """Every hash that bcrypt really worked against."""
    seen: list[str] = []
    real = hasher._scheme._calc_checksum

    def note(self: object, secret: bytes) -> str:
        seen.append(str(getattr(self, "rounds", "")))
        return str(real(self, secret))

    monkeypatch.setattr(hasher._scheme, "_calc_checksum", note)
    return seen


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("correct horse battery", id="plain"),
        pytest.param("a" * 71, id="71 bytes"),
        pytest.param("a" * 72, id="72 bytes"),
        pytest.param("a" * 73, id="73 bytes"),
        pytest.param("\U0001f40e" * 128, id="128 emoji"),
        pytest.param("before\0after", id="NUL"),
        pytest.param("\ud800 alone", id="lone surrogate"),
        pytest.param("", id="empty"),
    ],
)
async def test_any_password_is_hashed_and_verified(hasher: PasswordHasher, password: str) -> None:
    stored = await hasher.hash(password)

    assert stored.startswith("$bcrypt-sha256$v=2,")
    assert await hasher.verify(password, stored)
    assert not await hasher.verify(password + "x", stored)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a" * 72 + "1", "a" * 72 + "2", id="after 72 bytes"),
        pytest.param("\U0001f40e" * 18 + "1", "\U0001f40e" * 18 + "2", id="after 18 emoji"),
        pytest.param("same\0one", "same\0other", id="after NUL"),
        pytest.param("Password", "password", id="case"),
        pytest.param("\ufb01sh", "fish", id="only NFKC would make them equal"),
    ],
)
async def test_every_byte_counts(hasher: PasswordHasher, one: str, other: str) -> None:
    assert not await hasher.verify(other, await hasher.hash(one))


async def test_two_keyboards_type_the_same_password(hasher: PasswordHasher) -> None:
    assert await hasher.verify("cafe\u0301 noir", await hasher.hash("caf\u00e9 noir"))
    assert await hasher.verify("caf\u00e9 noir", await hasher.hash("cafe\u0301 noir"))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="nobody"),
        pytest.param("", id="empty"),
        pytest.param("\u00e9", id="not ASCII"),
        pytest.param("$2b$04$abc", id="other scheme"),
        pytest.param("$bcrypt-sha256$v=2,t=2b,r=4$", id="cut off"),
        pytest.param("$bcrypt-sha256$v=2,t=2b,r=4$FQYMWz/XWOHoPih8b6v1xO", id="no checksum"),
        pytest.param("$bcrypt-sha256$v=2,t=2b,r=99$FQYMWz/XWOHoPih8b6v1xO$" + "O" * 31, id="impossible cost"),
    ],
)
async def test_nobody_costs_as_much_as_somebody(
    hasher: PasswordHasher, pool: CountingPool, checked: list[str], stored: str | None
) -> None:
    somebody = await hasher.hash("correct horse")
    checked.clear()
    pool.jobs = 0
    assert await hasher.verify("correct horse", somebody)
    spent = (list(checked), pool.jobs)

    checked.clear()
    pool.jobs = 0
    assert not await hasher.verify("correct horse", stored)
    assert (checked, pool.jobs) == spent


async def test_the_password_of_the_decoy_opens_nothing(
    pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otp_auth.accounts.passwords.secrets.token_urlsafe", lambda: "known")
    hasher = PasswordHasher(pool, COST)

    assert not await hasher.verify("known", None)


async def test_the_decoy_is_made_once_and_like_stored_hashes(
    hasher: PasswordHasher, pool: CountingPool
) -> None:
    decoy = hasher._decoy
    await hasher.prepare()

    assert decoy == hasher._decoy
    assert bcrypt_sha256.from_string(decoy).rounds == COST
    assert pool.jobs == 1


async def test_a_password_beyond_every_limit_is_wrong_and_no_failure(
    hasher: PasswordHasher, checked: list[str]
) -> None:
    stored = await hasher.hash("a" * 4096)
    checked.clear()

    assert not await hasher.verify("a" * 5000, stored)
    assert checked == [str(COST)]


async def test_needs_rehash(hasher: PasswordHasher, pool: CountingPool) -> None:
    stored = await hasher.hash("correct horse")

    assert not hasher.needs_rehash(stored)
    assert PasswordHasher(pool, COST + 1).needs_rehash(stored)
    assert hasher.needs_rehash(await PasswordHasher(pool, COST + 1).hash("correct horse"))
    assert hasher.needs_rehash("not a hash")
