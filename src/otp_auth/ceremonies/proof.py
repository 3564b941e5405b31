"""The one way a ceremony ends: a proof is judged, the challenge is spent, the claim becomes true."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import User
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail
from otp_auth.ceremonies.methods import AMR, OTHER_FACTORS, Factor, default_factor, factors_taken
from otp_auth.ceremonies.outcomes import Authenticated, Outcome, PhoneChanged
from otp_auth.ceremonies.start import PASSWORD_IS_LONG
from otp_auth.challenges.errors import (
    ChallengeClosedError,
    MethodNotOfferedError,
    NoCodeYetError,
    TooManyAttemptsError,
    WrongAppCodeError,
    WrongCodeError,
    WrongRecoveryCodeError,
)
from otp_auth.challenges.judging import Judges, judge_phone_code, require_judge, take_attempt
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.repository import ChallengeRepository, close, lock_open, of_account, spend
from otp_auth.database import Database, again_after_conflict
from otp_auth.errors import AuthError
from otp_auth.factors.authenticators import TotpMatch, TotpRepository, use_step
from otp_auth.factors.enrolled import FactorRepository
from otp_auth.factors.models import FactorKind
from otp_auth.factors.recovery_codes import RecoveryCodeRepository, use_recovery_code
from otp_auth.sending.errors import ProviderUnavailableError
from otp_auth.sessions.clients import Client
from otp_auth.sessions.opening import Assurance, OpenedSession, Owner, open_session
from otp_auth.sessions.trusted_devices import DeviceTrust, trust_device
from otp_auth.settings import SendSettings, SessionPolicy

TWO_FACTORS = "aal2"  # the `acr` of a password and a code (SP 800-63B-4 2.2)


@dataclass(frozen=True)
class Proof:
    """What somebody shows to prove a challenge."""

    factor: Factor
    code: str
    client: Client  # where it comes from
    match: TotpMatch | None = None  # what a right code of an app stands for, once that was judged
    trusts_device: bool = False  # whether the device shall need no code from now on

    @property
    def kind(self) -> FactorKind:
        """All channels to the phone are one factor."""
        return OTHER_FACTORS.get(self.factor, FactorKind.PHONE)

    @property
    def amr(self) -> list[str]:
        """The methods of a session that a password and this proof open."""
        return self.added_to(["pwd"])

    def added_to(self, proved: Sequence[str]) -> list[str]:
        """The methods of whoever had proved these, and now this; each once."""
        return list(dict.fromkeys([*proved, AMR[self.factor], "mfa"]))


Completion = Callable[[AsyncSession, Challenge, Proof, SessionPolicy], Awaitable[Outcome | AuthError]]


@dataclass(frozen=True)
class Prover:
    """What it takes to prove a challenge."""

    database: Database
    challenges: ChallengeRepository
    factors: FactorRepository
    recovery_codes: RecoveryCodeRepository
    apps: TotpRepository
    judges: Judges
    audit: AuditTrail
    send_policy: SendSettings
    session_policy: SessionPolicy
    trust: DeviceTrust
    completions: Mapping[Purpose, Completion]


async def prove(
    prover: Prover,
    challenge: Challenge,
    code: str,
    factor: Factor | None,
    client: Client,
    *,
    trusts_device: bool = False,
) -> Outcome:
    """Judge a code and, if it is right, make the claim true once.

    Raises WrongCodeError, TooManyAttemptsError, ChallengeClosedError, MethodNotOfferedError,
    ProviderUnavailableError, and what the completion of the purpose refuses.
    """
    factors = await factors_taken(prover.factors, prover.send_policy, challenge)
    by = factor or default_factor(factors, prover.send_policy, challenge)
    proof = Proof(by, code, client, trusts_device=trusts_device)
    if proof.factor not in factors:
        raise MethodNotOfferedError
    if proof.kind is FactorKind.PHONE and not challenge.may_have_a_code:
        raise NoCodeYetError(attempts_left=challenge.attempts_left)
    if proof.kind is FactorKind.PHONE and challenge.purpose is not Purpose.PASSWORD_RESET:
        require_judge(prover.judges, challenge)
    try:
        attempted = await take_attempt(prover.challenges, challenge.id, proof.kind, client.network)
        judged = await _judge(prover, attempted, proof)
        return await _complete(prover, attempted, judged)
    except (WrongCodeError, TooManyAttemptsError) as refusal:
        await _tell_owner(prover, challenge, proof, refusal)
        raise


async def _tell_owner(prover: Prover, challenge: Challenge, proof: Proof, refusal: AuthError) -> None:
    """Somebody guesses at the code, mostly with the password or a session: its owner can read so."""
    await prover.audit.record_refusal(
        EventName.SECOND_FACTOR_FAILED,
        user_id=challenge.user_id,
        session_id=challenge.session_id,
        network=proof.client.network,
        detail={
            "method": proof.factor.value,
            "purpose": challenge.purpose.value,
            "reason": refusal.code,
        },
        apart="" if challenge.asker_id else challenge.purpose.value,
    )


async def _judge(prover: Prover, challenge: Challenge, proof: Proof) -> Proof:
    """Return the proof, if its code is right. Nothing of it is used up yet."""
    if proof.kind is FactorKind.PHONE:
        await _judge_phone_code(prover, challenge, proof.code)
    elif proof.kind is FactorKind.TOTP:
        match = await prover.apps.match(challenge.user_id, proof.code) if challenge.user_id else None
        if match is None:
            raise WrongAppCodeError(attempts_left=challenge.attempts_left)
        return replace(proof, match=match)
    elif challenge.user_id is None or not await prover.recovery_codes.is_unused(
        challenge.user_id, proof.code
    ):
        raise WrongRecoveryCodeError(attempts_left=challenge.attempts_left)
    return proof


async def _judge_phone_code(prover: Prover, challenge: Challenge, code: str) -> None:
    try:
        await judge_phone_code(prover.judges, challenge, code)
    except ProviderUnavailableError:
        if challenge.purpose is not Purpose.PASSWORD_RESET:
            raise
        # Of a message that never was Sinch isn't asked in each case: an outage would tell the two apart.
        raise WrongCodeError(attempts_left=challenge.attempts_left) from None


@again_after_conflict
async def _complete(prover: Prover, attempted: Challenge, proof: Proof) -> Outcome:
    """Spend the challenge in the transaction that writes what follows. Zero rows: somebody else won."""
    async with prover.database.write() as tx:
        ending = await _lock_what_may_end(tx, attempted)
        challenge = await spend(tx, attempted.id, proof.kind, proof.client.network)
        if challenge is None:
            raise ChallengeClosedError
        if not await _spend_factor(tx, challenge, proof):
            # Rolled back: somebody used this code first, and the challenge is still open.
            wrong = WrongAppCodeError if proof.kind is FactorKind.TOTP else WrongRecoveryCodeError
            raise wrong(attempts_left=challenge.attempts_left)
        outcome = await prover.completions[challenge.purpose](tx, challenge, proof, prover.session_policy)
        if isinstance(outcome, Authenticated) and _may_trust(prover.trust, challenge, proof):
            outcome = await _trust(tx, prover.trust, outcome, proof.client)
        challenge.payload = None
        if isinstance(outcome, PhoneChanged):
            await close(tx, Challenge.id.in_(ending))
    # Raised only now: a refusal must not undo that the challenge is spent.
    if isinstance(outcome, AuthError):
        raise outcome
    return outcome


def _may_trust(trust: DeviceTrust, challenge: Challenge, proof: Proof) -> bool:
    """Say whether the device is wanted and may be trusted: by no recovery code, for no short password."""
    is_long = (challenge.payload or {}).get(PASSWORD_IS_LONG) is True
    is_recovery = proof.kind is FactorKind.RECOVERY_CODE
    return trust.policy.enabled and proof.trusts_device and is_long and not is_recovery


async def _trust(
    tx: AsyncSession, trust: DeviceTrust, outcome: Authenticated, client: Client
) -> Authenticated:
    owner = Owner(outcome.user.id, outcome.user.password_version)
    return replace(outcome, device_token=await trust_device(tx, owner, outcome.opened, client, trust))


async def _lock_what_may_end(tx: AsyncSession, attempted: Challenge) -> Sequence[UUID]:
    """A new number ends every challenge of its account: locked before this one is spent, the newest first."""
    if attempted.purpose is not Purpose.PHONE_CHANGE:
        return ()
    return await lock_open(tx, of_account(attempted.user_id))


async def _spend_factor(tx: AsyncSession, challenge: Challenge, proof: Proof) -> bool:
    if proof.kind is FactorKind.PHONE:
        return True
    # Locked first, as where factors are changed: the other way round the two would wait for each other.
    user = await lock_user(tx, challenge.user_id)
    if user is None:
        return False
    if proof.kind is FactorKind.TOTP:
        return proof.match is not None and await use_step(tx, proof.match)
    return await use_recovery_code(tx, user.id, proof.code)


async def let_in(tx: AsyncSession, user: User, proof: Proof, policy: SessionPolicy) -> OpenedSession:
    """Open the session that a password and this proof have earned."""
    owner = Owner(user.id, user.password_version)
    return await open_session(tx, owner, Assurance(proof.amr, TWO_FACTORS), proof.client, policy)
