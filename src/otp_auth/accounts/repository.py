"""Accounts in the database. Each method is one short transaction."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import EmailTakenError, NoAppToPreferError
from otp_auth.accounts.models import PreferredMethod, User
from otp_auth.database import Database
from otp_auth.factors.authenticators import has_app
from otp_auth.sessions.models import Session, live
from otp_auth.tokens.errors import InvalidTokenError


class UserRepository:
    """Find and change people. New ones are added by the completion of a registration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_by_phone(self, phone_number: str) -> User | None:
        async with self._database.read() as tx:
            return await tx.scalar(select(User).where(User.phone_number == phone_number))

    async def find_by_email(self, email: str) -> User | None:
        async with self._database.read() as tx:
            return await tx.scalar(select(User).where(User.email == email))

    async def get(self, user_id: UUID) -> User | None:
        async with self._database.read() as tx:
            return await tx.get(User, user_id)

    async def find_by_live_session(self, session_id: UUID, user_id: UUID) -> tuple[User, Session] | None:
        """One query: each request with an access token asks it, so that a revoked session ends at once."""
        statement = (
            select(User, Session)
            .join(Session, Session.user_id == User.id)
            .where(User.id == user_id, Session.id == session_id, *live(datetime.now(UTC)))
            .where(*still_holds())
        )
        async with self._database.read() as tx:
            row = (await tx.execute(statement)).one_or_none()
            return (row[0], row[1]) if row else None

    async def change(self, user_id: UUID, session_id: UUID, values: dict[str, Any]) -> User:
        """Write the given columns, for somebody whose session still holds.

        Raises EmailTakenError, NoAppToPreferError, and InvalidTokenError when the session ended meanwhile.
        """
        try:
            async with self._database.write() as tx:
                user = await lock_owner(tx, user_id, session_id)
                if values.get("preferred_method") is PreferredMethod.TOTP and not await has_app(tx, user_id):
                    raise NoAppToPreferError
                for name, value in values.items():
                    setattr(user, name, value)
        except IntegrityError as error:
            raise EmailTakenError from error
        return user

    async def replace_hash(self, user_id: UUID, old: str, new: str) -> None:
        """Store the same password hashed anew, unless the password was changed meanwhile."""
        same = (User.id == user_id) & (User.password_hash == old)
        async with self._database.write() as tx:
            await tx.execute(update(User).where(same).values(password_hash=new))


def still_holds() -> tuple[ColumnElement[bool], ...]:
    """The conditions under which an account holds its session: no lock and no other password since."""
    return (User.locked_at.is_(None), User.password_version == Session.password_version)


async def find_owner(tx: AsyncSession, session_id: UUID) -> User | None:
    """Return whose session it is; None when the account holds it no more.

    One statement sees both as of one moment: a password change moves the caller's session with its account.
    """
    statement = select(User).join(Session, Session.user_id == User.id)
    return await tx.scalar(statement.where(Session.id == session_id, *still_holds()))


async def lock_user(tx: AsyncSession, user_id: UUID | None) -> User | None:
    """Return an account that stays as it is until the caller's transaction ends; its sessions and codes too.

    FOR NO KEY UPDATE: rows that refer to it may come meanwhile.
    """
    return await tx.get(User, user_id, with_for_update={"key_share": True}) if user_id else None


async def lock_owner(tx: AsyncSession, user_id: UUID, session_id: UUID) -> User:
    """Lock the account of a session that still holds: a request may have been on its way for long.

    Raises InvalidTokenError when the session has ended meanwhile.
    """
    user = await lock_user(tx, user_id)
    session = select(Session.id).join(User, User.id == Session.user_id).where(Session.id == session_id)
    holds = await tx.scalar(session.where(*live(datetime.now(UTC)), *still_holds()))
    if user is None or holds is None:
        raise InvalidTokenError
    return user


async def add_user(tx: AsyncSession, user: User) -> bool:
    """Insert into the caller's transaction; False when the phone or e-mail is taken.

    The savepoint keeps the transaction usable, so that what it proved stays spent.
    """
    try:
        async with tx.begin_nested():
            tx.add(user)
    except IntegrityError:
        return False
    return True
