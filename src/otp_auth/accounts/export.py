"""All that is stored about one person, for that person. What only guards the account is left out.

Column by column `docs/personal-data.md` says which is which, and a test holds it to the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from otp_auth.accounts.models import KnownNetwork, PasswordReset
from otp_auth.audit.models import AuditEvent
from otp_auth.challenges.models import Challenge
from otp_auth.database import Database
from otp_auth.factors.models import FactorFailures, RecoveryCode, TotpAuthenticator
from otp_auth.sessions.models import RefreshToken, Session, TrustedDevice

Row = TypeVar("Row")


@dataclass(frozen=True)
class Holdings:
    """What is stored about an account beside its own row; the newest of each first."""

    collected_at: datetime
    sessions: Sequence[Session]
    refreshes: dict[UUID, int]  # by session: how often its tokens were renewed
    devices: Sequence[TrustedDevice]
    app: TotpAuthenticator | None
    recovery_codes: Sequence[RecoveryCode]
    failures: Sequence[FactorFailures]
    networks: Sequence[KnownNetwork]
    resets: Sequence[PasswordReset]
    challenges: Sequence[Challenge]
    events: Sequence[AuditEvent]


async def collect(database: Database, user_id: UUID) -> Holdings:
    """Read everything, also what has ended and waits to be deleted."""
    async with database.read() as tx:
        return Holdings(
            collected_at=datetime.now(UTC),
            sessions=await _all(tx, Session, user_id, Session.id),
            refreshes=await _count_refreshes(tx, user_id),
            devices=await _all(tx, TrustedDevice, user_id, TrustedDevice.id),
            app=await tx.get(TotpAuthenticator, user_id),
            recovery_codes=await _all(tx, RecoveryCode, user_id, RecoveryCode.created_at),
            failures=await _all(tx, FactorFailures, user_id, FactorFailures.factor),
            networks=await _all(tx, KnownNetwork, user_id, KnownNetwork.last_used_at),
            resets=await _all(tx, PasswordReset, user_id, PasswordReset.id),
            challenges=await _all(tx, Challenge, user_id, Challenge.id),
            events=await _all(tx, AuditEvent, user_id, AuditEvent.id),
        )


async def _all(
    tx: AsyncSession, table: type[Row], user_id: UUID, order: InstrumentedAttribute[Any]
) -> Sequence[Row]:
    statement = select(table).filter_by(user_id=user_id).order_by(order.desc())
    return (await tx.scalars(statement)).all()


async def _count_refreshes(tx: AsyncSession, user_id: UUID) -> dict[UUID, int]:
    spent = func.count(RefreshToken.spent_at)
    statement = (
        select(RefreshToken.session_id, spent)
        .join(Session, Session.id == RefreshToken.session_id)
        .where(Session.user_id == user_id)
        .group_by(RefreshToken.session_id)
    )
    return {row[0]: row[1] for row in await tx.execute(statement)}
