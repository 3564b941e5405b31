"""Codes of our own: six digits that hang on the challenge and the secret, and on nothing else."""

from collections import Counter
from uuid import UUID

import pytest

from otp_auth.challenges.codes import Codes
from otp_auth.identifiers import new_id

SECRET = "a-secret-of-the-tests-0123456789-abcdef"
CHALLENGE = UUID("01990c5e-7a10-7c3e-9d54-2f6b7f0e9a11")


def test_the_code_of_a_challenge_never_changes() -> None:
    # A worker of the next version must find the code that one of this version sent.
    assert Codes(SECRET).of(CHALLENGE) == "148571"


def test_another_challenge_or_secret_has_another_code() -> None:
    others = {Codes(SECRET).of(new_id()) for _ in range(50)}

    assert len(others) > 45
    assert Codes(SECRET + "!").of(CHALLENGE) != Codes(SECRET).of(CHALLENGE)


def test_codes_are_six_ascii_digits_and_evenly_spread() -> None:
    codes = [Codes(SECRET).of(UUID(int=number)) for number in range(20_000)]

    assert {len(code) for code in codes} == {6}
    assert set("".join(codes)) == set("0123456789")
    first_digits = Counter(code[0] for code in codes)
    assert all(1_800 < first_digits[digit] < 2_200 for digit in "0123456789")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0",
        "1234567",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "\x00",
        "\u0663\u0664\u0665\u0666\u0667\u0668",
        " VECTOR",
        "VECTOR\n",
    ],
)
def test_nothing_but_the_code_is_right(typed: str) -> None:
    codes = Codes(SECRET)

    assert codes.is_right(CHALLENGE, codes.of(CHALLENGE))
    assert not codes.is_right(CHALLENGE, typed.replace("VECTOR", codes.of(CHALLENGE)))
