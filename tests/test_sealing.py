"""Secrets sealed at rest: by the present secret, opened by earlier ones, for one context alone."""

from collections.abc import Callable

import pytest

from otp_auth.sealing import CannotOpenError, Sealer

SECRET, EARLIER = "the-present-secret-0123456789-abcdef", "an-earlier-secret-0123456789-abcdef"
SEED = b"twenty bytes of seed"


def test_what_was_sealed_opens_again() -> None:
    sealer = Sealer(SECRET)

    sealed = sealer.seal(SEED, "ada")

    assert sealer.open(sealed, "ada") == SEED
    assert SEED.hex() not in sealed
    assert sealed != sealer.seal(SEED, "ada")


def test_an_earlier_secret_still_opens_and_the_present_one_seals() -> None:
    before = Sealer(EARLIER).seal(SEED, "ada")
    sealer = Sealer(SECRET, previous=[EARLIER])

    assert sealer.open(before, "ada") == SEED
    assert not sealer.is_present(before)
    anew = sealer.seal(SEED, "ada")
    assert sealer.is_present(anew)
    assert Sealer(SECRET).open(anew, "ada") == SEED


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(
            lambda sealed: sealed[:-5] + ("B" if sealed[-5] == "A" else "A") + sealed[-4:], id="a bit"
        ),
        pytest.param(lambda sealed: f"00000000{sealed[8:]}", id="an unknown key"),
        pytest.param(lambda sealed: sealed[:9], id="nothing"),
        pytest.param(lambda sealed: sealed.replace(".", ""), id="no key"),
        pytest.param(lambda _sealed: "", id="empty"),
    ],
)
def test_what_is_damaged_does_not_open(damage: Callable[[str], str]) -> None:
    sealer = Sealer(SECRET)

    with pytest.raises(CannotOpenError):
        sealer.open(damage(sealer.seal(SEED, "ada")), "ada")


def test_it_opens_for_nobody_else() -> None:
    sealer = Sealer(SECRET)

    with pytest.raises(CannotOpenError):
        sealer.open(sealer.seal(SEED, "ada"), "eve")
