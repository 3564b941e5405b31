"""Tokens of trusted devices: what is ours is known, what isn't is told apart."""

from uuid import UUID

import pytest

from otp_auth.tokens.device_tokens import DeviceTokens
from otp_auth.tokens.opaque import digest

OURS = DeviceTokens("a-secret-of-the-tests")
# Not made up anew: the names of tests have to be the same in every process.
DEVICE, SECRET = UUID("0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d"), "kq03M8WxFyu9h421HkTcTXdADr0p3rjIxRF5IDTIfvU"
TOKEN = OURS.write(DEVICE, SECRET)


def test_what_is_written_can_be_read() -> None:
    shown = OURS.read(TOKEN)

    assert shown is not None
    assert (shown.device_id, shown.text, shown.is_ours) == (DEVICE, TOKEN, True)
    assert shown.digest == digest(TOKEN)
    assert len(TOKEN) <= 512


@pytest.mark.parametrize("place", [0, 40, len(TOKEN) - 1], ids=["device", "secret", "mark"])
def test_a_token_with_one_sign_changed_is_not_ours(place: int) -> None:
    other = "0" if TOKEN[place] != "0" else "1"
    shown = OURS.read(TOKEN[:place] + other + TOKEN[place + 1 :])

    assert shown is not None
    assert not shown.is_ours


def test_marks_of_earlier_secrets_hold_and_those_of_others_do_not() -> None:
    later, other = DeviceTokens("another", ["a-secret-of-the-tests"]), DeviceTokens("another")

    assert [bool((shown := each.read(TOKEN)) and shown.is_ours) for each in (later, other)] == [True, False]
    assert later.write(DEVICE, SECRET) == other.write(DEVICE, SECRET) != TOKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "garbage",
        SECRET,
        TOKEN + ".",
        "." + TOKEN,
        TOKEN.upper(),
        TOKEN.replace(DEVICE.hex, str(DEVICE)),
        TOKEN.replace(DEVICE.hex, "{" + DEVICE.hex + "}"),
        TOKEN.replace(DEVICE.hex, DEVICE.hex[:15] + "_" + DEVICE.hex[16:]),
        "\uff10" * 32 + f".{SECRET}.0",
        f"{DEVICE.hex}\n.{SECRET}.0",
        "\ud800\0" * 16,
        f" {TOKEN}",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert OURS.read(text) is None


def test_a_token_is_found_again_by_its_digest() -> None:
    later, other = DeviceTokens("another", ["a-secret-of-the-tests"]), DeviceTokens("another")

    assert [each.find(DEVICE, SECRET, digest(TOKEN)) for each in (OURS, later, other)] == [TOKEN, TOKEN, None]


@pytest.mark.parametrize("rest", [".\ud800.\ud800", "..", ".\0.\0", ".é.é"])
def test_odd_secrets_and_marks_are_not_ours(rest: str) -> None:
    shown = OURS.read(DEVICE.hex + rest)

    assert shown is not None
    assert not shown.is_ours
