"""Signing keys in a directory: `<kid>.pem` for each private key, and `keys.json` that says which one signs.

The manifest is the truth: a key file that it doesn't list counts for nothing. Files are written whole or not
at all. Whoever changes something holds the lock.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import AwareDatetime, BaseModel, StringConstraints, ValidationError, model_validator

from otp_auth.settings import Algorithm
from otp_auth.tokens.algorithms import PrivateKey, algorithm_of, public_jwk, thumbprint
from otp_auth.tokens.errors import DamagedKeysError, ForeignKeysError, NoSigningKeysError

if sys.platform != "win32":
    import fcntl

MANIFEST = "keys.json"
LOCK = ".lock"

Version = tuple[int, int, int, int]  # of a manifest: device, inode, nanoseconds, bytes


class KeyState(StrEnum):
    """A key is published before it signs, and after."""

    NEXT = "next"  # published, doesn't sign yet
    ACTIVE = "active"  # the one that signs
    RETIRED = "retired"  # signs no more; what it signed holds until `holds_until`


class KeyEntry(BaseModel, frozen=True):
    """One line of the manifest."""

    # The kid becomes a file name: exactly the letters of an RFC 7638 thumbprint.
    kid: Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9_-]{43}\z")]
    algorithm: Algorithm
    state: KeyState
    created_at: AwareDatetime
    retired_at: AwareDatetime | None = None
    holds_until: AwareDatetime | None = None  # None: without an end

    @model_validator(mode="after")
    def _never_comes_back(self) -> Self:
        if self.state is not KeyState.RETIRED and (self.retired_at or self.holds_until):
            raise ValueError("a key that was retired signs no more")
        return self

    def holds(self, now: datetime) -> bool:
        """Say whether its tokens hold. A key revoked in an emergency is dead whatever our clock says."""
        if self.holds_until is None:
            return True
        is_revoked = self.retired_at is not None and self.holds_until <= self.retired_at
        return not is_revoked and now < self.holds_until


class Manifest(BaseModel, frozen=True):
    """All keys, oldest first."""

    keys: tuple[KeyEntry, ...] = ()


def list_keys(directory: Path) -> tuple[KeyEntry, ...]:
    """Return what the manifest says, oldest first; nothing where there is none. Raises DamagedKeysError."""
    path = directory / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes()).keys
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise DamagedKeysError(
            f"{path} can't be read: restore it from a backup, or move the folder away and "
            "run `otp-auth keys generate`."
        ) from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest at one stroke: a reader sees the old one or the new one."""
    content = manifest.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"
    _write_whole(directory / MANIFEST, content)


def manifest_version(directory: Path) -> Version | None:
    """Return what is another when the manifest is, links followed; None where it can't be seen."""
    try:
        seen = (directory / MANIFEST).stat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory, when it's our turn: two commands at once would lose a key.

    Raises NoSigningKeysError where there is no directory, ForeignKeysError where it is another user's.
    """
    try:
        _require_owner(directory)
        descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError as error:
        raise no_signing_keys(directory) from error
    try:
        _give_to_owner(descriptor, directory)
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _require_owner(directory: Path) -> None:
    """Only its owner and root change a directory: what others write, the service couldn't read."""
    if os.name == "posix" and os.geteuid() not in {0, directory.stat().st_uid}:
        raise ForeignKeysError(f"{directory} belongs to another user: run this as the one that serves.")


def _give_to_owner(descriptor: int, directory: Path) -> None:
    """What root writes belongs to the directory's owner, or a service that isn't root couldn't read it."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def no_signing_keys(directory: Path) -> NoSigningKeysError:
    return NoSigningKeysError(f"No signing keys in {directory}: run `otp-auth keys generate`.")


def write_private_key(directory: Path, kid: str, key: PrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_whole(directory / f"{kid}.pem", pem)


def load_private_key(directory: Path, entry: KeyEntry) -> PrivateKey:
    """Read one key; RSA takes a while. Raises DamagedKeysError when it isn't what the manifest says."""
    path = directory / f"{entry.kid}.pem"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        replaced = " or replace it by `otp-auth keys generate`" if entry.state is KeyState.NEXT else ""
        raise DamagedKeysError(f"{path} can't be read: restore it from a backup{replaced}.") from error
    # Narrowed by hand: the library knows more kinds of keys than we do.
    if algorithm_of(key) != entry.algorithm or not isinstance(key, PrivateKey):
        raise DamagedKeysError(f"{path} is not a key for {entry.algorithm}.")
    if thumbprint(public_jwk(key.public_key())) != entry.kid:
        raise DamagedKeysError(f"{path} holds another key than its name says.")
    return key


def delete_private_keys(directory: Path, entries: tuple[KeyEntry, ...]) -> None:
    """Delete the files of keys, after a manifest that doesn't need them was written."""
    for entry in entries:
        (directory / f"{entry.kid}.pem").unlink(missing_ok=True)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, so that a crash leaves the old one or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            _give_to_owner(descriptor, path.parent)
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
