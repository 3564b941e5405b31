"""Sessions in the database. Each method is one short transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import Database
from otp_auth.sessions.models import RefreshToken, Session
from otp_auth.settings import TokenSettings
from otp_auth.tokens.opaque import digest, new_opaque_token


@dataclass(frozen=True)
class OpenedSession:
    """A live session with a refresh token that nobody has used yet."""

    session: Session
    refresh_token: str


class SessionRepository:
    """Refresh sessions and end them. New ones come from `open_session` alone."""

    def __init__(self, database: Database, policy: TokenSettings) -> None:
        self._database = database
        self._policy = policy

    async def rotate(self, refresh_token: str) -> OpenedSession | None:
        """Spend a refresh token for its successor; None when it is spent, unknown, or its session is over.

        The one who turns `spent_at` gets the successor: parallel refreshes never make two chains.
        """
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            session_id = await tx.scalar(_spend(refresh_token, now))
            session = await tx.scalar(self._renew(session_id, now)) if session_id else None
            if session is None:
                await tx.rollback()
                return None
            return OpenedSession(session, _add_refresh_token(tx, session.id, now))

    def _renew(self, session_id: UUID, now: datetime) -> Any:
        idle_until = _earlier(Session.expires_at, now + self._policy.refresh_idle)
        return (
            update(Session)
            .where(Session.id == session_id, *live(now))
            .values(last_used_at=now, idle_until=idle_until)
            .returning(Session)
        )

    async def end(self, session_id: UUID) -> None:
        await self._end(Session.id == session_id)

    async def end_all(self, user_id: UUID) -> None:
        await self._end(Session.user_id == user_id)

    async def _end(self, which: ColumnElement[bool]) -> None:
        statement = update(Session).where(which, Session.ended_at.is_(None))
        async with self._database.write() as tx:
            await tx.execute(statement.values(ended_at=datetime.now(UTC)))

    async def purge(self, over_for: timedelta) -> int:
        """Delete sessions that passed their absolute end so long ago. Returns how many."""
        async with self._database.write() as tx:
            over = Session.expires_at < datetime.now(UTC) - over_for
            gone = await tx.scalars(delete(Session).where(over).returning(Session.id))
            return len(gone.all())


async def open_session(
    tx: AsyncSession, user_id: UUID, amr: list[str], acr: str, policy: TokenSettings
) -> OpenedSession:
    """Mint a session. The only function that does, called only by the completion of a proved challenge."""
    now = datetime.now(UTC)
    expires_at = now + policy.refresh_absolute
    session = Session(
        user_id=user_id,
        amr=amr,
        acr=acr,
        auth_time=now,
        created_at=now,
        last_used_at=now,
        idle_until=min(expires_at, now + policy.refresh_idle),
        expires_at=expires_at,
    )
    tx.add(session)
    await tx.flush()
    return OpenedSession(session, _add_refresh_token(tx, session.id, now))


def _add_refresh_token(tx: AsyncSession, session_id: UUID, now: datetime) -> str:
    token = new_opaque_token()
    tx.add(RefreshToken(digest=digest(token), session_id=session_id, created_at=now))
    return token


def _spend(refresh_token: str, now: datetime) -> Any:
    unspent = (RefreshToken.digest == digest(refresh_token)) & RefreshToken.spent_at.is_(None)
    return update(RefreshToken).where(unspent).values(spent_at=now).returning(RefreshToken.session_id)


def live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a session holds."""
    return (Session.ended_at.is_(None), Session.idle_until > now, Session.expires_at > now)


def _earlier(column: Any, moment: datetime) -> ColumnElement[datetime]:
    return case((column < moment, column), else_=moment)
