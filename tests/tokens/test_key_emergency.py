"""A key in somebody else's hands."""

from pathlib import Path

import pytest
import rotating
import time_machine
from rotating import access, files, pending, published, states, tokens_of, turn

from otp_auth.tokens.errors import InvalidTokenError, UnknownKeyError
from otp_auth.tokens.key_files import list_keys
from otp_auth.tokens.keys import generate_key, load_keys
from otp_auth.tokens.rotation import retire

directory, clock = rotating.directory, rotating.clock


def test_what_the_key_signed_is_refused_and_the_next_one_signs(
    directory: Path, clock: time_machine.Traveller
) -> None:
    first, second = generate_key(directory), generate_key(directory)
    before = tokens_of(directory)
    stolen, code = access(before), pending(before)
    clock.shift(60)

    done = retire(directory, first, "ES256")

    after = tokens_of(directory)
    for read, token in ((after.read_access, stolen), (after.read_pending, code)):
        with pytest.raises(InvalidTokenError):
            read(token)
    assert after.read_access(access(after))
    assert states(directory) == {first: "retired", second: "active", done.coming: "next"}
    assert (done.signing and done.signing.kid) == second
    assert published(directory) == [second, done.coming]
    assert first not in files(directory)
    # A worker that hasn't learnt of it yet reads what the others sign now.
    assert before.read_access(access(after))


def test_no_clock_makes_a_revoked_key_hold(directory: Path, clock: time_machine.Traveller) -> None:
    """The clock of a server may be behind that of the machine where the command ran."""
    first = generate_key(directory)
    generate_key(directory)
    retire(directory, first, "ES256")

    clock.shift(-60)

    assert first not in load_keys(directory).verifying


def test_without_a_next_key_one_takes_the_place_all_the_same(directory: Path) -> None:
    first = generate_key(directory)

    done = retire(directory, first, "EdDSA")

    assert done.signing
    assert states(directory) == {first: "retired", done.signing.kid: "active", done.coming: "next"}
    assert load_keys(directory).signing.algorithm == "EdDSA"


def test_a_key_that_was_rotated_out_ends_before_its_time(
    directory: Path, clock: time_machine.Traveller
) -> None:
    first = generate_key(directory)
    stolen = access(tokens_of(directory))
    turned = turn(directory, clock)
    assert tokens_of(directory).read_access(stolen)
    clock.shift(10)

    done = retire(directory, first, "ES256")

    with pytest.raises(InvalidTokenError):
        tokens_of(directory).read_access(stolen)
    assert (done.signing, done.coming) == (None, None)
    assert published(directory) == [turned.signing.kid, turned.coming.kid]


def test_a_next_key_is_replaced(directory: Path) -> None:
    first, second = generate_key(directory), generate_key(directory)

    done = retire(directory, second, "ES256")

    assert states(directory) == {first: "active", second: "retired", done.coming: "next"}
    assert published(directory) == [first, done.coming]


def test_a_key_is_retired_once(directory: Path) -> None:
    first = generate_key(directory)
    generate_key(directory)
    retire(directory, first, "ES256")
    before = list_keys(directory)

    done = retire(directory, first, "ES256")

    assert done.was_dead
    assert list_keys(directory) == before


def test_what_is_dead_goes_with_the_next_rotation(directory: Path, clock: time_machine.Traveller) -> None:
    first = generate_key(directory)
    retire(directory, first, "ES256")

    done = turn(directory, clock)

    assert [entry.kid for entry in done.pruned] == [first]


def test_a_key_that_nobody_knows(directory: Path) -> None:
    generate_key(directory)
    before = list_keys(directory)

    with pytest.raises(UnknownKeyError, match="has the id unknown"):
        retire(directory, "unknown", "ES256")

    assert list_keys(directory) == before
