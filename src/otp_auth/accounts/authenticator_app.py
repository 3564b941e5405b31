"""The authenticator app of an account: enrolled, confirmed, removed.

Locked in the order of all who lock: budgets, counts in a row, account, app.
"""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import AppEnrolledError, AppReplacedError, NoAppWaitsError
from otp_auth.accounts.models import PreferredMethod, User
from otp_auth.accounts.password_resets import void_resets
from otp_auth.accounts.repository import lock_owner
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail, Detail, record
from otp_auth.challenges.errors import TooManyAttemptsError, WrongAppCodeError
from otp_auth.challenges.guesses import AccountGuesses, refund_account_guess
from otp_auth.database import Database
from otp_auth.factors.authenticators import TotpMatch, TotpRepository, confirm, enrol, remove
from otp_auth.factors.failures import clear_failures
from otp_auth.factors.models import FactorKind, TotpAuthenticator
from otp_auth.factors.totp import Enrolment, Seeds, describe_enrolment, new_seed
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.trusted_devices import end_devices

_DETAIL = {"factor": FactorKind.TOTP.value}


async def enrol_app(database: Database, seeds: Seeds, issuer: str, user: User, session_id: UUID) -> Enrolment:
    """Make a seed for an app, in place of one that was never confirmed. It doesn't count before it is.

    Raises AppEnrolledError, and InvalidTokenError when the session ended meanwhile.
    """
    seed = new_seed()
    async with database.write() as tx:
        await lock_owner(tx, user.id, session_id)
        if not await enrol(tx, user.id, seeds.seal(seed, user.id)):
            raise AppEnrolledError
    return describe_enrolment(seed, issuer, user.phone_number)


async def confirm_app(
    database: Database,
    apps: TotpRepository,
    guesses: AccountGuesses,
    audit: AuditTrail,
    session: Session,
    code: str,
    network: str | None,
) -> TotpAuthenticator:
    """Let the app that shows this code count from now on. A guess is charged before anybody looks.

    Raises WrongCodeError, TooManyAttemptsError, NoAppWaitsError, AppReplacedError, and InvalidTokenError when
    the session has ended meanwhile.
    """
    waiting = await apps.find(session.user_id)
    if waiting is None or waiting.confirmed_at is not None:
        raise NoAppWaitsError
    try:
        match = await _judge(apps, guesses, waiting, code)
    except (WrongAppCodeError, TooManyAttemptsError) as refusal:
        detail = {"method": FactorKind.TOTP.value, "purpose": "enrolment", "reason": refusal.code}
        event, user_id = EventName.SECOND_FACTOR_FAILED, session.user_id
        await audit.record_refusal(
            event, user_id=user_id, session_id=session.id, network=network, detail=detail
        )
        raise
    async with database.write() as tx:
        confirmed = await _confirm(tx, match, session.id, network)
    # Raised only now: the code was right, and the guess is given back whoever was faster.
    if confirmed is None:
        raise AppReplacedError
    return confirmed


async def _judge(
    apps: TotpRepository, guesses: AccountGuesses, waiting: TotpAuthenticator, code: str
) -> TotpMatch:
    await guesses.take(waiting.user_id)
    match = apps.match_of(waiting, code)
    if match is None:
        raise WrongAppCodeError
    return match


async def remove_app(database: Database, session: Session, network: str | None) -> bool:
    """Forget the app. False when none counted. Raises InvalidTokenError when the session ended meanwhile."""
    async with database.write() as tx:
        await clear_failures(tx, session.user_id, FactorKind.TOTP)
        await lock_owner(tx, session.user_id, session.id)
        return await forget_app(tx, session.user_id, session_id=session.id, network=network)


async def forget_app(
    tx: AsyncSession,
    user_id: UUID,
    *,
    session_id: UUID | None = None,
    network: str | None = None,
    detail: Detail | None = None,
) -> bool:
    """Remove the app of a locked account, and all that rests on it. False when none counted."""
    if not await remove(tx, user_id):
        return False
    preferring = (User.id == user_id) & (User.preferred_method == PreferredMethod.TOTP)
    await tx.execute(update(User).where(preferring).values(preferred_method=PreferredMethod.SMS))
    event, told = EventName.FACTOR_REMOVED, {**_DETAIL, **(detail or {})}
    record(tx, event, user_id=user_id, session_id=session_id, network=network, detail=told)
    await _end_devices(tx, user_id, {"reason": event.value, **(detail or {})}, network)
    return True


async def _confirm(
    tx: AsyncSession, match: TotpMatch, session_id: UUID, network: str | None
) -> TotpAuthenticator | None:
    await refund_account_guess(tx, match.user_id)
    await clear_failures(tx, match.user_id, FactorKind.TOTP)
    await lock_owner(tx, match.user_id, session_id)
    confirmed = await confirm(tx, match)
    if confirmed is not None:
        event, user_id = EventName.FACTOR_ADDED, match.user_id
        record(tx, event, user_id=user_id, session_id=session_id, network=network, detail=_DETAIL)
        because = {"reason": event.value}
        await _end_devices(tx, user_id, because, network)
        # They began without a second proof, which the account demands from now on.
        await void_resets(tx, user_id, because, session_id=session_id, network=network)
    return confirmed


async def _end_devices(tx: AsyncSession, user_id: UUID, because: Detail, network: str | None) -> None:
    """They were trusted beside other factors than the account has now."""
    await end_devices(tx, TrustedDevice.user_id == user_id, network=network, detail=because)
