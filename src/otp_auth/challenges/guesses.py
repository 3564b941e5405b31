"""Guess budgets: wrong codes of an account over phone and app, whatever is sent again or begun anew.

The windows are what bounds a guesser who knows the password; a challenge's own tries alone bound nothing.
Recovery codes are counted apart, in the same windows: nobody guesses one, and wrong codes of other factors
must not bar the way back. So are second proofs of a password reset: whoever has only the phone gets that far,
and must take nothing from what the owner logs in with.
Before a registration stands nobody's password: there the phone number has the windows of an account, the
network of the caller has its own, and all registrations share one. Narrow ones come first, and a refusal
takes nothing: whoever has used up a narrow one can't use up what everybody shares. The same holds before a
password reset, by the name that was typed. Of its account nothing is taken: no stranger shuts an owner out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.budgets import Budget, Charge
from otp_auth.challenges.errors import MethodNotOfferedError, TooManyAttemptsError
from otp_auth.challenges.guises import guise_of
from otp_auth.challenges.models import Challenge
from otp_auth.database import Database
from otp_auth.factors.failures import disabled_factors, note_failure
from otp_auth.factors.models import FactorKind
from otp_auth.settings import GuessSettings
from otp_auth.tokens.opaque import digest

PASSWORDLESS = "guesses:passwordless"


async def charge_guess(
    tx: AsyncSession,
    challenge: Challenge,
    factor: FactorKind,
    policy: GuessSettings,
    network: str | None = None,
) -> None:
    """Take a guess from the budgets before anybody looks at the code. Raises TooManyAttemptsError.

    The exception must roll the caller's transaction back. `network` is the caller's /24, or /64 of IPv6.
    """
    await _take(tx, _charges(challenge, factor, policy, network))


async def refund_guess(
    tx: AsyncSession, challenge: Challenge, factor: FactorKind, network: str | None = None
) -> None:
    """Give the guess back to every budget: the code was right, and only wrong ones count."""
    now = datetime.now(UTC)
    for key in _keys(challenge, factor, network):
        await budgets.refund(tx, key, now)


class AccountGuesses:
    """Guesses of an account at what has no challenge, such as the first code of an app: the same budget."""

    def __init__(self, database: Database, policy: GuessSettings) -> None:
        self._database = database
        self._policy = policy

    async def take(self, user_id: UUID) -> None:
        """Take a guess, committed before anybody looks at the code. Raises TooManyAttemptsError."""
        async with self._database.write() as tx:
            await _take(tx, _at_all_windows(_key_of(user_id), self._policy))


async def charge_reset_guess(tx: AsyncSession, user_id: UUID, policy: GuessSettings) -> None:
    """Take a guess at the second proof of a reset, and none of the account. Raises TooManyAttemptsError.

    Nothing is counted in a row either: the phone alone shuts off no factor of the owner.
    """
    await _take(tx, _at_all_windows(_key_at_reset(user_id), policy))


async def refund_reset_guess(tx: AsyncSession, user_id: UUID) -> None:
    """Give back what `charge_reset_guess` took: the code was right, or nobody looked at it."""
    await budgets.refund(tx, _key_at_reset(user_id), datetime.now(UTC))


async def count_in_a_row(
    tx: AsyncSession,
    user_id: UUID,
    factor: FactorKind,
    policy: GuessSettings,
    *,
    session_id: UUID | None = None,
    network: str | None = None,
) -> None:
    """Count a wrong code until it proves right; the last one that the cap allows shuts the factor off.

    Raises MethodNotOfferedError for one that is off.
    """
    if factor is FactorKind.RECOVERY_CODE:
        return  # nobody guesses one, and it is the way back: it is never shut off
    if await note_failure(tx, user_id, factor, policy.consecutive, datetime.now(UTC)):
        record(
            tx,
            EventName.FACTOR_DISABLED,
            user_id=user_id,
            session_id=session_id,
            network=network,
            detail={"factor": factor.value},
        )
    elif factor in await disabled_factors(tx, user_id):
        raise MethodNotOfferedError


async def refund_account_guess(tx: AsyncSession, user_id: UUID) -> None:
    """Give back what `AccountGuesses.take` took: the code was right."""
    await budgets.refund(tx, _key_of(user_id), datetime.now(UTC))


async def _take(tx: AsyncSession, charges: Sequence[Charge]) -> None:
    now = datetime.now(UTC)
    refused = await budgets.charge(tx, charges, now)
    if refused:
        opens_at = max(each.ends_at for each in refused)
        raise TooManyAttemptsError(retry_after=-int(-(opens_at - now).total_seconds() // 1))


def _key_of(user_id: UUID) -> str:
    return f"guesses:{user_id}"


def _key_at_reset(user_id: UUID) -> str:
    return f"guesses:reset:{user_id}"


def _keys(challenge: Challenge, factor: FactorKind, network: str | None) -> list[str]:
    """Return what a guess is counted for, narrow before broad: the order that rows are locked in."""
    if challenge.asker_id is not None:
        is_way_back = factor is FactorKind.RECOVERY_CODE
        return [f"guesses:recovery:{challenge.asker_id}" if is_way_back else _key_of(challenge.asker_id)]
    guise = guise_of(challenge)
    # Digests, so that no row holds somebody's number when its challenge is long gone.
    named = f"name:{guise.name_digest}" if guise else f"number:{digest(challenge.phone_number)}"
    return [f"guesses:{named}", *([f"guesses:network:{network}"] if network else []), PASSWORDLESS]


def _charges(
    challenge: Challenge, factor: FactorKind, policy: GuessSettings, network: str | None
) -> list[Charge]:
    whose, *shared = _keys(challenge, factor, network)
    own = _windows(policy)
    if challenge.asker_id is None:
        # Short ones: strangers must not bar a number for long. What else bounds them are the sends to it.
        own = own[:2]
    charges = [Charge(whose, budget) for budget in own]
    for key in shared:
        windows = _of_everybody(policy) if key == PASSWORDLESS else _of_a_network(policy)
        charges += [Charge(key, budget) for budget in windows]
    return charges


def _at_all_windows(key: str, policy: GuessSettings) -> list[Charge]:
    return [Charge(key, budget) for budget in _windows(policy)]


def _windows(policy: GuessSettings) -> list[Budget]:
    return [
        Budget(timedelta(minutes=5), policy.codes_5_minutes),
        Budget(timedelta(hours=1), policy.codes_hour),
        Budget(timedelta(days=1), policy.codes_day),
        Budget(timedelta(days=30), policy.codes_30_days),
    ]


def _of_a_network(policy: GuessSettings) -> list[Budget]:
    return [
        Budget(timedelta(minutes=5), policy.passwordless_address_5_minutes),
        Budget(timedelta(hours=1), policy.passwordless_address_hour),
    ]


def _of_everybody(policy: GuessSettings) -> list[Budget]:
    return [Budget(timedelta(days=1), policy.passwordless_day)]
