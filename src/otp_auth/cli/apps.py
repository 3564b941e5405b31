"""What `otp-auth doctor` says of authenticator apps: whether their seeds open, and the odds of guessing."""

from collections import Counter
from collections.abc import Iterator

from otp_auth.cli.findings import Finding, note, unsafe
from otp_auth.factors.totp import DIGITS, TOLERANCE
from otp_auth.odds import guesses_a_year, takeover_odds
from otp_auth.sealing import new_sealer
from otp_auth.settings import Settings

GOOD_AT_ONCE = 2 * TOLERANCE + 1  # codes of so many steps are taken at any moment


def app_findings(seeds_by_key: Counter[str], settings: Settings) -> Iterator[Finding]:
    """Say what an operator must know; nothing while nobody has an app."""
    sealer = new_sealer(settings)
    lost = sum(count for key, count in seeds_by_key.items() if not sealer.knows(key))
    earlier = seeds_by_key.total() - lost - seeds_by_key[sealer.key_id]
    if lost:
        yield unsafe(
            f"{lost} authenticator apps can't be used: another secret has sealed their seeds; add it to "
            "OTP_AUTH_PREVIOUS_SECRET_KEYS"
        )
    if earlier:
        yield note(
            f"{earlier} seeds of authenticator apps are sealed by an earlier secret: keep "
            "OTP_AUTH_PREVIOUS_SECRET_KEYS until a running service has sealed them anew"
        )
    if seeds_by_key:
        odds = _odds(settings)
        yield note(
            f"of an account with an authenticator app the odds within a year are {odds:.2g}: "
            f"{GOOD_AT_ONCE} of {10**DIGITS:,} codes are good at any moment"
        )


def _odds(settings: Settings) -> float:
    guesses = guesses_a_year(settings.guesses)
    return takeover_odds(guesses, 10**DIGITS // GOOD_AT_ONCE, settings.challenge.attempts)
