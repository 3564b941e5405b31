"""Budgets: how much of something one key may have within a time. Rows, so exact, shared and restart-proof.

Each statement joins the caller's transaction, which must roll back when a charge is refused.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, String, case, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base, upsert


@dataclass(frozen=True)
class Budget:
    """So many in a window of time, which begins with the first one and never slides."""

    window: timedelta
    limit: int

    @property
    def seconds(self) -> int:
        return int(self.window.total_seconds())


@dataclass(frozen=True)
class Charge:
    """So much of the budget of one key."""

    key: str
    budget: Budget
    amount: int = 1


@dataclass(frozen=True)
class Exhausted:
    """A charge that its budget has too little left for."""

    charge: Charge
    ends_at: datetime  # when the budget begins anew


class Spending(Base):
    """What was spent of one budget by one key."""

    __tablename__ = "budgets"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True)  # seconds
    spent: Mapped[int] = mapped_column(BigInteger)
    allowed: Mapped[int] = mapped_column(BigInteger)  # the limit, when it was charged last
    ends_at: Mapped[datetime] = mapped_column(index=True)


async def charge(tx: AsyncSession, charges: Sequence[Charge], now: datetime) -> list[Exhausted]:
    """Take every charge; return those that could not be taken.

    One conditional statement, which locks in the order of `charges`: callers that share keys name them in one
    order, and no key with the same window twice. Of parallel charges no more than the limit get through.
    """
    taken = await _take_possible(tx, charges, now)
    return await _refused(tx, charges, taken, now)


async def charge_and_count(
    tx: AsyncSession, charges: Sequence[Charge], now: datetime
) -> tuple[list[Exhausted], dict[Charge, int]]:
    """Do as `charge` does, and return also what is spent now of the budgets that it took from."""
    taken = await _take_possible(tx, charges, now)
    spent = {each: taken[_name(each)] for each in charges if _name(each) in taken}
    return await _refused(tx, charges, taken, now), spent


async def exhausted(tx: AsyncSession, charges: Sequence[Charge], now: datetime) -> list[Exhausted]:
    """Look which charges could not be taken now. It locks nothing, so `charge` may still say otherwise."""
    running = select(Spending.key, Spending.window, Spending.spent, Spending.ends_at).where(
        _among(charges), Spending.ends_at > now
    )
    rows = {(row.key, row.window): row for row in await tx.execute(running)}
    spent = {name: row.spent for name, row in rows.items()}
    ends = {name: row.ends_at for name, row in rows.items()}
    return [
        Exhausted(each, _end(each, ends, now))
        for each in charges
        if spent.get(_name(each), 0) + each.amount > each.budget.limit
    ]


async def refund(tx: AsyncSession, key: str, now: datetime, amount: int = 1) -> None:
    """Give back what was charged to each running window: it turned out well.

    Locks in the order of windows, as callers of `charge` name them: the two never wait for each other.
    """
    mine = Spending.key == key
    await tx.execute(select(Spending.window).where(mine).order_by(Spending.window).with_for_update())
    running = mine & (Spending.ends_at > now) & (Spending.spent > 0)
    less = case((Spending.spent > amount, Spending.spent - amount), else_=0)
    await tx.execute(update(Spending).where(running).values(spent=less))


async def move_one(tx: AsyncSession, source: str, target: str, now: datetime) -> None:
    """Put one of what `source` has spent in each running window on the account of `target`."""
    running = (Spending.key == source) & (Spending.ends_at > now) & (Spending.spent > 0)
    columns = (Spending.window, Spending.allowed, Spending.ends_at)
    locked = select(*columns).where(running).order_by(Spending.window).with_for_update()
    rows = [dict(row) | {"key": target, "spent": 1} for row in (await tx.execute(locked)).mappings()]
    if rows:
        await tx.execute(update(Spending).where(running).values(spent=Spending.spent - 1))
        await tx.execute(_adding(tx, now, within_limit=False), rows)


async def purge(tx: AsyncSession, now: datetime) -> int:
    """Delete windows that are over. Returns how many.

    Those that somebody charges at this moment are left: waiting for them could end in a deadlock.
    """
    over = select(Spending.key, Spending.window).where(Spending.ends_at <= now)
    free = over.with_for_update(skip_locked=True)
    these = tuple_(Spending.key, Spending.window).in_(free)
    gone = await tx.scalars(delete(Spending).where(these).returning(Spending.key))
    return len(gone.all())


async def _take_possible(
    tx: AsyncSession, charges: Sequence[Charge], now: datetime
) -> dict[tuple[str, int], int]:
    possible = [each for each in charges if each.amount <= each.budget.limit]
    return await _take(tx, possible, now) if possible else {}


async def _refused(
    tx: AsyncSession, charges: Sequence[Charge], taken: Container[tuple[str, int]], now: datetime
) -> list[Exhausted]:
    left = [each for each in charges if _name(each) not in taken]
    ends = await _ends(tx, left) if left else {}
    return [Exhausted(each, _end(each, ends, now)) for each in left]


async def _take(tx: AsyncSession, charges: Sequence[Charge], now: datetime) -> dict[tuple[str, int], int]:
    """Return what is spent now of each budget that had enough left."""
    statement = _adding(tx, now, within_limit=True).returning(Spending.key, Spending.window, Spending.spent)
    taken = await tx.execute(statement, [_first(each, now) for each in charges])
    return {(key, window): spent for key, window, spent in taken}


def _adding(tx: AsyncSession, now: datetime, *, within_limit: bool) -> Any:
    """Build the statement that adds to what was spent, or begins anew where a window is over.

    Its rows are parameters, not values, so that SQLAlchemy compiles it once. It still goes out as one INSERT.
    """
    insert = upsert(tx, Spending)
    wanted = insert.excluded
    is_over = Spending.ends_at <= now
    fits = or_(is_over, Spending.spent + wanted.spent <= wanted.allowed)
    return insert.on_conflict_do_update(
        index_elements=[Spending.key, Spending.window],
        set_={
            "spent": case((is_over, wanted.spent), else_=Spending.spent + wanted.spent),
            "ends_at": case((is_over, wanted.ends_at), else_=Spending.ends_at),
            "allowed": wanted.allowed,
        },
        where=fits if within_limit else None,
    )


def _first(charge: Charge, now: datetime) -> dict[str, object]:
    budget = charge.budget
    return {
        "key": charge.key,
        "window": budget.seconds,
        "spent": charge.amount,
        "allowed": budget.limit,
        "ends_at": now + budget.window,
    }


async def _ends(tx: AsyncSession, charges: Sequence[Charge]) -> dict[tuple[str, int], datetime]:
    statement = select(Spending.key, Spending.window, Spending.ends_at).where(_among(charges))
    return {(key, window): ends_at for key, window, ends_at in await tx.execute(statement)}


def _end(charge: Charge, ends: dict[tuple[str, int], datetime], now: datetime) -> datetime:
    return max(ends.get(_name(charge), now + charge.budget.window), now)


def _among(charges: Iterable[Charge]) -> ColumnElement[bool]:
    return Spending.key.in_({each.key for each in charges})


def _name(charge: Charge) -> tuple[str, int]:
    return charge.key, charge.budget.seconds
