"""One example of every body, for the OpenAPI document. Made up: no number of these is anybody's."""

from typing import Any

from otp_auth.api.export_examples import export_examples

EXAMPLE_URL = "https://auth.example.com"
EXAMPLE_REQUEST_ID = "5f2c1e0b9a7d4c38a1b6e0d2f3c4b5a6"
PHONE = "+46701740605"  # kept free by the Swedish regulator for fiction
DESTINATION = "•••••••• 05"
PASSWORD = "Quiet-Harbour-Lantern-58"  # noqa: S105 - an example
NEW_PASSWORD = "Amber-Meadow-Compass-31"  # noqa: S105 - an example
TOKEN = "eyJhbGciOiJFUzI1NiJ9.…"  # noqa: S105 - cut short
REFRESH_TOKEN = "3q2-7wzK…"  # noqa: S105 - cut short

RESET_TOKEN = "Zk41-bQv8T…"  # noqa: S105 - cut short

_USER: dict[str, Any] = {
    "id": "0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "phone_number": PHONE,
    "phone_verified_at": "2026-03-01T09:30:00.000Z",
    "email": "ada@example.com",
    "display_name": "Ada",
    "locale": "sv-SE",
    "created_at": "2026-03-01T09:30:00.000Z",
    "factors": ["sms", "recovery_code"],
    "preferred_method": "sms",
    "password_reset_at": None,
}
_CHALLENGE: dict[str, Any] = {
    "id": "0190b3c4-6a7b-7c8d-8e9f-0a1b2c3d4e5f",
    "purpose": "login",
    "method": "sms",
    "destination": DESTINATION,
    "delivery": "sent",
    "code_length": 6,
    "code_type": "numeric",
    "expires_at": "2026-03-01T09:35:00.000Z",
    "resend_at": "2026-03-01T09:31:00.000Z",
    "attempts_left": 3,
    "sends_left": 3,
    "next_methods": [],
}
_OFFERED_METHOD = {"method": "sms", "destination": DESTINATION}
_PENDING_STATE: dict[str, Any] = {
    "status": "otp_required",
    "expires_in": 600,
    "methods": [_OFFERED_METHOD, {"method": "recovery_code"}],
    "challenge": _CHALLENGE,
}
_SESSION: dict[str, Any] = {
    "id": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
    "created_at": "2026-03-01T09:31:00.000Z",
    "last_used_at": "2026-03-02T17:05:00.000Z",
    "device": "Firefox on Windows",
    "address": "203.0.113.•••",
    "current": True,
}
_DEVICE: dict[str, Any] = {
    "id": "0190b3c4-9a0b-7c1d-8e2f-4a5b6c7d8e9f",
    "name": "Ada's phone",
    "created_at": "2026-03-01T09:31:00.000Z",
    "last_used_at": "2026-03-02T17:05:00.000Z",
    "expires_at": "2026-03-31T09:31:00.000Z",
    "address": "203.0.113.•••",
}
_FACTOR: dict[str, Any] = {
    "method": "totp",
    "destination": None,
    "created_at": "2026-03-01T09:40:00.000Z",
    "last_used_at": "2026-03-02T17:05:00.000Z",
    "disabled": False,
}
_EVENT: dict[str, Any] = {
    "id": "0190b3c4-8f9a-7b1c-8d2e-3f4a5b6c7d8e",
    "name": "login_succeeded",
    "at": "2026-03-01T09:31:00.000Z",
    "session_id": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
    "address": "203.0.113.•••",
    "detail": {"method": "sms", "new_network": True},
}
_RESET_PROOF = {"method": "totp", "code": "482915"}
FIELD_ERROR = {"field": "body.password", "rule": "too_short", "message": "Use at least 8 characters"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "RegisterBody": {"phone_number": PHONE, "password": PASSWORD, "email": "ada@example.com"},
    "LoginBody": {"identifier": PHONE, "password": PASSWORD},
    "SendBody": {"method": "voice"},
    "VerifyBody": {"code": "482915"},
    "StepUpBody": {"method": "sms"},
    "RefreshBody": {"refresh_token": REFRESH_TOKEN},
    "EmptyBody": {},
    "LogoutBody": {"everywhere": False},
    "ChangeMeBody": {"display_name": "Ada", "locale": "sv-SE"},
    "ChangePasswordBody": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "User": _USER,
    "Challenge": _CHALLENGE,
    "OfferedMethod": _OFFERED_METHOD,
    "PendingState": _PENDING_STATE,
    "Pending": {"pending_token": TOKEN, "token_type": "Bearer", **_PENDING_STATE},
    "Tokens": {
        "status": "authenticated",
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": REFRESH_TOKEN,
        "refresh_expires_in": 604800,
        "session_id": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
        "user": _USER,
    },
    "Elevated": {
        "status": "elevated",
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 600,
    },
    "ChangePhoneBody": {"phone_number": PHONE},
    "PhoneChanged": {"status": "phone_changed", "user": _USER},
    "ForgotPasswordBody": {"identifier": PHONE},
    "ResetAllowed": {
        "status": "reset_allowed",
        "reset_token": RESET_TOKEN,
        "expires_in": 900,
        "proof_required": False,
    },
    "ResetProof": _RESET_PROOF,
    "ResetPasswordBody": {"new_password": NEW_PASSWORD, "proof": _RESET_PROOF},
    "ResetHeld": {"status": "held", "effective_at": "2026-03-02T09:31:00.000Z"},
    "RecoveryCodes": {"recovery_codes": ["MFRG-G2LT-ONUG-C4TD-OJ2W-K3TF", "…"]},
    "TotpEnrolment": {
        "secret": "MFRGG2LTONUGC4TDOJ2WK3TFMFRGG2LT",
        "otpauth_uri": (
            "otpauth://totp/Example:%2B46701740605?secret=MFRGG2LTONUGC4TDOJ2WK3TFMFRGG2LT&issuer=Example"
        ),
        "qr_svg": '<svg xmlns="http://www.w3.org/2000/svg" width="196" height="196" class="segno">…</svg>',
    },
    "ConfirmTotpBody": {"code": "482915"},
    "Factor": _FACTOR,
    "FactorList": {"items": [_FACTOR], "next_cursor": None},
    "Session": _SESSION,
    "SessionPage": {"items": [_SESSION], "next_cursor": None},
    "Device": _DEVICE,
    "DevicePage": {"items": [_DEVICE], "next_cursor": None},
    "Event": _EVENT,
    "EventPage": {"items": [_EVENT], "next_cursor": None},
    **export_examples(_USER, _EVENT),
    "Introspection": {
        "active": True,
        "token_type": "Bearer",
        "iss": EXAMPLE_URL,
        "sub": "0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
        "aud": EXAMPLE_URL,
        "exp": 1772358600,
        "iat": 1772358000,
        "jti": "6f1c1f0e-3a52-4f0b-8f5e-1d2c3b4a5968",
        "client_id": "first-party",
        "sid": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
        "auth_time": 1772357400,
        "amr": ["pwd", "sms", "mfa"],
        "acr": "aal2",
    },
    "OAuthRefusal": {
        "error": "invalid_request",
        "error_description": "Send exactly one token, as application/x-www-form-urlencoded in UTF-8.",
    },
    "Health": {"status": "ok", "version": "1.0.0"},
    "Ready": {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}},
    "FieldError": FIELD_ERROR,
    "ProblemExplanation": {
        "type": f"{EXAMPLE_URL}/problems/wrong_password",
        "title": "Wrong password",
        "status": 400,
        "detail": "That is not the present password.",
        "code": "wrong_password",
        "meaning": "The present password is another one.",
        "when": "`POST /me/password`, to somebody who is logged in.",
        "show": "At the field of the present password: that is not your password.",
        "next_step": "Let them try again. After too many tries the answer is `too_many_attempts`.",
        "example": {
            "type": f"{EXAMPLE_URL}/problems/wrong_password",
            "title": "Wrong password",
            "status": 400,
            "detail": "That is not the present password.",
            "code": "wrong_password",
            "request_id": EXAMPLE_REQUEST_ID,
        },
    },
    "Problem": {
        "type": f"{EXAMPLE_URL}/problems/validation_failed",
        "title": "Some fields are not valid",
        "status": 422,
        "detail": "Correct the fields named in `errors`.",
        "code": "validation_failed",
        "request_id": EXAMPLE_REQUEST_ID,
        "errors": [FIELD_ERROR],
    },
}
