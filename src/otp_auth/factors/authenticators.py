"""Authenticator apps in the database: enrolled, confirmed, used, removed, sealed anew.

Functions that take `tx` join the caller's transaction, which has locked the account.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import Database, upsert
from otp_auth.factors.models import TotpAuthenticator
from otp_auth.factors.totp import Seeds, step_of


@dataclass(frozen=True)
class TotpMatch:
    """A code was right: of this authenticator, for this time step. Nothing is used up yet."""

    user_id: UUID
    enrolled_at: datetime  # tells it from one that came later
    step: int


class TotpRepository:
    """Looks at the authenticator app of an account."""

    def __init__(self, database: Database, seeds: Seeds) -> None:
        self._database = database
        self._seeds = seeds

    async def find(self, user_id: UUID) -> TotpAuthenticator | None:
        async with self._database.read() as tx:
            return await tx.get(TotpAuthenticator, user_id)

    async def match(self, user_id: UUID, code: str) -> TotpMatch | None:
        """Return what a code of the account's confirmed app stands for; None when it is wrong."""
        app = await self.find(user_id)
        return self.match_of(app, code) if app is not None and app.confirmed_at is not None else None

    def match_of(self, app: TotpAuthenticator, code: str) -> TotpMatch | None:
        """Do the same for an app that is at hand, confirmed or not."""
        seed = self._seeds.open(app.sealed_seed, app.user_id)
        step = step_of(seed, code, datetime.now(UTC)) if seed is not None else None
        # Only a look: what decides is `use_step`.
        if step is None or (app.last_step is not None and step <= app.last_step):
            return None
        return TotpMatch(app.user_id, app.created_at, step)


async def enrol(tx: AsyncSession, user_id: UUID, sealed_seed: str) -> bool:
    """Write down an app that waits to be confirmed, in place of another such. False: one counts."""
    new = {"sealed_seed": sealed_seed, "created_at": datetime.now(UTC)}
    statement = (
        upsert(tx, TotpAuthenticator)
        .values(user_id=user_id, **new)
        .on_conflict_do_update(
            index_elements=[TotpAuthenticator.user_id],
            set_=new,
            where=TotpAuthenticator.confirmed_at.is_(None),
        )
        .returning(TotpAuthenticator.user_id)
    )
    return await tx.scalar(statement) is not None


async def confirm(tx: AsyncSession, match: TotpMatch) -> TotpAuthenticator | None:
    """Let the app count from now on; its code is used up by that. None when it isn't waiting any more."""
    statement = (
        update(TotpAuthenticator)
        .where(*_this(match), TotpAuthenticator.confirmed_at.is_(None))
        .values(confirmed_at=datetime.now(UTC), last_step=match.step)
        .returning(TotpAuthenticator)
    )
    confirmed: TotpAuthenticator | None = await tx.scalar(statement)
    return confirmed


async def use_step(tx: AsyncSession, match: TotpMatch) -> bool:
    """Use up a time step and all before it (RFC 6238 5.2). False when it was already, on whatever route."""
    statement = (
        update(TotpAuthenticator)
        .where(*_this(match), TotpAuthenticator.confirmed_at.is_not(None), _is_unused(match.step))
        .values(last_step=match.step, last_used_at=datetime.now(UTC))
        .returning(TotpAuthenticator.user_id)
    )
    return await tx.scalar(statement) is not None


async def remove(tx: AsyncSession, user_id: UUID) -> bool:
    """Forget the app of an account, confirmed or not. False when none counted."""
    statement = delete(TotpAuthenticator).where(TotpAuthenticator.user_id == user_id)
    return await tx.scalar(statement.returning(TotpAuthenticator.confirmed_at)) is not None


async def has_app(tx: AsyncSession, user_id: UUID) -> bool:
    """Whether a confirmed app belongs to the account."""
    confirmed = select(TotpAuthenticator.confirmed_at).where(TotpAuthenticator.user_id == user_id)
    return await tx.scalar(confirmed) is not None


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete apps that were enrolled before this moment and never confirmed. Returns how many."""
    forgotten = TotpAuthenticator.confirmed_at.is_(None) & (TotpAuthenticator.created_at < before)
    gone = await tx.scalars(delete(TotpAuthenticator).where(forgotten).returning(TotpAuthenticator.user_id))
    return len(gone.all())


def _this(match: TotpMatch) -> tuple[ColumnElement[bool], ...]:
    return (TotpAuthenticator.user_id == match.user_id, TotpAuthenticator.created_at == match.enrolled_at)


def _is_unused(step: int) -> ColumnElement[bool]:
    return or_(TotpAuthenticator.last_step.is_(None), TotpAuthenticator.last_step < step)
