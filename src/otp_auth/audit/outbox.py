"""Events for the application that hosts the users: written with what they tell, and sent later.

An event is there exactly when its change is: both are in one transaction.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.models import AuditEvent, EventName, OutgoingEvent
from otp_auth.database import Database
from otp_auth.settings import Settings

MOST_AT_ONCE = 20
_HAS_LISTENER = "otp_auth_has_listener"  # in the info of a transaction
# What its owner should hear of an account.
ALWAYS_TOLD = frozenset(
    {
        EventName.ACCOUNT_CREATED,
        EventName.ACCOUNT_LOCKED,
        EventName.ACCOUNT_UNLOCKED,
        EventName.ACCOUNT_DELETED,
        EventName.PASSWORD_CHANGED,
        EventName.PASSWORD_RESET_HELD,
        EventName.PASSWORD_RESET_CANCELLED,
        EventName.PASSWORD_RESET,
        EventName.PHONE_CHANGED,
        EventName.FACTOR_ADDED,
        EventName.FACTOR_REMOVED,
        EventName.FACTOR_DISABLED,
        EventName.RECOVERY_CODES_REGENERATED,
        EventName.DEVICE_TRUSTED,
        EventName.DEVICE_REVOKED,
        EventName.DEVICE_THEFT,
        EventName.REFRESH_REUSE,
    }
)
# Told where this word of the detail is true.
TOLD_IF = {EventName.LOGIN_SUCCEEDED: "new_network", EventName.SECOND_FACTOR_FAILED: "repeated"}


def open_database(settings: Settings) -> Database:
    """Open the database for whoever changes accounts: what happens is told, if anybody listens."""
    return Database(settings.database_url.get_secret_value(), {_HAS_LISTENER: bool(settings.events.url)})


def tell(tx: AsyncSession, event: AuditEvent) -> None:
    """Put an event of an account into the outbox, if somebody listens and it is one for them."""
    if tx.info.get(_HAS_LISTENER) and event.user_id is not None and _is_told(event):
        tx.add(
            OutgoingEvent(id=event.id, body=_body(event), created_at=event.at, tries=0, next_try_at=event.at)
        )


class Outbox:
    """Events that wait for their receiver. Each method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_due(self) -> Sequence[OutgoingEvent]:
        """The events that may be sent now, the longest due first; other workers may find the same."""
        due = select(OutgoingEvent).where(OutgoingEvent.next_try_at <= datetime.now(UTC))
        async with self._database.read() as tx:
            return (await tx.scalars(due.order_by(OutgoingEvent.next_try_at).limit(MOST_AT_ONCE))).all()

    async def take(self, event: OutgoingEvent, wait: timedelta) -> bool:
        """Take one try; False when another worker was faster. After `wait` anybody may try again.

        Whoever dies meanwhile has lost nothing, and must undo nothing.
        """
        mine = (OutgoingEvent.id == event.id, OutgoingEvent.next_try_at == event.next_try_at)
        later = {"next_try_at": datetime.now(UTC) + wait, "tries": OutgoingEvent.tries + 1}
        async with self._database.write() as tx:
            statement = update(OutgoingEvent).where(*mine).values(later).returning(OutgoingEvent.id)
            return await tx.scalar(statement) is not None

    async def remove(self, event: OutgoingEvent) -> None:
        async with self._database.write() as tx:
            await tx.execute(delete(OutgoingEvent).where(OutgoingEvent.id == event.id))

    async def count(self) -> int:
        """How many wait."""
        async with self._database.read() as tx:
            return await tx.scalar(select(func.count()).select_from(OutgoingEvent)) or 0


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete events older than this: nobody sends them any more. Returns how many."""
    old = OutgoingEvent.created_at < before
    gone = await tx.scalars(delete(OutgoingEvent).where(old).returning(OutgoingEvent.id))
    return len(gone.all())


def _is_told(event: AuditEvent) -> bool:
    name = EventName(event.name)
    return name in ALWAYS_TOLD or event.detail.get(TOLD_IF.get(name, "")) is True


def _body(event: AuditEvent) -> str:
    content = {
        "id": str(event.id),
        "name": event.name,
        "at": event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "user_id": str(event.user_id),
        "session_id": str(event.session_id) if event.session_id else None,
        "detail": event.detail,
    }
    return json.dumps(content, separators=(",", ":"))
