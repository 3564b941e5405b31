"""Guess budgets: wrong codes of an account over all its factors, whatever is sent again or begun anew.

The windows are what bounds a guesser who knows the password; a challenge's own tries alone bound nothing.
Registrations share one budget of the whole service, since nobody's password stands before them.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.budgets import Budget, Charge
from otp_auth.challenges.errors import TooManyAttemptsError
from otp_auth.challenges.models import Challenge
from otp_auth.settings import GuessSettings

PASSWORDLESS = "guesses:passwordless"


async def charge_guess(tx: AsyncSession, challenge: Challenge, policy: GuessSettings) -> None:
    """Take a guess from the budgets before anybody looks at the code. Raises TooManyAttemptsError."""
    now = datetime.now(UTC)
    charges = [Charge(_key(challenge), budget) for budget in _budgets(challenge, policy)]
    refused = await budgets.charge(tx, charges, now)
    if refused:
        opens_at = max(each.ends_at for each in refused)
        raise TooManyAttemptsError(retry_after=-int(-(opens_at - now).total_seconds() // 1))


async def refund_guess(tx: AsyncSession, challenge: Challenge) -> None:
    """Give the guess back: the code was right, and only wrong ones count."""
    await budgets.refund(tx, _key(challenge), datetime.now(UTC))


def _key(challenge: Challenge) -> str:
    return f"guesses:{challenge.user_id}" if challenge.user_id else PASSWORDLESS


def _budgets(challenge: Challenge, policy: GuessSettings) -> list[Budget]:
    if challenge.user_id is None:
        return [Budget(timedelta(days=1), policy.passwordless_day)]
    return [
        Budget(timedelta(minutes=5), policy.codes_5_minutes),
        Budget(timedelta(hours=1), policy.codes_hour),
        Budget(timedelta(days=1), policy.codes_day),
        Budget(timedelta(days=30), policy.codes_30_days),
    ]
