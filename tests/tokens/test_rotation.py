"""Keys that take turns: what is signed, held, published and deleted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import rotating
import time_machine
from rotating import ISSUER, NOW, OVERLAP, access, files, published, states, tokens_of, turn

from otp_auth.tokens.key_files import list_keys
from otp_auth.tokens.keys import KeySet, generate_key, load_keys
from otp_auth.tokens.rotation import overlap, rotate

directory, clock = rotating.directory, rotating.clock


def test_the_overlap_covers_the_longer_lived_kind_and_those_who_learn_late() -> None:
    assert overlap(timedelta(seconds=600), timedelta(seconds=60)) == timedelta(seconds=615)
    assert overlap(timedelta(seconds=60), timedelta(seconds=300)) == timedelta(seconds=315)


def test_the_next_key_signs_and_another_one_is_published(
    directory: Path, clock: time_machine.Traveller
) -> None:
    first, second = generate_key(directory), generate_key(directory)
    clock.shift(3600)

    done = turn(directory, clock)

    assert states(directory) == {first: "retired", second: "active", done.coming.kid: "next"}
    assert (done.signing.kid, done.retired.kid, done.pruned) == (second, first, ())
    assert done.published_for == timedelta(hours=1)
    assert load_keys(directory).signing.kid == second
    assert published(directory) == [first, second, done.coming.kid]
    retired = list_keys(directory)[0]
    assert retired.retired_at == NOW + timedelta(hours=1)
    assert retired.holds_until == retired.retired_at + OVERLAP


def test_without_a_next_key_one_is_made_and_waited_for(
    directory: Path, clock: time_machine.Traveller
) -> None:
    first = generate_key(directory)

    done = turn(directory, clock)

    assert states(directory) == {
        first: "retired",
        done.signing.kid: "active",
        done.coming.kid: "next",
    }
    assert done.published_for == timedelta(seconds=3)
    assert datetime.now(UTC) == NOW + timedelta(seconds=3)


def test_a_key_is_published_while_it_is_waited_for(directory: Path, clock: time_machine.Traveller) -> None:
    """A worker that signs with it before the others know it would have its tokens refused there."""
    generate_key(directory)
    seen: list[tuple[KeySet, list[str]]] = []

    def look(seconds: float) -> None:
        seen.append((load_keys(directory), list(states(directory).values())))
        clock.shift(seconds)

    rotate(directory, "ES256", OVERLAP, wait=look)

    ((before, meanwhile),) = seen
    assert meanwhile == ["active", "next"]
    other_worker, this_worker = tokens_of(directory), tokens_of(directory)
    other_worker.keys = before
    assert other_worker.read_access(access(this_worker))
    assert this_worker.read_access(access(other_worker))


@pytest.mark.parametrize(
    ("age", "waited"),
    [(0.0, 3.0), (1.0, 2.0), (3.0, 0.0), (100.0, 0.0), (-3600.0, 3.0)],
    ids=["new", "a second old", "settled", "old", "of the future"],
)
def test_a_young_key_is_waited_for(
    directory: Path, clock: time_machine.Traveller, age: float, waited: float
) -> None:
    generate_key(directory)
    generate_key(directory)
    clock.shift(age)
    waits: list[float] = []

    rotate(directory, "ES256", OVERLAP, wait=waits.append)

    assert waits == [pytest.approx(waited)]


def test_a_retired_key_is_deleted_once_nothing_of_it_holds(
    directory: Path, clock: time_machine.Traveller
) -> None:
    first = generate_key(directory)
    turn(directory, clock)
    clock.shift(OVERLAP - timedelta(seconds=1))
    assert turn(directory, clock).pruned == ()
    clock.shift(2)

    done = turn(directory, clock)

    assert [entry.kid for entry in done.pruned] == [first]
    assert first not in states(directory)
    assert files(directory) == set(states(directory))


def test_from_one_algorithm_to_the_next(directory: Path, clock: time_machine.Traveller) -> None:
    """Each key is good for its own algorithm alone, and all that hold are published."""
    generate_key(directory, "ES256")
    made: list[str] = []
    for coming in ("EdDSA", "RS256", "ES256"):
        made.append(access(tokens_of(directory)))
        if coming != "ES256":
            generate_key(directory, coming)
            turn(directory, clock, coming)

    ours = tokens_of(directory)
    published = jwt.PyJWKSet.from_dict(ours.keys.jwks())
    algorithms = [jwt.get_unverified_header(token)["alg"] for token in made]
    assert algorithms == ["ES256", "EdDSA", "RS256"]
    for token, algorithm in zip(made, algorithms, strict=True):
        assert ours.read_access(token)
        key = published[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, algorithms=[algorithm], audience=ISSUER, issuer=ISSUER)["sub"]
