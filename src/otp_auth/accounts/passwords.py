"""Password hashes: bcrypt over HMAC-SHA-256, so that every byte counts and NUL is a character like any other.

All work happens in the hashing pool; a stranger's password costs the same as that of a person we know.
"""

import secrets
import unicodedata
from typing import Any

from passlib.handlers.bcrypt import bcrypt_sha256  # type: ignore[import-untyped]  # it ships none

from otp_auth.hashing import HashingPool

LONGEST_SECRET = 4096  # bytes; passlib refuses more


class PasswordHasher:
    """Hash and verify at one cost (the binary logarithm of bcrypt's rounds)."""

    def __init__(self, pool: HashingPool, cost: int) -> None:
        self._pool = pool
        self._scheme: Any = bcrypt_sha256.using(rounds=cost)
        self._decoy: str | None = None

    async def prepare(self) -> None:
        """Load bcrypt and make the decoy. Before the first request, or that one takes twice as long."""
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Raises OverloadedError; ValueError for a password that no form field lets through."""
        return await self._pool.run(self._hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Say whether this is the password. None, or a hash that can't be read: False after the same work.

        Raises OverloadedError. A row of another cost takes another time until it is rehashed.
        """
        await self.prepare()
        return await self._pool.run(self._verify, password, stored)

    def needs_rehash(self, stored: str) -> bool:
        """Say whether the hash was made at another cost, higher or lower, or by another scheme."""
        try:
            return bool(self._scheme.needs_update(stored))
        except ValueError:
            return True

    def _hash(self, password: str) -> str:
        return str(self._scheme.hash(_secret(password)))

    def _verify(self, password: str, stored: str | None) -> bool:
        secret = _secret(password)
        readable = stored is not None and len(secret) <= LONGEST_SECRET and _can_be_read(self._scheme, stored)
        matches = self._scheme.verify(secret[:LONGEST_SECRET], stored if readable else self._decoy)
        return readable and bool(matches)


def _can_be_read(scheme: Any, stored: str) -> bool:
    try:
        return scheme.from_string(stored).checksum is not None
    except ValueError:
        return False


def _secret(password: str) -> bytes:
    # NFC: composed or not, the same word from two keyboards is the same password (SP 800-63B-4 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
