"""Farewell: an account and all that hangs on it go in one transaction. What happened stays, and is nobody's.

Whoever writes that something happened to an account takes a share of its row, often with a session or a
challenge locked already; so no order of locks holds for whoever deletes that row. It is locked first, while
nothing else is held. Of the rest only what is free is taken: a ring of transactions that wait for each other
needs one that holds something and waits. Where something isn't free, all is let go and tried again.
"""

import asyncio
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import KnownNetwork, PasswordReset, User
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.audit.trail import record
from otp_auth.budgets import Spending
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.resets import OF_NOBODY
from otp_auth.database import Database
from otp_auth.errors import OverloadedError
from otp_auth.factors.models import FactorFailures, RecoveryCode, TotpAuthenticator
from otp_auth.sessions.models import RefreshToken, Session, TrustedDevice, live
from otp_auth.tokens.errors import InvalidTokenError

MOST_TRIES = 50
PAUSE = 0.02  # seconds between two tries, on average

# What goes with the account (ON DELETE CASCADE). Sessions before what hangs on them.
BELONGINGS = (
    Session,
    Challenge,
    TrustedDevice,
    PasswordReset,
    KnownNetwork,
    RecoveryCode,
    TotpAuthenticator,
    FactorFailures,
)


async def delete_account(database: Database, user_id: UUID, session_id: UUID) -> None:
    """Delete the account of a session that still holds; nothing that was proved for it works afterwards.

    Raises InvalidTokenError when either has ended meanwhile, OverloadedError when others never let go.
    """
    for _ in range(MOST_TRIES):
        async with database.write() as tx:
            user = await _lock_owner(tx, user_id, session_id)
            if await _lock_belongings(tx, user_id):
                await _delete(tx, user)
                return
            await tx.rollback()
        await asyncio.sleep(SystemRandom().uniform(0, 2 * PAUSE))
    raise OverloadedError


async def _lock_owner(tx: AsyncSession, user_id: UUID, session_id: UUID) -> User:
    """Lock the account against all; from now on no row that refers to it can come."""
    user = await tx.get(User, user_id, with_for_update=True)
    of_owner = (Session.id == session_id, Session.user_id == user_id, *live(datetime.now(UTC)))
    session = await tx.scalar(select(Session).where(*of_owner))
    if user is None or session is None or not user.holds(session.password_version):
        raise InvalidTokenError
    return user


async def _lock_belongings(tx: AsyncSession, user_id: UUID) -> bool:
    """Lock all that goes along, without waiting. False when somebody else is at one of them."""
    for table in BELONGINGS:
        if not await _lock(tx, select(table.user_id).where(table.user_id == user_id)):
            return False
    of_user = select(Session.id).where(Session.user_id == user_id)
    if not await _lock(tx, select(RefreshToken.digest).where(RefreshToken.session_id.in_(of_user))):
        return False
    return await _lock(tx, select(Spending.key).where(_is_counted_for(user_id)))


async def _lock(tx: AsyncSession, rows: Select[Any]) -> bool:
    present = (await tx.execute(rows)).all()
    free = (await tx.execute(rows.with_for_update(skip_locked=True))).all()
    return len(free) == len(present)


async def _delete(tx: AsyncSession, user: User) -> None:
    record(tx, EventName.ACCOUNT_DELETED, user_id=user.id)
    await tx.flush()
    await _make_nobodys(tx, user.id)
    await tx.execute(delete(Spending).where(_is_counted_for(user.id)))
    await _let_go_of_resets(tx, user.id)
    await _forget_registrations(tx, user.phone_number)
    await tx.execute(delete(User).where(User.id == user.id))


async def _make_nobodys(tx: AsyncSession, user_id: UUID) -> None:
    """Leave of its audit trail what happened and when: to whom, from where and by which request is gone."""
    nobodys = {"user_id": None, "session_id": None, "network": None, "request_id": None}
    statement = update(AuditEvent).where(AuditEvent.user_id == user_id).values(**nobodys)
    await tx.execute(statement, execution_options={"synchronize_session": False})


def _is_counted_for(user_id: UUID) -> ColumnElement[bool]:
    """Budgets of the account. Those of its number stay: a new account of it is no way around them."""
    return Spending.key.contains(str(user_id))


async def _let_go_of_resets(tx: AsyncSession, user_id: UUID) -> None:
    """Whoever asked for a reset must not see that there was an account: its challenge waits on."""
    mine = (Challenge.user_id == user_id, Challenge.purpose == Purpose.PASSWORD_RESET)
    statement = update(Challenge).where(*mine).values(OF_NOBODY)
    await tx.execute(statement, execution_options={"synchronize_session": False})


async def _forget_registrations(tx: AsyncSession, phone_number: str) -> None:
    """Delete what is left of registrations of the number: its own, and others that came to nothing.

    One that is open belongs to whoever waits for its code at this moment.
    """
    is_over = or_(Challenge.closed_at.is_not(None), Challenge.expires_at <= datetime.now(UTC))
    of_strangers = (Challenge.phone_number == phone_number, Challenge.user_id.is_(None), is_over)
    free = select(Challenge.id).where(*of_strangers).with_for_update(skip_locked=True)
    await tx.execute(
        delete(Challenge).where(Challenge.id.in_(free)), execution_options={"synchronize_session": False}
    )
