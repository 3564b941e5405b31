"""Commands that fail, or meet, break nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import rotating
import time_machine
from rotating import OVERLAP, files, states, turn

from otp_auth.tokens.algorithms import PrivateKey
from otp_auth.tokens.errors import DamagedKeysError, NoSigningKeysError
from otp_auth.tokens.key_files import KeyEntry, KeyState, list_keys, load_private_key, locked
from otp_auth.tokens.keys import generate_key, load_keys
from otp_auth.tokens.rotation import retire, rotate

directory, clock = rotating.directory, rotating.clock


@pytest.mark.parametrize("make", [False, True], ids=["no directory", "empty directory"])
def test_where_there_are_no_keys_none_are_made(directory: Path, make: bool) -> None:
    if make:
        directory.mkdir()
    with pytest.raises(NoSigningKeysError, match="otp-auth keys generate"):
        rotate(directory, "ES256", OVERLAP)
    assert directory.exists() is make


def test_a_next_key_that_can_not_be_read_never_signs(directory: Path, clock: time_machine.Traveller) -> None:
    generate_key(directory)
    (directory / f"{generate_key(directory)}.pem").write_text("not a key")
    before = list_keys(directory)

    with pytest.raises(DamagedKeysError):
        turn(directory, clock)

    assert list_keys(directory) == before


def test_an_emergency_does_not_wait_for_a_next_key_that_can_be_read(directory: Path) -> None:
    active = generate_key(directory)
    damaged = generate_key(directory)
    (directory / f"{damaged}.pem").write_text("not a key")

    done = retire(directory, active, "ES256")

    assert done.signing is not None
    assert load_keys(directory).signing.kid == done.signing.kid
    assert damaged not in {entry.kid for entry in list_keys(directory)}


def test_each_of_several_commands_has_its_turn(directory: Path) -> None:
    """The second waits for the first: no key is lost, and each has its turn."""
    generate_key(directory)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: rotate(directory, "ES256", OVERLAP, wait=lambda _: None), range(4)))

    assert len({each.signing.kid for each in done}) == 4
    entries = list_keys(directory)
    assert [entry.state for entry in entries] == ["retired"] * 4 + ["active", "next"]
    assert files(directory) == {entry.kid for entry in entries}


def test_a_command_waits_for_the_lock(directory: Path) -> None:
    generate_key(directory)
    has_begun = threading.Event()

    def generate() -> None:
        has_begun.set()
        generate_key(directory)

    with ThreadPoolExecutor(1) as threads:
        with locked(directory):
            waiting = threads.submit(generate)
            has_begun.wait()
            assert [entry.state for entry in list_keys(directory)] == ["active"]
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        waiting.result()
    assert [entry.state for entry in list_keys(directory)] == ["active", "next"]


def test_a_key_file_that_goes_while_it_is_read(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server reads the manifest, a command replaces it and deletes what it doesn't need: read again."""
    first, second = generate_key(directory), generate_key(directory)
    calls: list[str] = []

    def slow(directory: Path, entry: KeyEntry) -> PrivateKey:
        calls.append(entry.kid)
        if len(calls) == 1:
            retire(directory, first, "ES256")
        return load_private_key(directory, entry)

    monkeypatch.setattr("otp_auth.tokens.keys.load_private_key", slow)

    assert load_keys(directory).signing.kid == second
    assert KeyState.RETIRED in states(directory).values()
