"""Statements on the cool-down of a number. Each joins the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import UtcDateTime, upsert
from otp_auth.sending.models import Cooldown, Lane

QUIET = timedelta(hours=1)  # after so long without a send the gap is the shortest again


async def charge(
    tx: AsyncSession,
    lane: Lane,
    phone_number: str,
    reference: UUID,
    gaps: Sequence[int],
    now: datetime,
    *,
    instead_of: UUID | None = None,
) -> datetime | None:
    """Start the next cool-down and return its end; None when the present one still runs.

    `instead_of` is a send that may be replaced at once: its cool-down doesn't count.
    One conditional statement: of parallel sends to one number a single one gets through.
    """
    sends = case((Cooldown.last_send_at <= now - QUIET, 1), else_=Cooldown.sends + 1)
    first = {"sends": 1, "reference": reference, "last_send_at": now, "next_send_at": _after(gaps[0], now)}
    statement = (
        upsert(tx, Cooldown)
        .values(phone_number=phone_number, lane=lane, **first)
        .on_conflict_do_update(
            index_elements=[Cooldown.phone_number, Cooldown.lane],
            set_=first | {"sends": sends, "next_send_at": _end_of(sends, gaps, now)},
            where=or_(
                Cooldown.next_send_at <= now,
                Cooldown.next_send_at <= Cooldown.last_send_at,  # no gap holds nobody, also of parallel sends
                Cooldown.reference == instead_of,
            ),
        )
        .returning(Cooldown.next_send_at)
    )
    end: datetime | None = await tx.scalar(statement)
    return end


async def find(tx: AsyncSession, lane: Lane, phone_number: str) -> Cooldown | None:
    """Return the number's cool-down, over or not."""
    return await tx.scalar(select(Cooldown).where(*_of(lane, phone_number)))


async def rewind(tx: AsyncSession, lane: Lane, phone_number: str, reference: UUID, now: datetime) -> None:
    """Open the number again after a send that surely reached nobody. The growth of the gap stays."""
    mine = (*_of(lane, phone_number), Cooldown.reference == reference)
    await tx.execute(update(Cooldown).where(*mine).values(next_send_at=now))


async def clear(tx: AsyncSession, lane: Lane, phone_number: str) -> None:
    """Forget the cool-down: whoever holds the phone has proved it."""
    await tx.execute(delete(Cooldown).where(*_of(lane, phone_number)))


def _of(lane: Lane, phone_number: str) -> tuple[ColumnElement[bool], ...]:
    return (Cooldown.phone_number == phone_number, Cooldown.lane == lane)


def _end_of(sends: ColumnElement[int], gaps: Sequence[int], now: datetime) -> ColumnElement[datetime]:
    ends = [(sends == count, _moment(gap, now)) for count, gap in enumerate(gaps, start=1)]
    return case(*ends, else_=_moment(gaps[-1], now))


def _moment(gap: int, now: datetime) -> ColumnElement[datetime]:
    return literal(_after(gap, now), UtcDateTime)


def _after(gap: int, now: datetime) -> datetime:
    return now + timedelta(seconds=gap)


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete cool-downs that ended before this moment. Returns how many."""
    over = Cooldown.next_send_at < before
    gone = await tx.scalars(delete(Cooldown).where(over).returning(Cooldown.phone_number))
    return len(gone.all())
