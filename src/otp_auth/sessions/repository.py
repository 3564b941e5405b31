"""Sessions in the database: listed and ended. Each method is one short transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, true

from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail
from otp_auth.database import Database
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.families import find_newest, forget_seals
from otp_auth.sessions.models import Session, live
from otp_auth.settings import SessionPolicy


class SessionRepository:
    """See sessions and end them. New ones come from `open_session`, renewed ones from `rotate`."""

    def __init__(self, database: Database, policy: SessionPolicy) -> None:
        self._database = database
        self._policy = policy

    async def list_live(self, user_id: UUID, before: UUID | None, limit: int) -> Sequence[Session]:
        """The newest of an account first, those older than `before`."""
        statement = select(Session).where(Session.user_id == user_id, *live(datetime.now(UTC)))
        if before is not None:
            statement = statement.where(Session.id < before)
        async with self._database.read() as tx:
            return (await tx.scalars(statement.order_by(Session.id.desc()).limit(limit))).all()

    async def find_by_refresh_token(self, refresh_token: str, network: str | None) -> Session | None:
        """Whose token this is, if it is unspent or was spent just now. An older one ends its family."""
        async with self._database.write() as tx:
            found = await find_newest(tx, refresh_token, network, self._policy)
            return found.session if found else None

    async def log_out(self, session_id: UUID, network: str | None) -> None:
        async with self._database.write() as tx:
            await end_sessions(tx, Session.id == session_id, event=EventName.LOGOUT, network=network)

    async def log_out_everywhere(self, user_id: UUID, network: str | None) -> None:
        async with self._database.write() as tx:
            await end_sessions(tx, Session.user_id == user_id, event=EventName.LOGOUT, network=network)

    async def revoke(
        self, user_id: UUID, session_id: UUID, network: str | None, detail: Detail | None = None
    ) -> bool:
        """End a session of this account; False when there is no such live one."""
        of_user = and_(Session.id == session_id, Session.user_id == user_id, *live(datetime.now(UTC)))
        async with self._database.write() as tx:
            return bool(await end_sessions(tx, of_user, network=network, detail=detail))

    async def revoke_others(self, user_id: UUID, session_id: UUID, network: str | None) -> None:
        others = and_(Session.user_id == user_id, Session.id != session_id, *live(datetime.now(UTC)))
        async with self._database.write() as tx:
            await end_sessions(tx, others, network=network)

    async def revoke_all(self, user_id: UUID, detail: Detail) -> int:
        """End every session of this account. Returns how many."""
        of_user = and_(Session.user_id == user_id, *live(datetime.now(UTC)))
        async with self._database.write() as tx:
            return len(await end_sessions(tx, of_user, detail=detail))

    async def forget_seals(self) -> int:
        """Forget the seals past their grace, also of sessions that nobody uses. Returns how many."""
        async with self._database.write() as tx:
            return await forget_seals(tx, true(), datetime.now(UTC) - self._policy.grace)

    async def purge(self, over_for: timedelta) -> int:
        """Delete sessions that have been over for so long, with their tokens. Returns how many."""
        before = datetime.now(UTC) - over_for
        over = or_(Session.expires_at < before, Session.idle_until < before, Session.ended_at < before)
        async with self._database.write() as tx:
            gone = await tx.scalars(delete(Session).where(over).returning(Session.id))
            return len(gone.all())
