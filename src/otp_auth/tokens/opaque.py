"""Opaque tokens: random, handed out once, known to us only by their digest."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RANDOM_BYTES = 32
NONCE_BYTES = 12  # of AES-GCM (NIST SP 800-38D 5.2.1.1)
_SEAL = b"otp-auth seal of a successor"


def new_opaque_token() -> str:
    """256 random bits, safe in URLs and headers."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def digest(token: str) -> str:
    """SHA-256 in hex. Fast on purpose: nobody searches 256 bits. Any text has one."""
    return hashlib.sha256(octets(token)).hexdigest()


def seal(token: str, under: str) -> str:
    """Encrypt a token so that only somebody who shows `under` can have it read; its digest is of no help."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return (nonce + AESGCM(_sealing_key(under)).encrypt(nonce, token.encode(), None)).hex()


def unseal(sealed: str, under: str) -> str | None:
    """Return the sealed token; None when it was sealed under another one."""
    octets = bytes.fromhex(sealed)
    try:
        return AESGCM(_sealing_key(under)).decrypt(octets[:NONCE_BYTES], octets[NONCE_BYTES:], None).decode()
    except InvalidTag:
        return None


def _sealing_key(token: str) -> bytes:
    # Keyed by the token itself: with 256 random bits an HMAC is a key derivation (RFC 5869 2.2).
    return hmac.digest(octets(token), _SEAL, "sha256")


def octets(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")
