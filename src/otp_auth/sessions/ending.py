"""Sessions end here: at once, for good, and told in the audit trail of the same transaction."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import metrics
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.sessions.models import Session


async def end_sessions(
    tx: AsyncSession,
    which: ColumnElement[bool],
    *,
    event: EventName = EventName.SESSION_REVOKED,
    network: str | None = None,
    detail: Detail | None = None,
) -> list[UUID]:
    """End those that have not ended yet, one event for each. Returns their ids."""
    await lock_sessions(tx, which)
    statement = (
        update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC))
        .returning(Session.id, Session.user_id)
        .execution_options(synchronize_session=False)
    )
    ended = (await tx.execute(statement)).all()
    for session_id, user_id in ended:
        metrics.count_session_end(event.value)
        record(tx, event, user_id=user_id, session_id=session_id, network=network, detail=detail)
    return [session_id for session_id, _ in ended]


async def lock_sessions(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Lock those that have not ended, oldest first: parallel ends never wait for each other in a ring."""
    unended = select(Session.id).where(which, Session.ended_at.is_(None)).order_by(Session.id)
    await tx.execute(unended.with_for_update(key_share=True))
