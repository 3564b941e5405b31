"""What a key signed before it was retired holds for a while; what it signs later never does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import rotating
import time_machine
from rotating import NOW, access, tokens_of, turn

from otp_auth.tokens.errors import InvalidTokenError
from otp_auth.tokens.key_files import list_keys, load_private_key
from otp_auth.tokens.keys import VerifyingKey, generate_key, load_keys

directory, clock = rotating.directory, rotating.clock


def test_an_access_token_holds_to_its_end(directory: Path, clock: time_machine.Traveller) -> None:
    """Signed by a worker at the last moment before it learns of the rotation, and read after it."""
    generate_key(directory)
    generate_key(directory)
    late = tokens_of(directory)
    clock.shift(10)
    turn(directory, clock)
    clock.shift(10)
    token = access(late)
    ours = tokens_of(directory)

    clock.shift(599)

    assert ours.read_access(token)


def test_after_the_overlap_a_key_holds_no_more(directory: Path, clock: time_machine.Traveller) -> None:
    generate_key(directory)
    old = access(tokens_of(directory))
    done = turn(directory, clock)
    ours = tokens_of(directory)  # loaded once: what ends in memory needs no file
    assert done.retired.kid in ours.keys.verifying
    assert done.retired.holds_until

    # A second before and after: the lifetime of the token itself is not what is seen here.
    long_lived = _signed_anew(directory, done.retired.kid, old, {"exp": int(NOW.timestamp()) + 9999})
    clock.move_to(done.retired.holds_until - timedelta(seconds=1))
    assert ours.read_access(long_lived)
    assert done.retired.kid in [jwk["kid"] for jwk in ours.keys.jwks()["keys"]]
    clock.shift(1)
    with pytest.raises(InvalidTokenError):
        ours.read_access(long_lived)
    assert done.retired.kid not in [jwk["kid"] for jwk in ours.keys.jwks()["keys"]]
    assert done.retired.kid not in load_keys(directory).verifying


def _signed_anew(directory: Path, kid: str, token: str, claims: dict[str, int]) -> str:
    entry = next(entry for entry in list_keys(directory) if entry.kid == kid)
    key = load_private_key(directory, entry)
    old = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(old | claims, key, entry.algorithm, {"typ": "at+jwt", "kid": kid})


@pytest.mark.parametrize("late", [15, 16])
def test_a_retired_key_may_not_sign_on(directory: Path, clock: time_machine.Traveller, late: int) -> None:
    generate_key(directory)
    token = access(tokens_of(directory))
    done = turn(directory, clock)
    assert done.retired.retired_at
    issued = int(done.retired.retired_at.timestamp()) + late
    clock.shift(30)
    ours = tokens_of(directory)

    resigned = _signed_anew(directory, done.retired.kid, token, {"iat": issued})

    if late == 15:
        assert ours.read_access(resigned)
    else:
        with pytest.raises(InvalidTokenError):
            ours.read_access(resigned)


def test_that_guard_is_the_one_that_refuses(
    directory: Path, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_key(directory)
    token = access(tokens_of(directory))
    done = turn(directory, clock)
    clock.shift(300)
    resigned = _signed_anew(directory, done.retired.kid, token, {"iat": int(datetime.now(UTC).timestamp())})
    with pytest.raises(InvalidTokenError):
        tokens_of(directory).read_access(resigned)

    monkeypatch.setattr(VerifyingKey, "may_have_signed", lambda *_: True)

    assert tokens_of(directory).read_access(resigned)
