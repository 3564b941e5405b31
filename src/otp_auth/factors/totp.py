"""Codes of authenticator apps (RFC 6238): a seed is shared once, and each half minute has its own code."""

import hmac
import io
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
import segno
from loguru import logger

from otp_auth.sealing import CannotOpenError, Sealer

DIGITS = 6
TOLERANCE = 1  # steps each side: for slow fingers, and clocks that are a little off (RFC 6238 5.2)
SEED_BYTES = 20  # 160 bits (RFC 4226 4, R6)


@dataclass(frozen=True)
class Enrolment:
    """What an app has to know: to be typed, to be opened, to be scanned. Shown once."""

    secret: str
    otpauth_uri: str
    qr_svg: str


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def describe_enrolment(seed: bytes, issuer: str, account: str) -> Enrolment:
    """Say what an app is told; it shows issuer and account beside its codes."""
    secret = _in_base32(seed)
    uri = pyotp.TOTP(secret, name=account, issuer=issuer).provisioning_uri()
    return Enrolment(secret, uri, _qr_svg(uri))


def step_of(seed: bytes, code: str, now: datetime) -> int | None:
    """Return the time step that this is the code of, the newest of those good now; None for anything else.

    Plain digits only: in other scripts one code would have many spellings.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    app = pyotp.TOTP(_in_base32(seed), digits=DIGITS)
    present = app.timecode(now)
    steps = range(present - TOLERANCE, present + TOLERANCE + 1)
    return max((step for step in steps if hmac.compare_digest(app.generate_otp(step), code)), default=None)


class Seeds:
    """Seals seeds, each for its account, and opens them."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        self._has_complained = False

    def seal(self, seed: bytes, user_id: UUID) -> str:
        return self.sealer.seal(seed, str(user_id))

    def open(self, sealed: str, user_id: UUID) -> bytes | None:
        """Return the seed; None when its secret is gone. The log says once what an operator must do."""
        try:
            return self.sealer.open(sealed, str(user_id))
        except CannotOpenError:
            self._complain()
            return None

    def _complain(self) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.error(
                "an authenticator app's seed can't be opened, and its codes are refused: it was sealed with "
                "another secret; add that to OTP_AUTH_PREVIOUS_SECRET_KEYS and restart"
            )


def _in_base32(seed: bytes) -> str:
    return b32encode(seed).decode()


def _qr_svg(text: str) -> str:
    """Draw black on white, with the white margin that readers need: it can be read on a dark page too."""
    drawn = io.BytesIO()
    picture = segno.make(text, error="m", micro=False)
    picture.save(drawn, kind="svg", xmldecl=False, scale=4, border=4, dark="#000", light="#fff", nl=False)
    return drawn.getvalue().decode()
