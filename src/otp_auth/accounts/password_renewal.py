"""A new password by a reset token: at once with a second proof, or held until the owner had time to say no.

Whoever comes here has proved one factor, the phone. That alone opens nothing at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import ProofRequiredError
from otp_auth.accounts.models import PasswordReset, User
from otp_auth.accounts.password_resets import hold, put_in_force, use_token
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail
from otp_auth.challenges.errors import (
    ChallengeClosedError,
    TooManyAttemptsError,
    WrongAppCodeError,
    WrongCodeError,
    WrongRecoveryCodeError,
)
from otp_auth.challenges.guesses import charge_reset_guess, refund_reset_guess
from otp_auth.challenges.repository import lock_open, of_account
from otp_auth.database import Database, again_after_conflict
from otp_auth.errors import OverloadedError
from otp_auth.factors.authenticators import TotpMatch, TotpRepository, has_app, use_step
from otp_auth.factors.failures import clear_failures, disabled_factors, enable_others
from otp_auth.factors.models import FactorKind
from otp_auth.factors.recovery_codes import RecoveryCodeRepository, use_recovery_code
from otp_auth.settings import GuessSettings


@dataclass(frozen=True)
class SecondProof:
    """What somebody shows beside the phone."""

    factor: FactorKind
    code: str
    match: TotpMatch | None = None  # what a right code of an app stands for, once that was judged


@dataclass(frozen=True)
class Renewing:
    """What it takes to set a new password."""

    database: Database
    hasher: PasswordHasher
    guesses: GuessSettings
    apps: TotpRepository
    recovery_codes: RecoveryCodeRepository
    audit: AuditTrail
    hold: timedelta  # of a reset without a second proof; 0: none
    network: str | None  # who asks


async def renew_password(
    renewing: Renewing, reset: PasswordReset, user: User, new_password: str, proof: SecondProof | None
) -> datetime | None:
    """Set the password, or let it wait. Returns until when it waits; None: it holds now.

    The token is used up by that alone: a wrong proof leaves it. Raises ChallengeClosedError,
    ProofRequiredError, WrongCodeError, TooManyAttemptsError, OverloadedError.
    """
    if reset.ended_at or reset.held_until or not user.holds(reset.password_version):
        raise ChallengeClosedError
    if proof is not None:
        await _renew_with_proof(renewing, reset, user, new_password, proof)
        return None
    async with renewing.database.read() as tx:
        if await has_app(tx, user.id):
            raise ProofRequiredError
    new_hash = await renewing.hasher.hash(new_password)
    if not renewing.hold:
        await _set(renewing, reset, new_hash, None)
        return None
    return await _hold(renewing, reset, new_hash)


async def _renew_with_proof(
    renewing: Renewing, reset: PasswordReset, user: User, new_password: str, proof: SecondProof
) -> None:
    try:
        judged = await _judge(renewing, user, proof)
        new_hash = await _hash(renewing, user, new_password)
        await _set(renewing, reset, new_hash, judged)
    except (WrongCodeError, TooManyAttemptsError) as refusal:
        detail = {"method": proof.factor.value, "purpose": "password_reset", "reason": refusal.code}
        await renewing.audit.record_refusal(
            EventName.SECOND_FACTOR_FAILED, user_id=user.id, network=renewing.network, detail=detail
        )
        raise


async def _judge(renewing: Renewing, user: User, proof: SecondProof) -> SecondProof:
    """Return the proof if its code is right; a guess was charged before. Nothing of it is used up yet."""
    await _charge(renewing, user)
    if proof.factor is FactorKind.TOTP:
        match = await renewing.apps.match(user.id, proof.code)
        if match is None or await _is_off(renewing, user, proof.factor):
            raise WrongAppCodeError
        return SecondProof(proof.factor, proof.code, match)
    if not await renewing.recovery_codes.is_unused(user.id, proof.code):
        raise WrongRecoveryCodeError
    return proof


async def _charge(renewing: Renewing, user: User) -> None:
    async with renewing.database.write() as tx:
        await charge_reset_guess(tx, user.id, renewing.guesses)
        if await lock_user(tx, user.id) is None:  # deleted meanwhile: no count of it may stay
            raise ChallengeClosedError


async def _is_off(renewing: Renewing, user: User, factor: FactorKind) -> bool:
    """Whether too many wrong codes at logins have shut it off."""
    async with renewing.database.read() as tx:
        return factor in await disabled_factors(tx, user.id)


async def _hash(renewing: Renewing, user: User, new_password: str) -> str:
    try:
        return await renewing.hasher.hash(new_password)
    except OverloadedError:  # the code was right, and is still unused
        async with renewing.database.write() as tx:
            await refund_reset_guess(tx, user.id)
        raise


@again_after_conflict
async def _set(renewing: Renewing, reset: PasswordReset, new_hash: str, proof: SecondProof | None) -> None:
    """Use up token and proof and write the password, all or nothing. Of parallel ones one wins."""
    async with renewing.database.write() as tx:
        # Locked in the order of all who lock: challenges, guesses, counts in a row, account, factors.
        challenges = await lock_open(tx, of_account(reset.user_id))
        if proof is not None:
            await _settle(tx, reset, proof)
        user = await lock_user(tx, reset.user_id)
        is_won = user is not None and user.holds(reset.password_version) and await use_token(tx, reset)
        if user is not None and is_won:
            if proof is not None and not await _spend(tx, user, proof):
                # Used meanwhile: all is undone.
                raise WrongAppCodeError if proof.match else WrongRecoveryCodeError
            await put_in_force(tx, user, new_hash, challenges, renewing.network)
    # Raised only now: the code was right, and the guess is given back whoever was faster.
    if not is_won:
        raise ChallengeClosedError


async def _settle(tx: AsyncSession, reset: PasswordReset, proof: SecondProof) -> None:
    """A right code costs no guess, begins its count anew and brings back what is shut off, as at a login."""
    await refund_reset_guess(tx, reset.user_id)
    await clear_failures(tx, reset.user_id, proof.factor)
    await enable_others(tx, reset.user_id, proof.factor)


async def _spend(tx: AsyncSession, user: User, proof: SecondProof) -> bool:
    if proof.match is not None:
        return await use_step(tx, proof.match)
    return await use_recovery_code(tx, user.id, proof.code)


@again_after_conflict
async def _hold(renewing: Renewing, reset: PasswordReset, new_hash: str) -> datetime:
    until = datetime.now(UTC) + renewing.hold
    async with renewing.database.write() as tx:
        user = await lock_user(tx, reset.user_id)
        may_wait = user is not None and user.holds(reset.password_version)
        if not may_wait or not await hold(tx, reset, new_hash, until, renewing.network):
            raise ChallengeClosedError
    return until
