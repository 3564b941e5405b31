"""Named examples of operations whose bodies come in several shapes. Others have one: see `EXAMPLES`."""

from typing import Any

from otp_auth.api.examples import EXAMPLES, NEW_PASSWORD, PASSWORD, PHONE

Examples = dict[str, dict[str, Any]]

_EMAIL = "ada@example.com"
_NATIONAL = {"phone_number": "070-174 06 05", "region": "SE"}
_DEVICE_TOKEN = "0190b3c4-9a0b.Xq3…"  # noqa: S105 - cut short
_RECOVERY_CODE = "MFRG-G2LT-ONUG-C4TD-OJ2W-K3TF"
_APP, _RECOVERY = {"method": "totp"}, {"method": "recovery_code"}
_PENDING, _TOKENS, _CHALLENGE = EXAMPLES["Pending"], EXAMPLES["Tokens"], EXAMPLES["Challenge"]
_LATER = "2026-03-01T09:33:00.000Z"
_RECOVERY_CODES = [
    _RECOVERY_CODE,
    "NBSW-Y3DP-EB3W-64TM-MQQH-I2DF",
    "OJSS-A2LT-EBQW-4ZDX-NBSX-EZJA",
    "MRXW-O4ZA-MJ2X-I3TP-OQQG-C3DM",
    "ONUX-A5DF-MVXC-A4TF-NRQX-I2LP",
    "NZZS-A33G-EB2G-QZJA-MFTX-EZLT",
    "MFXG-IIDU-NBSS-A33U-NBSX-EIDP",
    "NZSS-A5DI-MF2C-A53B-OMQG-2ZLB",
    "NZ2C-AZTP-OIQH-I2DF-EBZG-65LO",
    "MR2G-QZJA-ORUG-S3TH-OMQG-C3DM",
]


def _named(**values: tuple[str, dict[str, Any]]) -> Examples:
    return {name: {"summary": summary, "value": value} for name, (summary, value) in values.items()}


def _pending(challenge: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return _PENDING | {"challenge": _CHALLENGE | challenge if challenge is not None else None} | changes


def _state(**challenge: Any) -> dict[str, Any]:
    return EXAMPLES["PendingState"] | {"challenge": _CHALLENGE | challenge}


_NOT_SENT = {"delivery": "not_sent", "resend_at": _LATER, "sends_left": 4, "next_methods": []}
_FAILED = {"delivery": "failed", "resend_at": "2026-03-01T09:30:00.000Z", "next_methods": ["voice", "sms"]}
_SECOND = {"resend_at": _LATER, "sends_left": 2}
_PHONE_ALONE = [EXAMPLES["OfferedMethod"]]
_OF_RESET: dict[str, Any] = {"purpose": "password_reset", "destination": None, "delivery": "unknown"}

REQUESTS: dict[str, Examples] = {
    "register": _named(
        least=("A number and a password", {"phone_number": PHONE, "password": PASSWORD}),
        national=("A national number", _NATIONAL | {"password": PASSWORD}),
        all=(
            "All there is, and the code by a call",
            EXAMPLES["RegisterBody"] | {"display_name": "Ada", "locale": "sv-SE", "method": "voice"},
        ),
    ),
    "logIn": _named(
        phone=("By phone number", {"identifier": PHONE, "password": PASSWORD}),
        email=("By e-mail address", {"identifier": _EMAIL, "password": PASSWORD}),
        app=("Without a message: an app will prove it", EXAMPLES["LoginBody"] | {"method": "none"}),
        device=("On a trusted device", EXAMPLES["LoginBody"] | {"device_token": _DEVICE_TOKEN}),
    ),
    "sendCode": _named(
        again=("The same way again", {"method": "sms"}), call=("Call me instead", {"method": "voice"})
    ),
    "verifyCode": _named(
        message=("The code of the message", {"code": "482915"}),
        app=("A code of the app", {"code": "482915"} | _APP),
        recovery_code=("A recovery code", {"code": _RECOVERY_CODE} | _RECOVERY),
        device=(
            "With a name for the session, and no code next time",
            {"code": "482915", "device_name": "Ada's phone", "trust_device": True},
        ),
    ),
    "refreshTokens": _named(
        body=("The token in the body", EXAMPLES["RefreshBody"]), cookie=("In cookie mode", {})
    ),
    "logOut": _named(
        here=("This session", {"everywhere": False}), everywhere=("All sessions", {"everywhere": True})
    ),
    "changeMe": _named(
        name=("Name and language", EXAMPLES["ChangeMeBody"]),
        email=("No e-mail address any more", {"email": None}),
        app=("Log in by the app", {"preferred_method": "totp"}),
    ),
    "changePhone": _named(
        international=("An international number", {"phone_number": "+46701740606"}),
        national=("A national number, and a call", _NATIONAL | {"method": "voice"}),
    ),
    "stepUp": _named(
        usual=("By the account's own channel", {}),
        call=("By a call", {"method": "voice"}),
        app=("Without a message: an app will prove it", {"method": "none"}),
    ),
    "forgotPassword": _named(
        phone=("By phone number", {"identifier": PHONE}), email=("By e-mail address", {"identifier": _EMAIL})
    ),
    "resetPassword": _named(
        app=("With a code of the app: at once", EXAMPLES["ResetPasswordBody"]),
        recovery_code=(
            "With a recovery code: at once",
            {"new_password": NEW_PASSWORD, "proof": {"code": _RECOVERY_CODE} | _RECOVERY},
        ),
        held=("Without a second proof: held", {"new_password": NEW_PASSWORD}),
    ),
}

ANSWERS: dict[tuple[str, str], Examples] = {
    ("register", "202"): _named(
        sent=(
            "A code is on its way",
            _pending({"purpose": "register", "destination": "•••••••• 05"}, methods=_PHONE_ALONE),
        ),
        not_sent=(
            "Not yet: see resend_at",
            _pending({"purpose": "register"} | _NOT_SENT, methods=_PHONE_ALONE),
        ),
        failed=(
            "The message failed: offer a call",
            _pending({"purpose": "register"} | _FAILED, methods=_PHONE_ALONE),
        ),
    ),
    ("logIn", "200"): _named(
        sent=("A code is on its way", _PENDING),
        not_sent=("Within the cool-down: see resend_at", _pending(_NOT_SENT)),
        app=("Nothing sent: the app proves it", _pending(methods=[_APP, _RECOVERY])),
        device=("A trusted device: no code", _TOKENS | {"device_token": _DEVICE_TOKEN}),
    ),
    ("sendCode", "202"): _named(
        sent=("A code is on its way", _CHALLENGE | _SECOND),
        call=("A call", _CHALLENGE | _SECOND | {"method": "voice"}),
        unknown=("Nothing was heard of it yet", _CHALLENGE | _SECOND | {"delivery": "unknown"}),
    ),
    ("getChallenge", "200"): _named(
        sent=("On its way", _state()),
        quiet=("Nothing was heard of it for half a minute: offer a call", _state(next_methods=["voice"])),
        delivered=("It has arrived", _state(delivery="delivered")),
        failed=("It failed: offer another way", _state(**_FAILED)),
    ),
    ("verifyCode", "200"): _named(
        registered=("Registered: show the recovery codes", _TOKENS | {"recovery_codes": _RECOVERY_CODES}),
        logged_in=("Logged in", _TOKENS),
        cookie=(
            "Logged in, in cookie mode",
            {name: value for name, value in _TOKENS.items() if name != "refresh_token"},
        ),
        trusted=("Logged in on a device that is trusted now", _TOKENS | {"device_token": _DEVICE_TOKEN}),
        elevated=("After a step-up", EXAMPLES["Elevated"]),
        phone_changed=("After a phone change", EXAMPLES["PhoneChanged"]),
        reset_allowed=("After a forgotten password", EXAMPLES["ResetAllowed"]),
        reset_with_proof=(
            "After a forgotten password, of an account with an app",
            EXAMPLES["ResetAllowed"] | {"proof_required": True},
        ),
    ),
    ("refreshTokens", "200"): _named(
        body=("The successor in the body", _TOKENS),
        cookie=(
            "In cookie mode",
            {name: value for name, value in _TOKENS.items() if name != "refresh_token"},
        ),
    ),
    ("stepUp", "200"): _named(
        sent=("A code is on its way", _pending({"purpose": "step_up"})),
        app=("Nothing sent: the app proves it", _pending(methods=[_APP, _RECOVERY])),
    ),
    ("changePhone", "202"): _named(
        sent=(
            "A code is on its way to the new number",
            _pending(
                {"purpose": "phone_change", "destination": "•••••••• 06"},
                methods=[{"method": "sms", "destination": "•••••••• 06"}],
            ),
        ),
    ),
    ("forgotPassword", "202"): _named(
        asked=(
            "The same whether or not there is an account",
            _pending(_OF_RESET, methods=[{"method": "sms"}]),
        ),
    ),
}
