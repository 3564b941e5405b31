"""Signing keys in a directory: `<kid>.pem` for each private key, and `keys.json` that says which one signs.

The manifest is the truth: a key file that it doesn't list counts for nothing. Files are written whole or not
at all.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import AwareDatetime, BaseModel, StringConstraints, ValidationError

from otp_auth.settings import Algorithm
from otp_auth.tokens.algorithms import (
    PrivateKey,
    PublicKey,
    algorithm_of,
    new_private_key,
    public_jwk,
    thumbprint,
)
from otp_auth.tokens.errors import DamagedKeysError, NextKeyExistsError, NoSigningKeysError

MANIFEST = "keys.json"
DIRECTORY_MODE = 0o700
ADVICE = "run `otp-auth keys generate`"


class KeyState(StrEnum):
    """A key is published before it signs, and after."""

    NEXT = "next"  # published, doesn't sign yet
    ACTIVE = "active"  # the one that signs
    RETIRED = "retired"  # signs no more; what it signed still holds while it is listed


class KeyEntry(BaseModel, frozen=True):
    """One line of the manifest."""

    # The kid becomes a file name: exactly the letters of an RFC 7638 thumbprint.
    kid: Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9_-]{43}\z")]
    algorithm: Algorithm
    state: KeyState
    created_at: AwareDatetime


class Manifest(BaseModel, frozen=True):
    """All keys, oldest first."""

    keys: tuple[KeyEntry, ...] = ()


@dataclass(frozen=True)
class SigningKey:
    """The private key that signs."""

    kid: str
    algorithm: Algorithm
    private_key: PrivateKey


@dataclass(frozen=True)
class VerifyingKey:
    """A public key, good for one algorithm alone."""

    kid: str
    algorithm: Algorithm
    public_key: PublicKey

    def jwk(self) -> dict[str, str]:
        return public_jwk(self.public_key) | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}


@dataclass(frozen=True)
class KeySet:
    """The keys of this service, in memory."""

    signing: SigningKey
    verifying: Mapping[str, VerifyingKey]  # by kid, oldest first

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517 5)."""
        return {"keys": [key.jwk() for key in self.verifying.values()]}


def generate_key(directory: Path, algorithm: Algorithm = "ES256") -> str:
    """Make a key and return its kid. The first is active, the second waits as `next`.

    Raises NextKeyExistsError for a third, and DamagedKeysError.
    """
    entries = list_keys(directory)
    if any(entry.state is KeyState.NEXT for entry in entries):
        raise NextKeyExistsError("A next key waits already: one at a time is enough.")
    has_active = any(entry.state is KeyState.ACTIVE for entry in entries)
    state = KeyState.NEXT if has_active else KeyState.ACTIVE
    key = new_private_key(algorithm)
    kid = thumbprint(public_jwk(key.public_key()))
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_whole(directory / f"{kid}.pem", pem)
    entry = KeyEntry(kid=kid, algorithm=algorithm, state=state, created_at=datetime.now(UTC))
    write_manifest(directory, Manifest(keys=(*entries, entry)))
    return kid


def list_keys(directory: Path) -> tuple[KeyEntry, ...]:
    """Return what the manifest says, oldest first; nothing where there is none. Raises DamagedKeysError."""
    path = directory / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise DamagedKeysError(
            f"{path} can't be read: restore it from a backup, or move the folder away and {ADVICE}."
        ) from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest at one stroke: a reader sees the old one or the new one."""
    _write_whole(directory / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")


def load_keys(directory: Path) -> KeySet:
    """Read every key once. Raises NoSigningKeysError and DamagedKeysError."""
    entries = list_keys(directory)
    active = [entry for entry in entries if entry.state is KeyState.ACTIVE]
    if not active:
        raise NoSigningKeysError(f"No signing keys in {directory}: {ADVICE}.")
    if len(active) > 1:
        raise DamagedKeysError(f"{directory / MANIFEST} names more than one active key.")
    private_keys = {entry.kid: _load_private_key(directory, entry) for entry in entries}
    signing = SigningKey(active[0].kid, active[0].algorithm, private_keys[active[0].kid])
    verifying = {
        entry.kid: VerifyingKey(entry.kid, entry.algorithm, private_keys[entry.kid].public_key())
        for entry in entries
    }
    return KeySet(signing, MappingProxyType(verifying))


def _load_private_key(directory: Path, entry: KeyEntry) -> PrivateKey:
    path = directory / f"{entry.kid}.pem"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DamagedKeysError(f"{path} can't be read: restore it from a backup.") from error
    # Narrowed by hand: the library knows more kinds of keys than we do.
    if algorithm_of(key) != entry.algorithm or not isinstance(key, PrivateKey):
        raise DamagedKeysError(f"{path} is not a key for {entry.algorithm}.")
    if thumbprint(public_jwk(key.public_key())) != entry.kid:
        raise DamagedKeysError(f"{path} holds another key than its name says.")
    return key


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, so that a crash leaves the old one or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new name durable too; systems that can't open a directory do without."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
