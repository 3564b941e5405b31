"""One example of every body, for the OpenAPI document. Made up: no number of these is anybody's."""

from typing import Any

PHONE = "+46701740605"  # kept free by the Swedish regulator for fiction
DESTINATION = "•••••••• 05"
PASSWORD = "Quiet-Harbour-Lantern-58"  # noqa: S105 - an example
TOKEN = "eyJhbGciOiJFUzI1NiJ9.…"  # noqa: S105 - cut short
REFRESH_TOKEN = "3q2-7wzK…"  # noqa: S105 - cut short

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
    "next_methods": ["voice"],
}
_OFFERED_METHOD = {"method": "sms", "destination": DESTINATION}
_PENDING_STATE: dict[str, Any] = {
    "status": "otp_required",
    "expires_in": 600,
    "methods": [_OFFERED_METHOD, {"method": "recovery_code"}],
    "challenge": _CHALLENGE,
}
_FIELD_ERROR = {"field": "body.password", "rule": "too_short", "message": "Use at least 8 characters"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "RegisterBody": {"phone_number": PHONE, "password": PASSWORD, "email": "ada@example.com"},
    "LoginBody": {"identifier": PHONE, "password": PASSWORD},
    "SendBody": {"method": "voice"},
    "VerifyBody": {"code": "482915"},
    "RefreshBody": {"refresh_token": REFRESH_TOKEN},
    "LogoutBody": {"everywhere": False},
    "ChangeMeBody": {"display_name": "Ada", "locale": "sv-SE"},
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
    "Health": {"status": "ok", "version": "1.0.0"},
    "Ready": {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}},
    "FieldError": _FIELD_ERROR,
    "Problem": {
        "type": "https://auth.example.com/problems/validation_failed",
        "title": "Some fields are not valid",
        "status": 422,
        "detail": "Correct the fields named in `errors`.",
        "code": "validation_failed",
        "request_id": "0190b3c4",
        "errors": [_FIELD_ERROR],
    },
}
