"""The arithmetic of guessing, against numbers worked out by hand."""

import pytest

from otp_auth.odds import (
    OUR_CODES,
    SINCH_ALPHANUMERIC_CODES,
    SINCH_NUMERIC_CODES,
    guessed_registrations,
    guesses_a_year,
    takeover_odds,
)
from otp_auth.settings import GuessSettings

NO_LIMIT = 10**9


def policy(**limits: int) -> GuessSettings:
    windows = ("codes_5_minutes", "codes_hour", "codes_day", "codes_30_days")
    return GuessSettings(**dict.fromkeys(windows, NO_LIMIT) | limits)


@pytest.mark.parametrize(
    ("limits", "guesses"),
    [
        pytest.param({"codes_5_minutes": 1}, 105_120, id="5 minutes"),
        pytest.param({"codes_hour": 2}, 17_520, id="hour"),
        pytest.param({"codes_day": 50}, 18_250, id="day"),
        pytest.param({"codes_30_days": 30}, 365, id="30 days"),
        pytest.param({"codes_5_minutes": 5, "codes_hour": 20, "codes_day": 50}, 18_250, id="the tightest"),
    ],
)
def test_a_year_has_as_many_guesses_as_its_tightest_window(limits: dict[str, int], guesses: int) -> None:
    assert guesses_a_year(policy(**limits)) == pytest.approx(guesses)


@pytest.mark.parametrize(
    ("guesses", "codes", "tries", "odds"),
    [
        pytest.param(3, SINCH_NUMERIC_CODES, 3, 3e-4, id="one challenge"),
        pytest.param(3, OUR_CODES, 3, 3e-6, id="one challenge of six digits"),
        pytest.param(10_950, SINCH_NUMERIC_CODES, 3, 0.666, id="ten challenges a day"),
        pytest.param(10_950, OUR_CODES, 3, 0.011, id="ten challenges a day of six digits"),
        pytest.param(18_250, SINCH_NUMERIC_CODES, 3, 0.84, id="fifty guesses a day"),
        pytest.param(50, OUR_CODES, 3, 5e-5, id="fifty in a row"),
        pytest.param(1, SINCH_NUMERIC_CODES, 3, 1e-4, id="fewer guesses than tries"),
        pytest.param(50, 10, 20, 1.0, id="more tries than codes"),
        pytest.param(NO_LIMIT, OUR_CODES, 3, 1.0, id="no limit at all"),
    ],
)
def test_odds(guesses: float, codes: int, tries: int, odds: float) -> None:
    assert takeover_odds(guesses, codes, tries) == pytest.approx(odds, rel=0.02)


def test_the_defaults_are_within_their_own_limit() -> None:
    defaults = GuessSettings()
    guesses = guesses_a_year(defaults)

    assert guesses == pytest.approx(973.3, abs=0.1)
    assert takeover_odds(guesses, OUR_CODES, 3) == pytest.approx(0.00097, abs=1e-5)
    assert takeover_odds(guesses, OUR_CODES, 3) <= defaults.yearly_odds
    assert takeover_odds(guesses, SINCH_ALPHANUMERIC_CODES, 3) <= defaults.yearly_odds
    assert takeover_odds(guesses, SINCH_NUMERIC_CODES, 3) == pytest.approx(0.093, abs=1e-3)


def test_registrations_that_are_guessed() -> None:
    assert guessed_registrations(GuessSettings(), OUR_CODES) == pytest.approx(0.365)
    assert guessed_registrations(GuessSettings(), SINCH_NUMERIC_CODES) == pytest.approx(36.5)
