"""Wrong codes in a row for one factor of an account; at the cap the factor is off (SP 800-63B-4, 3.2.2).

Rows, so that no restart forgets them; each change is one statement in the caller's transaction.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import upsert
from otp_auth.factors.models import FactorFailures, FactorKind


async def note_failure(tx: AsyncSession, user_id: UUID, factor: FactorKind, cap: int, now: datetime) -> bool:
    """Count one more in a row. True when this one shut the factor off; of parallel ones only one does."""
    one_more = FactorFailures.in_a_row + 1
    first = {
        "user_id": user_id,
        "factor": factor,
        "in_a_row": 1,
        "disabled_at": now if cap <= 1 else None,
    }
    statement = (
        upsert(tx, FactorFailures)
        .values(first)
        .on_conflict_do_update(
            index_elements=[FactorFailures.user_id, FactorFailures.factor],
            set_={"in_a_row": one_more, "disabled_at": case((one_more >= cap, now), else_=None)},
            where=FactorFailures.disabled_at.is_(None),
        )
        .returning(FactorFailures.disabled_at)
    )
    return await tx.scalar(statement) is not None


async def clear_failures(tx: AsyncSession, user_id: UUID, factor: FactorKind) -> None:
    """A proof by this very factor: its count begins anew.

    A factor that is off comes on again too: the try that shut it off was counted before it proved right.
    """
    await tx.execute(delete(FactorFailures).where(*_of(user_id, factor)))


async def enable_others(tx: AsyncSession, user_id: UUID, proved: FactorKind) -> None:
    """One factor was proved: others that are off come on again. Counts that still run go on."""
    others = FactorFailures.user_id == user_id, FactorFailures.factor != proved
    await tx.execute(delete(FactorFailures).where(*others, FactorFailures.disabled_at.is_not(None)))


async def enable_all(tx: AsyncSession, user_id: UUID) -> set[FactorKind]:
    """Every factor that is off comes on again; counts that still run go on. Returns which."""
    is_off = FactorFailures.disabled_at.is_not(None)
    statement = delete(FactorFailures).where(FactorFailures.user_id == user_id, is_off)
    return set(await tx.scalars(statement.returning(FactorFailures.factor)))


async def disabled_factors(tx: AsyncSession, user_id: UUID) -> set[FactorKind]:
    """The factors of an account that are off."""
    is_off = FactorFailures.disabled_at.is_not(None)
    found = await tx.scalars(select(FactorFailures.factor).where(FactorFailures.user_id == user_id, is_off))
    return set(found)


def _of(user_id: UUID, factor: FactorKind) -> tuple[ColumnElement[bool], ...]:
    return FactorFailures.user_id == user_id, FactorFailures.factor == factor
