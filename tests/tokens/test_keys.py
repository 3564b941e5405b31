import base64
import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from otp_auth.settings import Algorithm
from otp_auth.tokens.algorithms import algorithm_of
from otp_auth.tokens.errors import DamagedKeysError, ForeignKeysError, NoSigningKeysError
from otp_auth.tokens.key_files import KeyState, Manifest, list_keys, write_manifest
from otp_auth.tokens.keys import generate_key, load_keys

ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "EdDSA", "RS256")
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keys"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_generated_key_signs_and_others_verify_with_its_jwk(directory: Path, algorithm: Algorithm) -> None:
    kid = generate_key(directory, algorithm)
    keys = load_keys(directory)
    (jwk,) = keys.jwks()["keys"]

    token = jwt.encode({"a": 1}, keys.signing.private_key, keys.signing.algorithm)
    assert jwt.decode(token, jwt.PyJWK(jwk), algorithms=[algorithm]) == {"a": 1}
    assert (keys.signing.kid, jwk["kid"], jwk["alg"], jwk["use"]) == (kid, kid, algorithm, "sig")
    assert PRIVATE_MEMBERS.isdisjoint(jwk)
    assert (directory / f"{kid}.pem").stem == kid


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_kid_is_the_thumbprint_of_rfc_7638(directory: Path, algorithm: Algorithm) -> None:
    kid = generate_key(directory, algorithm)
    (jwk,) = load_keys(directory).jwks()["keys"]
    required = {name: jwk[name] for name in sorted(jwk) if name not in {"kid", "alg", "use"}}

    octets = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    assert kid == base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_rsa_keys_have_3072_bits(directory: Path) -> None:
    generate_key(directory, "RS256")
    key = load_keys(directory).signing.private_key

    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 3072


def test_coordinates_have_their_full_length(directory: Path) -> None:
    """RFC 7518 6.2.1.2: leading zero octets stay; one key in 128 has such a coordinate."""
    for number in range(300):
        generate_key(directory / str(number))
        (jwk,) = load_keys(directory / str(number)).jwks()["keys"]
        assert len(jwk["x"]) == len(jwk["y"]) == 43


def test_only_the_owner_reads_the_files(directory: Path) -> None:
    before = os.umask(0)
    try:
        kid = generate_key(directory)
    finally:
        os.umask(before)

    assert _mode(directory) == 0o700
    assert _mode(directory / f"{kid}.pem") == 0o600
    assert _mode(directory / "keys.json") == 0o600


def test_the_second_key_waits(directory: Path) -> None:
    first, second = generate_key(directory), generate_key(directory, "EdDSA")

    keys = load_keys(directory)
    assert [(entry.kid, entry.state) for entry in list_keys(directory)] == [
        (first, "active"),
        (second, "next"),
    ]
    assert keys.signing.kid == first
    assert list(keys.verifying) == [first, second]
    assert [jwk["kid"] for jwk in keys.jwks()["keys"]] == [first, second]


def test_a_third_key_takes_the_place_of_one_that_waits(directory: Path) -> None:
    first, second, third = (generate_key(directory) for _ in range(3))

    assert [(entry.kid, entry.state) for entry in list_keys(directory)] == [
        (first, "active"),
        (third, "next"),
    ]
    assert not (directory / f"{second}.pem").exists()
    assert list(load_keys(directory).verifying) == [first, third]


def test_commands_at_once_lose_no_key(directory: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: generate_key(directory), range(8)))

    (active, waiting) = list_keys(directory)
    assert {active.kid, waiting.kid} < set(made)
    assert (active.state, waiting.state) == ("active", "next")
    assert {path.stem for path in directory.glob("*.pem")} == {active.kid, waiting.kid}


def test_a_manifest_of_before_the_rotation_still_loads(directory: Path) -> None:
    generate_key(directory)
    generate_key(directory)
    manifest = directory / "keys.json"
    manifest.write_text(manifest.read_text().replace('"active"', '"retired"').replace('"next"', '"active"'))

    keys = load_keys(directory)

    retired, active = keys.verifying.values()
    assert keys.signing.kid == active.kid
    assert retired.holds(datetime.max.replace(tzinfo=UTC))


def test_a_key_that_was_retired_never_comes_back(directory: Path) -> None:
    generate_key(directory)
    manifest = directory / "keys.json"
    back = '"active", "retired_at": "2026-01-01T00:00:00Z"'
    manifest.write_text(manifest.read_text().replace('"active"', back))

    with pytest.raises(DamagedKeysError, match=r"keys\.json"):
        load_keys(directory)


def test_a_key_tells_when_it_was_made(directory: Path) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        generate_key(directory)

    assert list_keys(directory)[0].created_at == datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_no_keys_tells_what_to_run(directory: Path) -> None:
    assert list_keys(directory) == ()
    with pytest.raises(NoSigningKeysError, match="otp-auth keys generate"):
        load_keys(directory)


def test_only_retired_keys_are_no_signing_keys(directory: Path) -> None:
    generate_key(directory)
    retired = [entry.model_copy(update={"state": KeyState.RETIRED}) for entry in list_keys(directory)]
    write_manifest(directory, Manifest(keys=tuple(retired)))

    with pytest.raises(NoSigningKeysError):
        load_keys(directory)


def test_two_active_keys_are_refused(directory: Path) -> None:
    generate_key(directory)
    generate_key(directory)
    active = [entry.model_copy(update={"state": KeyState.ACTIVE}) for entry in list_keys(directory)]
    write_manifest(directory, Manifest(keys=tuple(active)))

    with pytest.raises(DamagedKeysError, match="more than one"):
        load_keys(directory)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"keys": [', id="cut off"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(
            b'{"keys": [{"kid": "../../../../../../../../../../../../../etc/key", "algorithm": "ES256", '
            b'"state": "active", "created_at": "2026-01-01T00:00:00Z"}]}',
            id="kid that leaves the directory",
        ),
    ],
)
def test_a_damaged_manifest_is_refused(directory: Path, content: bytes) -> None:
    generate_key(directory)
    (directory / "keys.json").write_bytes(content)

    with pytest.raises(DamagedKeysError, match=r"keys\.json"):
        load_keys(directory)


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="gone"),
        pytest.param(b"not a key", id="no PEM"),
        pytest.param(_pem(ec.generate_private_key(ec.SECP256R1())), id="other key"),
        pytest.param(_pem(ec.generate_private_key(ec.SECP384R1())), id="other curve"),
        pytest.param(_pem(ed25519.Ed25519PrivateKey.generate()), id="other kind"),
    ],
)
def test_a_key_file_that_does_not_fit_is_refused(directory: Path, content: bytes | None) -> None:
    path = directory / f"{generate_key(directory)}.pem"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

    with pytest.raises(DamagedKeysError, match=r"\.pem"):
        load_keys(directory)


def test_weak_rsa_keys_are_good_for_nothing() -> None:
    assert algorithm_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)) is None


def test_a_crash_while_writing_leaves_the_old_manifest(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_key(directory)
    before = (directory / "keys.json").read_bytes()

    def crash(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("otp_auth.tokens.key_files.os.fsync", crash)
    with pytest.raises(OSError, match="disk full"):
        write_manifest(directory, Manifest())

    assert (directory / "keys.json").read_bytes() == before
    assert len(list(directory.iterdir())) == 3  # with the lock: nothing half-written stays behind


def test_a_reader_never_meets_half_a_manifest(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment before the new file takes its place, the old one is whole and the new one is durable."""
    kid = generate_key(directory)
    seen: list[tuple[str, ...]] = []
    real = Path.replace

    def look_first(self: Path, target: Path) -> Path:
        seen.append(tuple(entry.kid for entry in list_keys(directory)))
        assert self.parent == Path(target).parent
        return real(self, target)

    monkeypatch.setattr(Path, "replace", look_first)
    write_manifest(directory, Manifest())

    assert seen == [(kid,)]
    assert list_keys(directory) == ()


class TestOwner:
    """A service that isn't root reads what root has written beside it."""

    def test_what_root_writes_belongs_to_the_owner_of_the_directory(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "fchown", lambda _file, user, group: given.append((user, group)))

        generate_key(directory)

        owner = directory.stat()
        # The lock, the key, the manifest.
        assert given == [(owner.st_uid, owner.st_gid)] * 3

    def test_another_user_is_told_so_and_changes_nothing(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kid = generate_key(directory)
        monkeypatch.setattr(os, "geteuid", lambda: directory.stat().st_uid + 1)

        with pytest.raises(ForeignKeysError, match="belongs to another user"):
            generate_key(directory)

        assert [entry.kid for entry in list_keys(directory)] == [kid]
