"""Our own codes: derived from the challenge, so stored nowhere, and the same on any worker."""

import hmac
from uuid import UUID

from otp_auth.challenges.models import CodeType
from otp_auth.sending.channels import Channel

LENGTH = 6  # digits: 20 bits, the least for a code on the phone (ASVS 6.5.4)
_PURPOSE = b"otp-auth code of challenge "  # the secret may serve other ends, each with a prefix of its own


class Codes:
    """Makes and judges the codes of challenges."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, challenge_id: UUID) -> str:
        """Return the code: the first 64 bits of an HMAC-SHA-256; no digit is likelier than others."""
        digest = hmac.digest(self._secret, _PURPOSE + challenge_id.bytes, "sha256")
        return f"{int.from_bytes(digest[:8]) % 10**LENGTH:0{LENGTH}}"

    def is_right(self, challenge_id: UUID, code: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(code.encode(), self.of(challenge_id).encode())


def code_type_of_sinch(channel: Channel | None, texts: CodeType) -> CodeType:
    """What a code is like that Sinch makes; `texts` is what it was asked to put into texts."""
    if channel is Channel.FLASHCALL:
        return CodeType.CALLER_ID
    return texts if channel in {Channel.SMS, Channel.WHATSAPP} else CodeType.NUMERIC
