"""A new password: whatever was proved with the old one ends, but for the session that asks."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import TooManyPasswordsError, WrongPasswordError
from otp_auth.accounts.models import User
from otp_auth.accounts.password_budgets import PasswordBudgets
from otp_auth.accounts.password_resets import carry_out_due, void_resets
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail, record
from otp_auth.challenges.repository import close, of_account
from otp_auth.database import Database, again_after_conflict
from otp_auth.errors import OverloadedError
from otp_auth.sessions.ending import end_sessions, lock_sessions
from otp_auth.sessions.models import Session, TrustedDevice, live
from otp_auth.sessions.trusted_devices import end_devices
from otp_auth.tokens.errors import InvalidTokenError


async def prove_password(
    hasher: PasswordHasher,
    budgets: PasswordBudgets,
    audit: AuditTrail,
    user: User,
    session_id: UUID,
    password: str,
    network: str | None,
) -> None:
    """Return if this is the password of somebody who is logged in; its owner can read of wrong ones.

    Raises WrongPasswordError, TooManyPasswordsError, OverloadedError.
    """
    try:
        await _compare(hasher, budgets, user, password, network)
    except (WrongPasswordError, TooManyPasswordsError) as refusal:
        await audit.record_refusal(
            EventName.LOGIN_FAILED,
            user_id=user.id,
            session_id=session_id,
            network=network,
            detail={"reason": refusal.code, "purpose": "password_change"},
        )
        raise


async def _compare(
    hasher: PasswordHasher, budgets: PasswordBudgets, user: User, password: str, network: str | None
) -> None:
    """Compare a password with that of an account. A try is charged before it is looked at.

    Raises WrongPasswordError, TooManyPasswordsError, OverloadedError.
    """
    charges = await budgets.charge_account(user.id, network)
    try:
        matches = await hasher.verify(password, user.password_hash)
    except OverloadedError:  # nobody looked
        await budgets.give_back(charges)
        raise
    if not matches:
        raise WrongPasswordError
    await budgets.give_back(charges)


@again_after_conflict
async def change_password(
    database: Database, user: User, session_id: UUID, new_hash: str, network: str | None
) -> None:
    """Write the hash and end all that an earlier password opened; this session alone goes on.

    Logins that began before find another `password_version` when they are proved. Of parallel changes one
    wins. Raises WrongPasswordError when the password of `user` is no longer the one that was compared,
    InvalidTokenError when the session has ended meanwhile, also by a reset whose hour has come; then nothing
    is changed.
    """
    if await carry_out_due(database, user.id):
        raise InvalidTokenError
    async with database.write() as tx:
        # Locked in the order of all who lock: challenges, account, sessions.
        await close(tx, of_account(user.id))
        version = await tx.scalar(
            update(User)
            .where(*_as_it_was(user))
            .values(password_hash=new_hash, password_version=User.password_version + 1)
            .returning(User.password_version)
        )
        if version is None:
            raise WrongPasswordError
        await _keep_only(tx, user.id, session_id, version, network)
        because = {"reason": "password_changed"}
        await end_devices(tx, TrustedDevice.user_id == user.id, network=network, detail=because)
        await void_resets(tx, user.id, because, session_id=session_id, network=network)
        record(tx, EventName.PASSWORD_CHANGED, user_id=user.id, session_id=session_id, network=network)


def _as_it_was(user: User) -> tuple[ColumnElement[bool], ...]:
    """The account as it was when its password was compared. Hashed anew it still is the same password."""
    return (User.id == user.id, User.password_version == user.password_version, User.locked_at.is_(None))


async def _keep_only(
    tx: AsyncSession, user_id: UUID, session_id: UUID, version: int, network: str | None
) -> None:
    """Take one session along to the new password and end the others of its account."""
    await lock_sessions(tx, Session.user_id == user_id)
    kept = (
        update(Session)
        .where(Session.id == session_id, *live(datetime.now(UTC)))
        .values(password_version=version)
        .returning(Session.id)
    )
    if await tx.scalar(kept) is None:
        raise InvalidTokenError
    others = (Session.user_id == user_id) & (Session.id != session_id)
    await end_sessions(tx, others, network=network, detail={"reason": "password_changed"})
