"""Which factors an account has beside its phone, and which of all are shut off."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import Database
from otp_auth.factors.failures import disabled_factors
from otp_auth.factors.models import FactorKind, RecoveryCode, TotpAuthenticator


@dataclass(frozen=True)
class Enrolled:
    """A factor that an account has."""

    kind: FactorKind
    created_at: datetime
    last_used_at: datetime | None = None


class FactorRepository:
    """Looks at the factors of accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def besides_phone(self, user_id: UUID) -> list[Enrolled]:
        """The confirmed app, and the recovery codes while one is unused."""
        async with self._database.read() as tx:
            return await _besides_phone(tx, user_id)

    async def disabled(self, user_id: UUID) -> set[FactorKind]:
        """The factors that too many wrong codes have shut off."""
        async with self._database.read() as tx:
            return await disabled_factors(tx, user_id)

    async def usable(self, user_id: UUID) -> set[FactorKind]:
        """What may prove this account now; the phone is always enrolled."""
        async with self._database.read() as tx:
            others = {each.kind for each in await _besides_phone(tx, user_id)}
            return {FactorKind.PHONE, *others} - await disabled_factors(tx, user_id)


async def _besides_phone(tx: AsyncSession, user_id: UUID) -> list[Enrolled]:
    found = []
    app = await tx.get(TotpAuthenticator, user_id)
    if app is not None and app.confirmed_at is not None:
        found.append(Enrolled(FactorKind.TOTP, app.created_at, app.last_used_at))
    unused = func.count().filter(RecoveryCode.used_at.is_(None))
    codes = select(unused, func.min(RecoveryCode.created_at), func.max(RecoveryCode.used_at))
    row = (await tx.execute(codes.where(RecoveryCode.user_id == user_id))).one()
    if row[0]:
        found.append(Enrolled(FactorKind.RECOVERY_CODE, row[1], row[2]))
    return found
