"""Writing down what happened, in the transaction of the change itself, or alone after a refusal."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.database import Database
from otp_auth.logs import request_id
from otp_auth.redaction import HIDDEN

LONGEST_WORD = 40
# Words of ours and countries (001: of none). No digits, so that neither a code nor a number can pass.
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)*|[A-Z]{2}|001")

Detail = Mapping[str, Any]


class AuditTrail:
    """Writes down what left no transaction of its own behind, such as a refusal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_alone(
        self,
        name: EventName,
        *,
        user_id: UUID | None = None,
        network: str | None = None,
        detail: Detail | None = None,
    ) -> None:
        """Record in a transaction of its own, after the one that was rolled back."""
        async with self._database.write() as tx:
            record(tx, name, user_id=user_id, network=network, detail=detail)


def record(
    tx: AsyncSession,
    name: EventName,
    *,
    user_id: UUID | None = None,
    network: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Record in the caller's transaction: what is rolled back hasn't happened.

    `network` is a /24 or /64, never an address. `detail` holds short words (reason, method, country), flags
    and lists of them; anything else is hidden. A user who is new in this transaction must be flushed before.
    """
    event = AuditEvent(
        name=name.value,
        at=datetime.now(UTC),
        user_id=user_id,
        network=network,
        request_id=request_id.get() or None,
        detail={key: _in_words(value) for key, value in (detail or {}).items()},
    )
    tx.add(event)


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete what happened before this moment. Returns how much."""
    gone = await tx.scalars(delete(AuditEvent).where(AuditEvent.at < before).returning(AuditEvent.id))
    return len(gone.all())


def _in_words(value: object) -> Any:
    """Return what can't hold a secret: words, flags, and lists of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [_in_words(item) for item in value]
    is_word = isinstance(value, str) and len(value) <= LONGEST_WORD and _WORD.fullmatch(value)
    return str(value) if is_word else HIDDEN
