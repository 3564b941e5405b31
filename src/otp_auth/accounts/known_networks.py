"""Networks that an account has logged in from: IPv4 /24, IPv6 /64."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import KnownNetwork
from otp_auth.database import upsert

KNOWN_FOR = timedelta(days=90)  # after the last login from there


async def note_network(tx: AsyncSession, user_id: UUID, network: str | None, now: datetime) -> bool:
    """Remember, with a login that was proved, where it came from. True when that is new to the account.

    The caller holds the account locked, or two logins from there would both be the first.
    """
    if network is None:
        return False
    was_known = await is_known(tx, user_id, network, now)
    insert = upsert(tx, KnownNetwork).values(user_id=user_id, network=network, last_used_at=now)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=[KnownNetwork.user_id, KnownNetwork.network],
            set_={"last_used_at": insert.excluded.last_used_at},
        )
    )
    return not was_known


async def is_known(tx: AsyncSession, user_id: UUID | None, network: str | None, now: datetime) -> bool:
    """Say whether the account has logged in from there of late. For nobody the same is asked."""
    statement = select(KnownNetwork.network).where(
        KnownNetwork.user_id == (user_id or UUID(int=0)),
        KnownNetwork.network == (network or ""),
        KnownNetwork.last_used_at > now - KNOWN_FOR,
    )
    return await tx.scalar(statement) is not None


async def purge(tx: AsyncSession, now: datetime) -> int:
    """Delete networks that are known no longer. Returns how many."""
    is_old = KnownNetwork.last_used_at <= now - KNOWN_FOR
    gone = await tx.scalars(delete(KnownNetwork).where(is_old).returning(KnownNetwork.network))
    return len(gone.all())
