"""Trusted devices: in place of the second factor, until anything that they rest on changes."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.sessions.models import TrustedDevice


async def end_devices(
    tx: AsyncSession,
    which: ColumnElement[bool],
    *,
    event: EventName = EventName.DEVICE_REVOKED,
    network: str | None = None,
    detail: Detail | None = None,
) -> list[UUID]:
    """End those that have not ended yet, one event for each. Returns their ids.

    The caller holds the account locked: of its devices no other transaction changes one meanwhile.
    """
    statement = (
        update(TrustedDevice)
        .where(which, TrustedDevice.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC), sealed_successor=None)
        .returning(TrustedDevice.id, TrustedDevice.user_id)
        .execution_options(synchronize_session=False)
    )
    ended = (await tx.execute(statement)).all()
    for device_id, user_id in ended:
        about = {"device_id": str(device_id), **(detail or {})}
        record(tx, event, user_id=user_id, network=network, detail=about)
    return [device_id for device_id, _ in ended]
