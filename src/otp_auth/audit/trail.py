"""Writing down what happened, in the transaction of the change itself, or alone after a refusal."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from loguru import logger
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.audit.outbox import tell
from otp_auth.budgets import Budget, Charge
from otp_auth.database import Database
from otp_auth.identifiers import new_id
from otp_auth.logs import request_id
from otp_auth.redaction import HIDDEN
from otp_auth.tokens.opaque import digest

LONGEST_WORD = 40
# Words of ours, countries (001: of none), the last two digits of a number, ids: no code or number can pass.
_WORD = re.compile(
    r"[a-z]+(?:_[a-z]+)*|[A-Z]{2}|001|[0-9]{2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)
# Refusals that are written down of one account (of strangers: one network), name and reason.
REFUSALS_KEPT = Budget(timedelta(hours=1), 20)
FOR_OPERATORS = frozenset({EventName.ACCOUNT_DELETED})

Detail = Mapping[str, Any]


class AuditTrail:
    """Writes down what left no transaction of its own behind, such as a refusal; and shows what there is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_alone(
        self,
        name: EventName,
        *,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        network: str | None = None,
        detail: Detail | None = None,
    ) -> None:
        """Record in a transaction of its own, after the one that was rolled back."""
        async with self._database.write() as tx:
            record(tx, name, user_id=user_id, session_id=session_id, network=network, detail=detail)

    async def record_refusal(
        self,
        name: EventName,
        *,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        network: str | None = None,
        detail: Detail,
        apart: str = "",
    ) -> None:
        """Record what was tried in vain, so that nobody can fill the trail: twenty alike an hour.

        Alike are those of one account (of strangers: of one network) with one name and `reason` (`reasons`).
        What any stranger can do to an account is counted `apart`, or it would hide what others do.
        `repeated` in the detail says that this isn't the first one of its hour.
        """
        whose = f"{user_id or network}{apart}"
        try:
            async with self._database.write() as tx:
                count = await _count(tx, name, whose, detail)
                if count:
                    told = {**detail, "repeated": count > 1}
                    record(tx, name, user_id=user_id, session_id=session_id, network=network, detail=told)
        except IntegrityError:
            logger.info("the account of a refusal is gone", event=name.value)

    async def record_failed_login(
        self, login_name: str, user_id: UUID | None, network: str | None, detail: Detail
    ) -> None:
        """Record that somebody without the password was refused; of a name without account nothing stays.

        Both are the same work, in the same statements: the time that it takes tells nothing.
        """
        try:
            async with self._database.write() as tx:
                count = await _count(tx, EventName.LOGIN_FAILED, str(user_id or login_name), detail)
                if count:
                    told = {**detail, "repeated": count > 1}
                    event = record(tx, EventName.LOGIN_FAILED, user_id=user_id, network=network, detail=told)
                    of_nobody = (AuditEvent.id == event.id) & AuditEvent.user_id.is_(None)
                    await tx.execute(delete(AuditEvent).where(of_nobody))
        except IntegrityError:
            logger.info("the account of a refusal is gone", event=EventName.LOGIN_FAILED.value)

    async def list_of(self, user_id: UUID, before: UUID | None, limit: int) -> Sequence[AuditEvent]:
        """What an account may read of itself, the newest first, those older than `before`."""
        statement = select(AuditEvent).where(
            AuditEvent.user_id == user_id, AuditEvent.name.not_in(FOR_OPERATORS)
        )
        if before is not None:
            statement = statement.where(AuditEvent.id < before)
        async with self._database.read() as tx:
            return (await tx.scalars(statement.order_by(AuditEvent.id.desc()).limit(limit))).all()


def record(
    tx: AsyncSession,
    name: EventName,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    network: str | None = None,
    detail: Detail | None = None,
) -> AuditEvent:
    """Record in the caller's transaction: what is rolled back hasn't happened. Some of it goes out as well.

    `network` is a /24 or /64, never an address. `detail` holds short words (reason, method, country), flags
    and lists of them; anything else is hidden. A user who is new in this transaction must be flushed before.
    """
    event = AuditEvent(
        id=new_id(),
        name=name.value,
        at=datetime.now(UTC),
        user_id=user_id,
        session_id=session_id,
        network=network,
        request_id=request_id.get() or None,
        detail={key: _in_words(value) for key, value in (detail or {}).items()},
    )
    tx.add(event)
    tell(tx, event)
    return event


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete what happened before this moment. Returns how much."""
    gone = await tx.scalars(delete(AuditEvent).where(AuditEvent.at < before).returning(AuditEvent.id))
    return len(gone.all())


async def _count(tx: AsyncSession, name: EventName, whose: str, detail: Detail) -> int:
    """Say the how manieth of its kind this is; 0 for one too many."""
    reason = detail.get("reason") or detail.get("reasons")
    charge = Charge(f"audit:{digest(f'{name} {whose} {reason}')}", REFUSALS_KEPT)
    _, spent = await budgets.charge_and_count(tx, [charge], datetime.now(UTC))
    return spent.get(charge, 0)


def _in_words(value: object) -> Any:
    """Return what can't hold a secret: words, flags, and lists of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [_in_words(item) for item in value]
    is_word = isinstance(value, str) and len(value) <= LONGEST_WORD and _WORD.fullmatch(value)
    return str(value) if is_word else HIDDEN
