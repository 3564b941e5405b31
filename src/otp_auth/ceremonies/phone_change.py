"""Phone change: a present factor was proved of late, and now the new number answers (SP 800-63B-4 4.1.2)."""

from datetime import UTC, datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import AccountExistsError, SameNumberError
from otp_auth.accounts.models import User
from otp_auth.accounts.password_resets import void_resets
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.ceremonies.outcomes import PhoneChanged
from otp_auth.ceremonies.proof import Proof
from otp_auth.ceremonies.start import Begun, Claim, start_ceremony
from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending, require_reachable
from otp_auth.errors import AuthError
from otp_auth.factors.failures import clear_failures
from otp_auth.factors.models import FactorKind
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.sending.shield import note_account
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.trusted_devices import end_devices
from otp_auth.settings import ChallengeSettings, SessionPolicy


async def start_phone_change(
    sending: Sending,
    policy: ChallengeSettings,
    user: User,
    session: Session,
    phone_number: str,
    method: Channel | None,
    accept_language: str | None,
) -> Begun:
    """Send a code to the new number, the same for one that is taken. The challenge dies with the session.

    Raises SameNumberError, DestinationRefusedError, MethodNotOfferedError, and
    InvalidTokenError when the session has ended meanwhile.
    """
    if phone_number == user.phone_number:
        raise SameNumberError
    await require_reachable(sending, phone_number, method, user.id, session.id)
    claim = Claim(
        purpose=Purpose.PHONE_CHANGE,
        phone_number=phone_number,
        user_id=user.id,
        session_id=session.id,
        password_version=user.password_version,
        accept_language=user.locale or accept_language,
    )
    channel = method or channels_for(phone_number, sending.policy)[0]
    return await start_ceremony(sending, policy, claim, channel)


async def complete_phone_change(
    tx: AsyncSession, challenge: Challenge, proof: Proof, _policy: SessionPolicy
) -> PhoneChanged | AuthError:
    """Put the new number in the place of the old one, and end what rests on that; sessions go on.

    The first to prove a number has it.
    """
    if challenge.user_id is None:
        return ChallengeClosedError()
    await clear_failures(tx, challenge.user_id, FactorKind.PHONE)  # those were of another phone
    user = await lock_user(tx, challenge.user_id)
    if user is None or not user.holds(challenge.password_version):
        return ChallengeClosedError()
    old, now = user.phone_number, datetime.now(UTC)
    changed = await _take_number(tx, user, challenge.phone_number, now)
    if changed is None:
        return AccountExistsError()
    await note_account(tx, changed.phone_number, now)
    network, because = proof.client.network, {"reason": EventName.PHONE_CHANGED.value}
    await end_devices(tx, TrustedDevice.user_id == user.id, network=network, detail=because)
    await void_resets(tx, user.id, because, session_id=challenge.session_id, network=network)
    record(
        tx,
        EventName.PHONE_CHANGED,
        user_id=user.id,
        session_id=challenge.session_id,
        network=network,
        detail={"old_ends_in": old[-2:], "new_ends_in": changed.phone_number[-2:]},
    )
    return PhoneChanged(changed)


async def _take_number(tx: AsyncSession, user: User, phone_number: str, now: datetime) -> User | None:
    """Write the number; None when it is somebody's. The savepoint keeps the transaction usable."""
    statement = (
        update(User)
        .where(User.id == user.id)
        .values(phone_number=phone_number, phone_verified_at=now)
        .returning(User)
        .execution_options(populate_existing=True)
    )
    try:
        async with tx.begin_nested():
            changed: User | None = await tx.scalar(statement)
    except IntegrityError:
        return None
    return changed
