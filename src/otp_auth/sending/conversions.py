"""How many messages were proved: a block or country where hardly any are is being pumped.

Only strangers' messages count, sent and proved. People who proved a password are never judged by this, and
their many proofs would hide an attack behind them.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import upsert
from otp_auth.phone_numbers import block_of, country_of
from otp_auth.sending.models import Conversion
from otp_auth.sending.reasons import Reason, Refusal
from otp_auth.settings import SendSettings

BUCKET = timedelta(minutes=5)
JUDGED = timedelta(hours=1)
REMEMBERED = timedelta(days=1)
YOUNG = 2 * BUCKET  # the present bucket and the one before: their codes may still be on the way
TRUST = 8  # of so many proofs within a day, one young message is forgiven: as many as proofs in three hours
BLOCK_SHARE = 5  # so many suspicious blocks make their country suspicious


class Bucket(NamedTuple):
    """Messages of five minutes, and proofs that came in them."""

    begins_at: datetime
    sends: int
    proofs: int


async def note_send(tx: AsyncSession, phone_number: str, now: datetime) -> None:
    """Count a message for its block and its country. Locks the block before the country."""
    await _add(tx, phone_number, now, sends=1, proofs=0)


async def note_proof(tx: AsyncSession, phone_number: str, now: datetime) -> None:
    """Count a proved code for its block and its country. Locks as `note_send` does."""
    await _add(tx, phone_number, now, sends=0, proofs=1)


async def suspicion(
    tx: AsyncSession, phone_number: str, policy: SendSettings, now: datetime
) -> Refusal | None:
    """Say whether the number's block or country has too many unproved messages, and when that ends by itself.

    An area is suspicious when, within an hour, at least `breaker_minimum` messages went to it and more than
    `breaker_ratio` for each proof. An area that converts is forgiven some messages of the last minutes, one
    for eight proofs of the last day. A suspicious block gets no more messages, and few of those it got count
    for its country: a single block doesn't close a country, five do.
    """
    block, country = block_of(phone_number), country_of(phone_number)
    seen = await _buckets(tx, Conversion.area.in_((block, country)), now)
    ends_at = await _ends_at(tx, block, seen[block], policy, now)
    if ends_at:
        return Refusal(Reason.BLOCK_CONVERSION, ends_at)
    if not _is_suspicious(seen[country], 0, policy, now):
        return None
    corrections = await _corrections(tx, country, policy, now)
    ends_at = await _ends_at(tx, country, seen[country] + corrections, policy, now)
    return Refusal(Reason.COUNTRY_CONVERSION, ends_at) if ends_at else None


async def purge(tx: AsyncSession, now: datetime) -> int:
    """Delete what no judgement needs any more. Returns how many buckets."""
    is_old = Conversion.begins_at <= now - REMEMBERED
    gone = await tx.scalars(delete(Conversion).where(is_old).returning(Conversion.area))
    return len(gone.all())


async def _add(tx: AsyncSession, phone_number: str, now: datetime, *, sends: int, proofs: int) -> None:
    insert = upsert(tx, Conversion)
    statement = insert.on_conflict_do_update(
        index_elements=[Conversion.area, Conversion.begins_at],
        set_={
            "sends": Conversion.sends + insert.excluded.sends,
            "proofs": Conversion.proofs + insert.excluded.proofs,
        },
    )
    counted = {"begins_at": _beginning(now), "sends": sends, "proofs": proofs}
    areas = (block_of(phone_number), country_of(phone_number))
    await tx.execute(statement, [counted | {"area": area} for area in areas])


def _beginning(now: datetime) -> datetime:
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % BUCKET.seconds, UTC)


async def _buckets(
    tx: AsyncSession, which: ColumnElement[bool], now: datetime
) -> defaultdict[str, list[Bucket]]:
    """Read the last hour of some areas."""
    columns = (Conversion.area, Conversion.begins_at, Conversion.sends, Conversion.proofs)
    found: defaultdict[str, list[Bucket]] = defaultdict(list)
    for area, begins_at, sends, proofs in await tx.execute(
        select(*columns).where(which, _within(JUDGED, now))
    ):
        found[area].append(Bucket(begins_at, sends, proofs))
    return found


async def _ends_at(
    tx: AsyncSession, area: str, buckets: Sequence[Bucket], policy: SendSettings, now: datetime
) -> datetime | None:
    """Return when a suspicion ends if nothing more happens; None when there is none."""
    if not _is_suspicious(buckets, 0, policy, now):
        return None
    trust = await _proofs_of_a_day(tx, area, now) // TRUST
    if not _is_suspicious(buckets, trust, policy, now):
        return None
    leaving = sorted(bucket.begins_at + JUDGED for bucket in buckets)
    return next(moment for moment in leaving if not _is_suspicious(buckets, trust, policy, moment))


def _is_suspicious(buckets: Sequence[Bucket], trust: int, policy: SendSettings, moment: datetime) -> bool:
    counted = [bucket for bucket in buckets if bucket.begins_at > moment - JUDGED]
    young = sum(bucket.sends for bucket in counted if bucket.begins_at > moment - YOUNG)
    sends = sum(bucket.sends for bucket in counted) - max(0, min(young, trust))
    proofs = sum(bucket.proofs for bucket in counted)
    return sends >= policy.breaker_minimum and sends > policy.breaker_ratio * proofs


async def _proofs_of_a_day(tx: AsyncSession, area: str, now: datetime) -> int:
    proofs = select(func.sum(Conversion.proofs))
    return await tx.scalar(proofs.where(Conversion.area == area, _within(REMEMBERED, now))) or 0


async def _corrections(tx: AsyncSession, country: str, policy: SendSettings, now: datetime) -> list[Bucket]:
    """Return what takes the suspicious blocks of a country out of its sum, but for a share of each."""
    big = (
        select(Conversion.area)
        .where(Conversion.area.startswith("+"), _within(JUDGED, now))
        .group_by(Conversion.area)
        .having(func.sum(Conversion.sends) >= policy.breaker_minimum)
    )
    blocks = await _buckets(tx, Conversion.area.in_(big), now)
    return [
        correction
        for block, buckets in blocks.items()
        if country_of(f"{block}000") == country and _is_suspicious(buckets, 0, policy, now)
        for correction in _but_for_a_share(buckets, policy)
    ]


def _but_for_a_share(buckets: Sequence[Bucket], policy: SendSettings) -> list[Bucket]:
    share = -(-policy.breaker_minimum // BLOCK_SHARE)
    newest = max(bucket.begins_at for bucket in buckets)
    less = [Bucket(bucket.begins_at, -bucket.sends, -bucket.proofs) for bucket in buckets]
    return [*less, Bucket(newest, share, 0)]


def _within(time: timedelta, now: datetime) -> ColumnElement[bool]:
    return Conversion.begins_at > now - time
