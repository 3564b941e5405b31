"""Trusted devices in the database: listed and ended. Each method is one short transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.trail import Detail
from otp_auth.database import Database
from otp_auth.sessions.models import TrustedDevice
from otp_auth.sessions.opening import Owner
from otp_auth.sessions.trusted_devices import end_devices, live, live_of
from otp_auth.tokens.device_tokens import ShownDeviceToken


class DeviceRepository:
    """See devices and end them. New ones come from `trust_device`, renewed ones from `know_device`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_live(self, owner: Owner, before: UUID | None, limit: int) -> Sequence[TrustedDevice]:
        """The newest of an account first, those older than `before`."""
        statement = select(TrustedDevice).where(*live_of(owner, datetime.now(UTC)))
        if before is not None:
            statement = statement.where(TrustedDevice.id < before)
        async with self._database.read() as tx:
            return (await tx.scalars(statement.order_by(TrustedDevice.id.desc()).limit(limit))).all()

    async def recognise(self, user_id: UUID | None, shown: ShownDeviceToken | None) -> UUID | None:
        """Say which device of the account shows its newest token. It lets nobody in, and spends nothing.

        For nobody the same is asked: the time that it takes tells nothing of an account.
        """
        if shown is None:
            return None
        statement = select(TrustedDevice.id).where(
            TrustedDevice.id == shown.device_id,
            TrustedDevice.user_id == (user_id or UUID(int=0)),
            TrustedDevice.digest == shown.digest,
            *live(datetime.now(UTC)),
        )
        async with self._database.read() as tx:
            found: UUID | None = await tx.scalar(statement)
        return found

    async def revoke(self, owner: Owner, device_id: UUID, network: str | None) -> bool:
        """End a device of this account; False when there is no such live one."""
        of_owner = and_(TrustedDevice.id == device_id, *live_of(owner, datetime.now(UTC)))
        async with self._database.write() as tx:
            return bool(await end_devices(tx, of_owner, network=network))

    async def revoke_all(self, user_id: UUID, detail: Detail) -> int:
        """End every device of this account. Returns how many."""
        async with self._database.write() as tx:
            return len(await end_devices(tx, TrustedDevice.user_id == user_id, detail=detail))


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete devices that were over at this moment. Returns how many."""
    over = or_(TrustedDevice.expires_at < before, TrustedDevice.ended_at < before)
    gone = await tx.scalars(delete(TrustedDevice).where(over).returning(TrustedDevice.id))
    return len(gone.all())


async def forget_seals(tx: AsyncSession, now: datetime, grace: timedelta) -> int:
    """Past their grace they would only help a thief of an old token and the database. Returns how many."""
    old = (TrustedDevice.rotated_at <= now - grace) & TrustedDevice.sealed_successor.is_not(None)
    # Those that somebody else is at are left: they are forgotten the next time.
    free = select(TrustedDevice.id).where(old).with_for_update(skip_locked=True)
    statement = update(TrustedDevice).where(TrustedDevice.id.in_(free)).values(sealed_successor=None)
    gone = await tx.scalars(
        statement.returning(TrustedDevice.id), execution_options={"synchronize_session": False}
    )
    return len(gone.all())
