"""Secrets that must be readable again, encrypted at rest: a stolen database alone holds none.

Each sealed text names the key that sealed it, so that the secret of the service can be changed: the new one
seals, earlier ones still open (`OTP_AUTH_PREVIOUS_SECRET_KEYS`), and housekeeping seals anew.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from otp_auth.settings import Settings

NONCE_BYTES = 12  # of AES-GCM (NIST SP 800-38D 5.2.1.1)
KEY_ID_LENGTH = 8  # hex digits
_PURPOSE = b"otp-auth sealing key"


class CannotOpenError(Exception):
    """Sealed with a secret that this service no longer has, or damaged."""


class Sealer:
    """Encrypts with the present secret and opens what earlier ones have sealed."""

    def __init__(self, secret: str, previous: Iterable[str] = ()) -> None:
        keys = [_derive(each) for each in (secret, *previous)]
        self.key_id = _id_of(keys[0])
        self._keys = {_id_of(key): key for key in keys}

    def seal(self, octets: bytes, context: str) -> str:
        """Return `key id.ciphertext`; it opens only with the same context, such as whose it is."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self._keys[self.key_id]).encrypt(nonce, octets, context.encode())
        return f"{self.key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, context: str) -> bytes:
        """Raises CannotOpenError."""
        key_id, _, text = sealed.partition(".")
        try:
            octets = urlsafe_b64decode(text)
            key = self._keys[key_id]
            return AESGCM(key).decrypt(octets[:NONCE_BYTES], octets[NONCE_BYTES:], context.encode())
        except (KeyError, ValueError, InvalidTag):
            raise CannotOpenError from None

    def knows(self, key_id: str) -> bool:
        """Whether a key of ours, present or earlier, has this id."""
        return key_id in self._keys

    def is_present(self, sealed: str) -> bool:
        """Whether the present secret has sealed this."""
        return sealed.startswith(f"{self.key_id}.")


def new_sealer(settings: Settings) -> Sealer:
    """Seal with the service's secret, and open what its earlier ones have sealed."""
    previous = [each.get_secret_value() for each in settings.previous_secret_keys]
    return Sealer(settings.secret_key.get_secret_value(), previous)


def _derive(secret: str) -> bytes:
    # One secret serves several ends, each with a prefix of its own.
    return hmac.digest(secret.encode(), _PURPOSE, "sha256")


def _id_of(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:KEY_ID_LENGTH]
