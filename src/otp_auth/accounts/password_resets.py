"""Resets of a password that have begun: their tokens, and those that wait for their hold to end."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import PasswordReset


async def void_resets(tx: AsyncSession, user_id: UUID) -> list[PasswordReset]:
    """End all that haven't, with what they would have set. Returns them.

    The caller holds the account locked, as all do who begin, use or cancel one.
    """
    statement = (
        update(PasswordReset)
        .where(PasswordReset.user_id == user_id, PasswordReset.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC), password_hash=None)
        .returning(PasswordReset)
    )
    return list((await tx.scalars(statement, execution_options={"populate_existing": True})).all())
