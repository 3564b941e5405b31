"""Budgets: how often something may happen to one key within a time. Rows, so exact, shared and restart-proof.

Each statement joins the caller's transaction, which must roll back when a charge is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base, upsert


@dataclass(frozen=True)
class Budget:
    """So many in a window of time, which begins with the first one and never slides."""

    window: timedelta
    limit: int


class Spending(Base):
    """What was spent of one budget by one key."""

    __tablename__ = "budgets"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True)  # seconds
    spent: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


async def charge(tx: AsyncSession, key: str, budgets: Sequence[Budget], now: datetime) -> datetime | None:
    """Take one from each budget of the key; None when done, else when the one that is spent begins anew.

    Conditional statements, shortest window first: of parallel charges no more than the limit get through.
    """
    for budget in sorted(budgets, key=lambda budget: budget.window):
        if not await _take_one(tx, key, budget, now):
            return await _end_of(tx, key, budget) or now + budget.window
    return None


async def refund(tx: AsyncSession, key: str, now: datetime) -> None:
    """Give back one of each running window: what was charged turned out well.

    Locks in the order of `charge`, so that the two never wait for each other.
    """
    mine = Spending.key == key
    await tx.execute(select(Spending.window).where(mine).order_by(Spending.window).with_for_update())
    running = mine & (Spending.ends_at > now) & (Spending.spent > 0)
    await tx.execute(update(Spending).where(running).values(spent=Spending.spent - 1))


async def purge(tx: AsyncSession, now: datetime) -> int:
    """Delete windows that are over. Returns how many."""
    gone = await tx.scalars(delete(Spending).where(Spending.ends_at <= now).returning(Spending.key))
    return len(gone.all())


async def _take_one(tx: AsyncSession, key: str, budget: Budget, now: datetime) -> bool:
    if budget.limit < 1:
        return False
    is_over = Spending.ends_at <= now
    first = {"spent": 1, "ends_at": now + budget.window}
    statement = (
        upsert(tx, Spending)
        .values(key=key, window=_seconds(budget), **first)
        .on_conflict_do_update(
            index_elements=[Spending.key, Spending.window],
            set_={
                "spent": case((is_over, 1), else_=Spending.spent + 1),
                "ends_at": case((is_over, first["ends_at"]), else_=Spending.ends_at),
            },
            where=is_over | (Spending.spent < budget.limit),
        )
        .returning(Spending.spent)
    )
    return await tx.scalar(statement) is not None


async def _end_of(tx: AsyncSession, key: str, budget: Budget) -> datetime | None:
    mine = (Spending.key == key) & (Spending.window == _seconds(budget))
    return await tx.scalar(select(Spending.ends_at).where(mine))


def _seconds(budget: Budget) -> int:
    return int(budget.window.total_seconds())
