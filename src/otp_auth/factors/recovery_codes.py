"""Recovery codes: ten of 120 random bits, each good once (SP 800-63B-4, 3.1.2: look-up secrets).

With 112 bits and more a fast digest is enough: nobody searches such a space.
"""

import base64
import secrets
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import Database
from otp_auth.factors.models import RecoveryCode
from otp_auth.tokens.opaque import digest

HOW_MANY = 10
RANDOM_BYTES = 15  # 120 bits are 24 base32 characters, in six groups of four
GROUP = 4


class RecoveryCodeRepository:
    """The recovery codes of people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count_unused(self, user_id: UUID) -> int:
        statement = select(func.count()).where(*_unused(user_id))
        async with self._database.read() as tx:
            return await tx.scalar(statement) or 0

    async def is_unused(self, user_id: UUID, code: str) -> bool:
        statement = select(RecoveryCode.digest).where(*_unused(user_id), RecoveryCode.digest == _digest(code))
        async with self._database.read() as tx:
            return await tx.scalar(statement) is not None


def add_recovery_codes(tx: AsyncSession, user_id: UUID) -> list[str]:
    """Make a new set in the caller's transaction and return it: the only time it can be read."""
    codes = [_new_code() for _ in range(HOW_MANY)]
    now = datetime.now(UTC)
    tx.add_all(RecoveryCode(user_id=user_id, digest=_digest(code), created_at=now) for code in codes)
    return codes


async def void_recovery_codes(tx: AsyncSession, user_id: UUID) -> int:
    """Forget all codes of an account in the caller's transaction. Returns how many of them were unused."""
    statement = delete(RecoveryCode).where(RecoveryCode.user_id == user_id).returning(RecoveryCode.used_at)
    return list(await tx.scalars(statement)).count(None)


async def use_recovery_code(tx: AsyncSession, user_id: UUID, code: str) -> bool:
    """Spend a code in the caller's transaction; False when somebody else was faster."""
    statement = (
        update(RecoveryCode)
        .where(*_unused(user_id), RecoveryCode.digest == _digest(code))
        .values(used_at=datetime.now(UTC))
        .returning(RecoveryCode.digest)
    )
    return await tx.scalar(statement) is not None


def _unused(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RANDOM_BYTES)).decode()
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))


def _digest(code: str) -> str:
    """Digest what was typed: case, spaces and dashes don't matter."""
    return digest(code.upper().replace("-", "").replace(" ", ""))
