"""The signing keys of this service: made in its directory, and as they are in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from otp_auth.settings import Algorithm
from otp_auth.tokens.algorithms import PrivateKey, PublicKey, new_private_key, public_jwk, thumbprint
from otp_auth.tokens.errors import DamagedKeysError, SigningKeysError
from otp_auth.tokens.key_files import (
    MANIFEST,
    KeyEntry,
    KeyState,
    Manifest,
    Version,
    delete_private_keys,
    list_keys,
    load_private_key,
    locked,
    manifest_version,
    no_signing_keys,
    write_manifest,
    write_private_key,
)
from otp_auth.tokens.timing import LEEWAY, PICK_UP

DIRECTORY_MODE = 0o700


@dataclass(frozen=True)
class SigningKey:
    """The private key that signs."""

    kid: str
    algorithm: Algorithm
    private_key: PrivateKey


@dataclass(frozen=True)
class VerifyingKey:
    """A public key, good for one algorithm alone, and once it is retired only for a while."""

    kid: str
    algorithm: Algorithm
    public_key: PublicKey
    retired_at: datetime | None = None
    holds_until: datetime | None = None

    def jwk(self) -> dict[str, str]:
        return public_jwk(self.public_key) | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def holds(self, now: datetime) -> bool:
        return self.holds_until is None or now < self.holds_until

    def may_have_signed(self, issued_at: datetime) -> bool:
        """Say whether it signed at that time: a retired key that still signs is in somebody else's hands."""
        return self.retired_at is None or issued_at <= self.retired_at + PICK_UP + LEEWAY


@dataclass(frozen=True)
class KeySet:
    """The keys of this service, in memory."""

    signing: SigningKey
    verifying: Mapping[str, VerifyingKey]  # by kid, oldest first
    version: Version | None = None  # of the manifest they were read by

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys that hold now as a JWK set (RFC 7517 5)."""
        now = datetime.now(UTC)
        return {"keys": [key.jwk() for key in self.verifying.values() if key.holds(now)]}


def generate_key(directory: Path, algorithm: Algorithm = "ES256") -> str:
    """Make a key and return its kid. The first is active; a later one is `next`, in place of one that waits.

    Raises DamagedKeysError.
    """
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    with locked(directory):
        entries = list_keys(directory)
        waiting = tuple(entry for entry in entries if entry.state is KeyState.NEXT)
        has_active = any(entry.state is KeyState.ACTIVE for entry in entries)
        made = add_key(directory, algorithm, KeyState.NEXT if has_active else KeyState.ACTIVE)
        kept = (entry for entry in entries if entry not in waiting)
        write_manifest(directory, Manifest(keys=(*kept, made)))
        delete_private_keys(directory, waiting)  # they never signed anything
    return made.kid


def generate_keys(directory: Path, algorithm: Algorithm = "ES256") -> list[str]:
    """Make a key, or where there is none two: one signs, and the one for the first rotation is known before.

    Returns their kids. Raises DamagedKeysError.
    """
    how_many = 1 if list_keys(directory) else 2
    return [generate_key(directory, algorithm) for _ in range(how_many)]


def add_key(directory: Path, algorithm: Algorithm, state: KeyState) -> KeyEntry:
    """Make a key file, and return the line for the manifest. The caller holds the lock."""
    key = new_private_key(algorithm)
    kid = thumbprint(public_jwk(key.public_key()))
    write_private_key(directory, kid, key)
    return KeyEntry(kid=kid, algorithm=algorithm, state=state, created_at=datetime.now(UTC))


def load_keys(directory: Path) -> KeySet:
    """Read every key that holds once. Raises NoSigningKeysError and DamagedKeysError."""
    while True:
        version = manifest_version(directory)
        try:
            return _load(directory, version)
        except SigningKeysError:
            # A command that replaced the manifest meanwhile may have deleted files of the old one.
            if manifest_version(directory) == version:
                raise


def active_key(directory: Path, entries: tuple[KeyEntry, ...]) -> KeyEntry:
    """Return the one that signs. Raises NoSigningKeysError and DamagedKeysError."""
    active = [entry for entry in entries if entry.state is KeyState.ACTIVE]
    if not active:
        raise no_signing_keys(directory)
    if len(active) > 1:
        raise DamagedKeysError(f"{directory / MANIFEST} names more than one active key.")
    return active[0]


def _load(directory: Path, version: Version | None) -> KeySet:
    entries = list_keys(directory)
    active = active_key(directory, entries)
    now = datetime.now(UTC)
    holding = [entry for entry in entries if entry.holds(now)]
    private_keys = {entry.kid: load_private_key(directory, entry) for entry in holding}
    verifying = {
        entry.kid: VerifyingKey(
            entry.kid,
            entry.algorithm,
            private_keys[entry.kid].public_key(),
            entry.retired_at,
            entry.holds_until,
        )
        for entry in holding
    }
    signing = SigningKey(active.kid, active.algorithm, private_keys[active.kid])
    return KeySet(signing, MappingProxyType(verifying), version)
