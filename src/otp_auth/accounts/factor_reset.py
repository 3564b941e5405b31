"""For somebody who has lost app and codes and still has the phone: the account keeps phone and password.

Those are two factors still, so nobody gets in with fewer than before.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.authenticator_app import forget_app
from otp_auth.accounts.models import User
from otp_auth.accounts.password_resets import void_resets
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.repository import close, lock_open, of_account
from otp_auth.database import Database, again_after_conflict
from otp_auth.factors.failures import clear_failures, enable_all
from otp_auth.factors.models import FactorKind
from otp_auth.factors.recovery_codes import void_recovery_codes
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.trusted_devices import end_devices


@dataclass(frozen=True)
class FactorReset:
    """What was taken away, and what came on again."""

    removed: frozenset[FactorKind]
    enabled: frozenset[FactorKind]


@again_after_conflict
async def reset_factors(database: Database, user_id: UUID, detail: Detail) -> FactorReset | None:
    """Take away all factors but the phone, bring that back if it is off, and end all that was proved before.

    None when there was nothing to reset; then nothing has ended either. `detail` says by whom.
    """
    async with database.write() as tx:
        # Locked in the order of all who lock: challenges, counts in a row, account, app, sessions.
        waiting = await lock_open(tx, of_account(user_id))
        enabled = await enable_all(tx, user_id)
        await clear_failures(tx, user_id, FactorKind.TOTP)
        await lock_user(tx, user_id)
        removed = await _remove(tx, user_id, detail)
        enabled -= removed
        if not removed and not enabled:
            await tx.rollback()
            return None
        for factor in sorted(enabled):
            about = {"factor": factor.value, "reason": "enabled_again", **detail}
            record(tx, EventName.FACTOR_ADDED, user_id=user_id, detail=about)
        await close(tx, Challenge.id.in_(waiting))
        await _end_what_was_proved(tx, user_id, detail)
    return FactorReset(frozenset(removed), frozenset(enabled))


async def _remove(tx: AsyncSession, user_id: UUID, detail: Detail) -> set[FactorKind]:
    removed = set()
    if await forget_app(tx, user_id, detail=detail):
        removed.add(FactorKind.TOTP)
    if await void_recovery_codes(tx, user_id):
        about = {"factor": FactorKind.RECOVERY_CODE.value, **detail}
        record(tx, EventName.FACTOR_REMOVED, user_id=user_id, detail=about)
        removed.add(FactorKind.RECOVERY_CODE)
    return removed


async def _end_what_was_proved(tx: AsyncSession, user_id: UUID, detail: Detail) -> None:
    """End sessions, devices and resets; a login whose challenge comes only now finds another version."""
    one_more = {"password_version": User.password_version + 1}
    await tx.execute(update(User).where(User.id == user_id).values(one_more))
    because = {"reason": "factors_reset", **detail}
    await end_sessions(tx, Session.user_id == user_id, detail=because)
    await end_devices(tx, TrustedDevice.user_id == user_id, detail=because)
    await void_resets(tx, user_id, because)
