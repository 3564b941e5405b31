"""Tokens of trusted devices: which device, 256 random bits, and a mark that they are ours.

Only a digest is stored. The mark lets nobody in: it tells an old token of ours, which somebody has copied,
from one that somebody has made up.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from otp_auth.tokens.opaque import digest, octets

_PURPOSE = b"otp-auth mark of a device token "  # the secret serves other ends too, each with its own prefix
_MARK_LENGTH = 32  # hex digits


@dataclass(frozen=True)
class ShownDeviceToken:
    """What somebody shows; nothing of it is proved but `is_ours`."""

    text: str
    device_id: UUID
    is_ours: bool

    @property
    def digest(self) -> str:
        return digest(self.text)


class DeviceTokens:
    """Writes and reads them. Marks of earlier secrets of the service hold too."""

    def __init__(self, secret: str, previous: Iterable[str] = ()) -> None:
        self._secrets = [each.encode() for each in (secret, *previous)]

    def write(self, device_id: UUID, secret: str) -> str:
        return _write(self._secrets[0], device_id, secret)

    def find(self, device_id: UUID, secret: str, known_digest: str) -> str | None:
        """Return the token that has this digest, though the service's secret may have changed since."""
        written = (_write(each, device_id, secret) for each in self._secrets)
        return next((token for token in written if digest(token) == known_digest), None)

    def read(self, token: str) -> ShownDeviceToken | None:
        """None for what no token of ours looks like."""
        device_id, secret, mark = (*token.split("."), "", "")[:3]
        try:
            parsed = UUID(hex=device_id)
        except ValueError:
            return None
        if token != f"{parsed.hex}.{secret}.{mark}":
            return None
        marks = [_mark(each, parsed, secret) for each in self._secrets]
        is_ours = any(hmac.compare_digest(octets(mark), octets(each)) for each in marks)
        return ShownDeviceToken(token, parsed, is_ours)


def _write(key: bytes, device_id: UUID, secret: str) -> str:
    return f"{device_id.hex}.{secret}.{_mark(key, device_id, secret)}"


def _mark(key: bytes, device_id: UUID, secret: str) -> str:
    return hmac.digest(key, _PURPOSE + device_id.bytes + octets(secret), "sha256").hex()[:_MARK_LENGTH]
