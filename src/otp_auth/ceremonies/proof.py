"""The one way a ceremony ends: a proof is judged, the challenge is spent, the claim becomes true."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.models import User
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import AuditTrail
from otp_auth.challenges.errors import (
    ChallengeClosedError,
    MethodNotOfferedError,
    NoCodeYetError,
    WrongCodeError,
)
from otp_auth.challenges.judging import Judges, judge_phone_code, require_judge, take_attempt
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.repository import ChallengeRepository, spend
from otp_auth.database import Database
from otp_auth.errors import AuthError
from otp_auth.factors.models import FactorKind
from otp_auth.factors.recovery_codes import RecoveryCodeRepository, use_recovery_code
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.sessions.repository import OpenedSession
from otp_auth.settings import SendSettings, TokenSettings

TWO_FACTORS = "aal2"  # the `acr` of a password and a code (SP 800-63B-4 2.2)


class Factor(StrEnum):
    """What may prove a challenge: a channel to the phone, or another factor of the account."""

    SMS = "sms"
    VOICE = "voice"
    FLASHCALL = "flashcall"
    WHATSAPP = "whatsapp"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


# RFC 8176 has a value for text messages and one for calls; any other one-time code is `otp`.
AMR = {
    Factor.SMS: "sms",
    Factor.VOICE: "tel",
    Factor.FLASHCALL: "tel",
    Factor.WHATSAPP: "otp",
    Factor.TOTP: "otp",
    Factor.RECOVERY_CODE: "otp",
}


@dataclass(frozen=True)
class Proof:
    """What somebody shows to prove a challenge."""

    factor: Factor
    code: str
    network: str | None  # where it comes from

    @property
    def kind(self) -> FactorKind:
        """All channels to the phone are one factor."""
        return FactorKind.RECOVERY_CODE if self.factor is Factor.RECOVERY_CODE else FactorKind.PHONE

    @property
    def amr(self) -> list[str]:
        """The methods of a session that a password and this proof open."""
        return ["pwd", AMR[self.factor], "mfa"]


@dataclass(frozen=True)
class Authenticated:
    """A person is in: full tokens may be issued."""

    user: User
    opened: OpenedSession
    recovery_codes: list[str] | None = None


Completion = Callable[[AsyncSession, Challenge, Proof, TokenSettings], Awaitable[Authenticated | AuthError]]


@dataclass(frozen=True)
class Prover:
    """What it takes to prove a challenge."""

    database: Database
    challenges: ChallengeRepository
    recovery_codes: RecoveryCodeRepository
    judges: Judges
    audit: AuditTrail
    send_policy: SendSettings
    session_policy: TokenSettings
    completions: Mapping[Purpose, Completion]


async def prove(
    prover: Prover, challenge: Challenge, code: str, factor: Factor | None, network: str | None
) -> Authenticated:
    """Judge a code and, if it is right, make the claim true once.

    Raises WrongCodeError, TooManyAttemptsError, ChallengeClosedError, MethodNotOfferedError,
    ProviderUnavailableError, and what the completion of the purpose refuses.
    """
    factors = await factors_taken(prover.recovery_codes, prover.send_policy, challenge)
    proof = Proof(factor or _of_phone(prover.send_policy, challenge), code, network)
    if proof.factor not in factors:
        raise MethodNotOfferedError
    if proof.kind is FactorKind.PHONE and not challenge.may_have_a_code:
        raise NoCodeYetError(attempts_left=challenge.attempts_left)
    if proof.kind is FactorKind.PHONE:
        require_judge(prover.judges, challenge)
    attempted = await take_attempt(prover.challenges, challenge.id, proof.kind, network)
    try:
        await _judge(prover, attempted, proof)
    except WrongCodeError:
        await _tell_owner(prover, attempted, proof)
        raise
    return await _complete(prover, attempted.id, proof)


async def factors_taken(
    recovery_codes: RecoveryCodeRepository, policy: SendSettings, challenge: Challenge
) -> list[Factor]:
    """What this challenge takes as proof, the phone first: by the channel of the code that is alive.

    Without a factor that too many wrong codes have shut off.
    """
    factors = [_of_phone(policy, challenge)]
    owner = challenge.user_id if challenge.purpose is Purpose.LOGIN else None
    if owner is None:
        return factors
    disabled = await recovery_codes.disabled(owner)
    if FactorKind.PHONE in disabled:
        factors.clear()
    if FactorKind.RECOVERY_CODE not in disabled and await recovery_codes.count_unused(owner):
        factors.append(Factor.RECOVERY_CODE)
    return factors


def _of_phone(policy: SendSettings, challenge: Challenge) -> Factor:
    """The channel of the code that is alive, or else the best one for the number."""
    channels = channels_for(challenge.phone_number, policy) or [Channel(policy.methods[0])]
    return Factor((challenge.verification_method or challenge.method or channels[0]).value)


async def _tell_owner(prover: Prover, challenge: Challenge, proof: Proof) -> None:
    """Somebody knows the password and guesses at the code: its owner can read so."""
    await prover.audit.record_alone(
        EventName.SECOND_FACTOR_FAILED,
        user_id=challenge.user_id,
        network=proof.network,
        detail={"method": proof.factor.value, "purpose": challenge.purpose.value},
    )


async def _judge(prover: Prover, challenge: Challenge, proof: Proof) -> None:
    if proof.kind is FactorKind.PHONE:
        await judge_phone_code(prover.judges, challenge, proof.code)
    elif challenge.user_id is None or not await prover.recovery_codes.is_unused(
        challenge.user_id, proof.code
    ):
        raise WrongCodeError(attempts_left=challenge.attempts_left)


async def _complete(prover: Prover, challenge_id: UUID, proof: Proof) -> Authenticated:
    """Spend the challenge in the transaction that writes what follows. Zero rows: somebody else won."""
    async with prover.database.write() as tx:
        challenge = await spend(tx, challenge_id, proof.kind, proof.network)
        if challenge is None:
            raise ChallengeClosedError
        if not await _spend_factor(tx, challenge, proof):
            # Rolled back: somebody used this recovery code first, and the challenge is still open.
            raise WrongCodeError(attempts_left=challenge.attempts_left)
        outcome = await prover.completions[challenge.purpose](tx, challenge, proof, prover.session_policy)
        challenge.payload = None
    # Raised only now: a refusal must not undo that the challenge is spent.
    if isinstance(outcome, AuthError):
        raise outcome
    return outcome


async def _spend_factor(tx: AsyncSession, challenge: Challenge, proof: Proof) -> bool:
    if proof.kind is FactorKind.PHONE:
        return True
    return challenge.user_id is not None and await use_recovery_code(tx, challenge.user_id, proof.code)
