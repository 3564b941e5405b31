"""Resets of a password that have begun: their tokens, and those that wait for their hold to end.

Whoever begins, uses, cancels or carries out one holds its account locked; so of parallel ones one wins.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import PasswordReset, User
from otp_auth.accounts.repository import lock_owner, lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.repository import close, lock_open, of_account
from otp_auth.database import Database, again_after_conflict
from otp_auth.factors.authenticators import has_app
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.trusted_devices import end_devices
from otp_auth.tokens.opaque import digest, new_opaque_token

NOBODY = UUID(int=0)  # no account's id: asked for it everything looks as it does for one


class PasswordResetRepository:
    """Looks at resets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, token: str) -> tuple[PasswordReset, User] | None:
        """The reset that a token stands for, used or not, and whose it is. None when it has expired."""
        statement = select(PasswordReset, User).join(User, User.id == PasswordReset.user_id)
        mine = (PasswordReset.token_digest == digest(token), PasswordReset.expires_at > datetime.now(UTC))
        async with self._database.read() as tx:
            row = (await tx.execute(statement.where(*mine))).one_or_none()
            return (row[0], row[1]) if row else None

    async def held_until(self, user_id: UUID) -> datetime | None:
        """When the one that waits takes effect."""
        waiting = select(PasswordReset.held_until).where(*_waiting(user_id))
        async with self._database.read() as tx:
            held_until: datetime | None = await tx.scalar(waiting)
            return held_until


async def add_reset(tx: AsyncSession, user: User, expires_at: datetime) -> str:
    """Write down that a locked account's phone was proved, and return the token: nobody can read it again.

    Earlier tokens are void; a reset that waits goes on.
    """
    await _end(tx, *_unended(user.id), PasswordReset.held_until.is_(None))
    token = new_opaque_token()
    reset = PasswordReset(
        user_id=user.id,
        token_digest=digest(token),
        password_version=user.password_version,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    tx.add(reset)
    return token


async def use_token(tx: AsyncSession, reset: PasswordReset) -> bool:
    """Use up the token of a locked account. False when it was used, or is void."""
    return bool(await _end(tx, *_unused(reset)))


async def hold(
    tx: AsyncSession, reset: PasswordReset, new_hash: str, until: datetime, network: str | None
) -> bool:
    """Use up the token of a locked account; the new password waits, in place of one that waited before."""
    held = {"held_until": until, "password_hash": new_hash}
    statement = update(PasswordReset).where(*_unused(reset)).values(held).returning(PasswordReset.id)
    if await tx.scalar(statement) is None:
        return False
    await _end(tx, *_waiting(reset.user_id), PasswordReset.id != reset.id)
    record(tx, EventName.PASSWORD_RESET_HELD, user_id=reset.user_id, network=network)
    return True


async def void_resets(
    tx: AsyncSession,
    user_id: UUID,
    because: Detail,
    *,
    session_id: UUID | None = None,
    network: str | None = None,
) -> list[PasswordReset]:
    """End all that haven't, with what they would have set; owners read of one that waited. Returns them."""
    ended = await _end(tx, *_unended(user_id))
    for _ in filter(lambda reset: reset.held_until, ended):
        event = EventName.PASSWORD_RESET_CANCELLED
        record(tx, event, user_id=user_id, session_id=session_id, network=network, detail=because)
    return ended


@again_after_conflict
async def cancel_by_owner(database: Database, user_id: UUID, session_id: UUID, network: str | None) -> bool:
    """End what waits, and tokens that nobody has used. False when there is neither.

    Raises InvalidTokenError when the session has ended meanwhile, also by a reset whose hour has come.
    """
    await carry_out_due(database, user_id)
    async with database.write() as tx:
        await lock_owner(tx, user_id, session_id)
        because = {"by": "owner"}
        return bool(await void_resets(tx, user_id, because, session_id=session_id, network=network))


@again_after_conflict
async def cancel_by_operator(database: Database, user_id: UUID, detail: Detail) -> bool:
    """Do the same for support."""
    async with database.write() as tx:
        await lock_user(tx, user_id)
        return bool(await void_resets(tx, user_id, detail))


@again_after_conflict
async def carry_out_due(database: Database, user_id: UUID) -> bool:
    """Let a reset take effect whose hold is over. True when it did."""
    async with database.read() as tx:
        due = await tx.scalar(select(PasswordReset.id).where(*_due(user_id)))
    if due is None:
        return False
    async with database.write() as tx:
        return await _carry_out(tx, user_id)


async def carry_out_all_due(database: Database) -> int:
    """Let every reset take effect whose hold is over. Returns how many did."""
    over = (PasswordReset.ended_at.is_(None), PasswordReset.held_until <= datetime.now(UTC))
    async with database.read() as tx:
        users = (await tx.scalars(select(PasswordReset.user_id).where(*over).distinct())).all()
    return sum([await carry_out_due(database, user_id) for user_id in users])


async def put_in_force(
    tx: AsyncSession, user: User, new_hash: str, challenges: Sequence[UUID], network: str | None = None
) -> None:
    """Give a locked account a new password; all that an earlier one opened ends. Its factors stay.

    `challenges` are those of the account, locked before it was.
    """
    user.password_hash, user.password_version = new_hash, user.password_version + 1
    await tx.flush()
    await close(tx, Challenge.id.in_(challenges))
    because = {"reason": EventName.PASSWORD_RESET.value}
    await end_sessions(tx, Session.user_id == user.id, network=network, detail=because)
    await end_devices(tx, TrustedDevice.user_id == user.id, network=network, detail=because)
    await void_resets(tx, user.id, because, network=network)
    record(tx, EventName.PASSWORD_RESET, user_id=user.id, network=network)


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Delete what ended, or was never used, before this moment. Returns how many."""
    unused = PasswordReset.held_until.is_(None) & (PasswordReset.expires_at < before)
    over = select(PasswordReset.id).where(or_(PasswordReset.ended_at < before, unused))
    free = over.with_for_update(skip_locked=True)
    gone = await tx.scalars(
        delete(PasswordReset).where(PasswordReset.id.in_(free)).returning(PasswordReset.id)
    )
    return len(gone.all())


async def _carry_out(tx: AsyncSession, user_id: UUID) -> bool:
    challenges = await lock_open(tx, of_account(user_id))
    user = await lock_user(tx, user_id)
    due = await tx.scalar(select(PasswordReset).where(*_due(user_id)))
    if user is None or due is None:
        return False
    new_hash = due.password_hash
    # What changes any of this voids resets in its own transaction: this is the second look.
    if new_hash is None or not user.holds(due.password_version) or await has_app(tx, user_id):
        await void_resets(tx, user_id, {"reason": "account_changed"})
        return False
    if not await _end(tx, PasswordReset.id == due.id):
        return False
    await put_in_force(tx, user, new_hash, challenges)
    return True


async def _end(tx: AsyncSession, *which: ColumnElement[bool]) -> list[PasswordReset]:
    statement = (
        update(PasswordReset)
        .where(*which, PasswordReset.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC), password_hash=None)
        .returning(PasswordReset)
    )
    return list((await tx.scalars(statement, execution_options={"populate_existing": True})).all())


def _unended(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (PasswordReset.user_id == user_id, PasswordReset.ended_at.is_(None))


def _waiting(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (*_unended(user_id), PasswordReset.held_until.is_not(None))


def _due(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (*_unended(user_id), PasswordReset.held_until <= datetime.now(UTC))


def _unused(reset: PasswordReset) -> tuple[ColumnElement[bool], ...]:
    return (
        PasswordReset.id == reset.id,
        PasswordReset.ended_at.is_(None),
        PasswordReset.held_until.is_(None),
        PasswordReset.expires_at > datetime.now(UTC),
    )
