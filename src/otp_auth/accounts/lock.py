"""Locked accounts: all that was proved ends, and login answers as if every password were wrong."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import update

from otp_auth.accounts.models import User
from otp_auth.accounts.password_resets import void_resets
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.challenges.repository import close, of_account
from otp_auth.database import Database, again_after_conflict
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.trusted_devices import end_devices


@again_after_conflict
async def lock_account(database: Database, user_id: UUID, detail: Detail) -> bool:
    """Shut its owner out at once; False when it was locked already. `detail` says by whom.

    What was proved before stays dead after an unlock too: it finds another `password_version`.
    """
    values = {"locked_at": datetime.now(UTC), "password_version": User.password_version + 1}
    unlocked = (User.id == user_id) & User.locked_at.is_(None)
    async with database.write() as tx:
        # Locked in the order of all who lock: challenges, account, sessions.
        await close(tx, of_account(user_id))
        if await tx.scalar(update(User).where(unlocked).values(values).returning(User.id)) is None:
            return False
        because = {"reason": "account_locked", **detail}
        await end_sessions(tx, Session.user_id == user_id, detail=because)
        await end_devices(tx, TrustedDevice.user_id == user_id, detail=because)
        await void_resets(tx, user_id, because)
        record(tx, EventName.ACCOUNT_LOCKED, user_id=user_id, detail=detail)
    return True


async def unlock_account(database: Database, user_id: UUID, detail: Detail) -> bool:
    """Let its owner log in again; False when it wasn't locked. Nothing that ended comes back."""
    locked = (User.id == user_id) & User.locked_at.is_not(None)
    async with database.write() as tx:
        if await tx.scalar(update(User).where(locked).values(locked_at=None).returning(User.id)) is None:
            return False
        record(tx, EventName.ACCOUNT_UNLOCKED, user_id=user_id, detail=detail)
    return True
