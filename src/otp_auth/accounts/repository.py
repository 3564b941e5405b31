"""Accounts in the database. Each method is one short transaction."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import ConflictError
from otp_auth.accounts.models import User
from otp_auth.database import Database
from otp_auth.sessions.models import Session
from otp_auth.sessions.repository import live


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
        )
        async with self._database.read() as tx:
            row = (await tx.execute(statement)).one_or_none()
            return (row[0], row[1]) if row else None

    async def change(self, user_id: UUID, values: dict[str, Any]) -> User:
        """Write the given columns. Raises ConflictError when the e-mail address is somebody else's."""
        statement = update(User).where(User.id == user_id).values(**values).returning(User)
        try:
            async with self._database.write() as tx:
                return (await tx.scalars(statement)).one()
        except IntegrityError as error:
            raise ConflictError("This e-mail address can't be used.") from error

    async def replace_hash(self, user_id: UUID, old: str, new: str) -> None:
        """Store the same password hashed anew, unless the password was changed meanwhile."""
        same = (User.id == user_id) & (User.password_hash == old)
        async with self._database.write() as tx:
            await tx.execute(update(User).where(same).values(password_hash=new))


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
