"""The odds of guessing codes, from how many guesses the budgets let through and how many codes there are."""

import math
from datetime import timedelta

from otp_auth.settings import GuessSettings

YEAR = timedelta(days=365)

# How many codes there are.
OUR_CODES = 10**6  # six digits
SINCH_NUMERIC_CODES = 10**4  # four digits are usual
SINCH_ALPHANUMERIC_CODES = 36**4


def guesses_a_year(policy: GuessSettings) -> float:
    """How many wrong codes an account's windows let through in a year: as many as the tightest of them."""
    return min(
        policy.codes_5_minutes * (YEAR / timedelta(minutes=5)),
        policy.codes_hour * (YEAR / timedelta(hours=1)),
        policy.codes_day * (YEAR / timedelta(days=1)),
        policy.codes_30_days * (YEAR / timedelta(days=30)),
    )


def takeover_odds(guesses: float, codes: int, tries: int) -> float:
    """The odds that one of so many guesses is right, for somebody who has the password.

    Each challenge has a code of its own and takes so many `tries`, which a guesser makes different ones.
    """
    at_once = min(tries, guesses, codes)
    return 1 - math.pow(1 - at_once / codes, guesses / at_once)


def guessed_registrations(policy: GuessSettings, codes: int) -> float:
    """How many registrations of other people's numbers a year lets expect, in the whole service."""
    return policy.passwordless_day * (YEAR / timedelta(days=1)) / codes
