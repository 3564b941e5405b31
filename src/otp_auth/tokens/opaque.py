"""Opaque tokens: random, handed out once, known to us only by their digest."""

import hashlib
import secrets

RANDOM_BYTES = 32


def new_opaque_token() -> str:
    """256 random bits, safe in URLs and headers."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def digest(token: str) -> str:
    """SHA-256 in hex. Fast on purpose: nobody searches 256 bits. Any text has one."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
