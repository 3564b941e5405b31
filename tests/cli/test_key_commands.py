"""`otp-auth keys`, as an operator runs it."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import commands
import pytest
from commands import Run, assert_refused
from typer.testing import CliRunner

from otp_auth.cli import application
from otp_auth.tokens.key_files import KeyState, Manifest, list_keys, write_manifest
from otp_auth.tokens.keys import generate_key

run, launcher = commands.run, commands.launcher


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTP_AUTH_TOKENS__SIGNING_KEYS_DIR", "our-keys")
    return tmp_path / "our-keys"


def listed() -> list[list[str]]:
    output = CliRunner().invoke(application, ["keys", "list"]).stdout
    return [line.split() for line in output.splitlines()]


def age(directory: Path) -> None:
    """Let every key be old enough to sign without a word."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    entries = [entry.model_copy(update={"created_at": long_ago}) for entry in list_keys(directory)]
    write_manifest(directory, Manifest(keys=tuple(entries)))


def test_keys_from_none_to_next(run: Run, tmp_path: Path) -> None:
    variables = {"OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": "our-keys"}

    made = [run("keys", "generate", cwd=tmp_path, **variables) for _ in range(3)]
    listed = run("keys", "list", cwd=tmp_path, **variables)

    lines = [line.split(" ", 1) for answer in made for line in answer.stdout.splitlines()]
    kids = [kid for kid, said in lines if said == "in our-keys"]
    gone = [kid for kid, said in lines if said == "waited to be next, and is gone"]
    assert len(kids) == 4
    assert gone == kids[1:3]
    assert [answer.returncode for answer in made] == [0, 0, 0]
    assert [line.split()[:3] for line in listed.stdout.splitlines()] == [
        [kids[0], "ES256", "active"],
        [kids[3], "ES256", "next"],
    ]
    files = list((tmp_path / "our-keys").iterdir())
    assert {file.name for file in files} == {"keys.json", ".lock", f"{kids[0]}.pem", f"{kids[3]}.pem"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "our-keys").stat().st_mode) == 0o700


def test_rotate_tells_what_happened(directory: Path) -> None:
    first, second = generate_key(directory), generate_key(directory)
    age(directory)

    answer = CliRunner().invoke(application, ["keys", "rotate"])

    assert (answer.exit_code, answer.stderr) == (0, "")
    third = list_keys(directory)[2].kid
    assert [line.split()[:3] for line in answer.stdout.splitlines()] == [
        [second, "signs", "now;"],
        [first, "is", "retired"],
        [third, "is", "next"],
    ]
    assert [line[:3] for line in listed()] == [
        [first, "ES256", "retired"],
        [second, "ES256", "active"],
        [third, "ES256", "next"],
    ]
    retired = list_keys(directory)[0]
    assert retired.retired_at
    assert retired.holds_until
    assert (retired.holds_until - retired.retired_at).total_seconds() == 615
    assert listed()[0][4:] == ["holds", "until", f"{retired.holds_until:%Y-%m-%dT%H:%M:%SZ}"]


def test_rotate_takes_the_algorithm_of_the_setting(directory: Path) -> None:
    generate_key(directory)
    generate_key(directory)
    age(directory)

    CliRunner().invoke(application, ["keys", "rotate"], env={"OTP_AUTH_TOKENS__ALGORITHM": "EdDSA"})

    assert [line[1:3] for line in listed()] == [["ES256", "retired"], ["ES256", "active"], ["EdDSA", "next"]]


def test_rotate_warns_when_others_may_not_know_the_key(directory: Path) -> None:
    generate_key(directory)

    answer = CliRunner().invoke(application, ["keys", "rotate"])

    assert answer.exit_code == 0
    assert len(answer.stderr.splitlines()) == 1
    assert "may refuse tokens until they ask for it again" in answer.stderr


@pytest.mark.parametrize("arguments", [["rotate"], ["retire", "unknown"]], ids=lambda each: each[0])
def test_where_there_are_no_keys(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    answer = run("keys", *arguments, cwd=tmp_path)

    assert_refused(answer, "run `otp-auth keys generate`")
    assert list(tmp_path.iterdir()) == []


def test_retire_tells_what_it_means(directory: Path) -> None:
    first, second = generate_key(directory), generate_key(directory)

    answer = CliRunner().invoke(application, ["keys", "retire", first])
    again = CliRunner().invoke(application, ["keys", "retire", first])

    assert (answer.exit_code, again.exit_code) == (0, 0)
    assert "nobody is logged out" in answer.stdout
    assert f"{second} signs now" in answer.stdout
    assert again.stdout == f"{first} is retired already\n"
    assert [line[2] for line in listed()] == ["retired", "active", "next"]
    assert listed()[0][4:] == ["refused"]
    assert f"{listed()[2][0]} is next" in answer.stdout


def test_retire_of_a_key_that_nobody_knows(run: Run, tmp_path: Path, directory: Path) -> None:
    generate_key(directory)

    answer = run("keys", "retire", "unknown", cwd=tmp_path, OTP_AUTH_TOKENS__SIGNING_KEYS_DIR=str(directory))

    assert_refused(answer, "has the id unknown: see `otp-auth keys list`")


def test_retire_of_a_kid_that_looks_like_an_option(directory: Path) -> None:
    """One kid in 64 begins with a dash."""
    generate_key(directory)
    (entry,) = list_keys(directory)
    dead = entry.model_copy(
        update={
            "kid": "-" + "x" * 42,
            "state": KeyState.RETIRED,
            "retired_at": entry.created_at,
            "holds_until": entry.created_at,
        }
    )
    write_manifest(directory, Manifest(keys=(dead, entry)))

    answer = CliRunner().invoke(application, ["keys", "retire", dead.kid])

    assert (answer.exit_code, answer.stdout) == (0, f"{dead.kid} is retired already\n")
