"""One example of every part of an export, for the OpenAPI document. Made up, as in examples.py."""

from typing import Any

_ADDRESS = "203.0.113.•••"
_FIRST = "2026-03-01T09:30:00.000Z"
_LATER = "2026-03-02T17:05:00.000Z"
_END = "2026-03-31T09:30:00.000Z"

_SESSION: dict[str, Any] = {
    "id": "0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d",
    "device": "Firefox on Windows",
    "address": _ADDRESS,
    "created_at": _FIRST,
    "auth_time": _FIRST,
    "amr": ["pwd", "sms", "mfa"],
    "acr": "aal2",
    "last_used_at": _LATER,
    "idle_until": "2026-03-09T17:05:00.000Z",
    "expires_at": _END,
    "ended_at": None,
    "refreshes": 12,
}
_DEVICE: dict[str, Any] = {
    "id": "0190b3c4-9a8b-7c1d-8e2f-3a4b5c6d7e8f",
    "name": "Ada's laptop",
    "address": _ADDRESS,
    "created_at": _FIRST,
    "last_used_at": _LATER,
    "expires_at": _END,
    "ended_at": None,
}
_APP = {"created_at": _FIRST, "confirmed_at": _FIRST, "last_used_at": _LATER}
_RECOVERY_CODE = {"created_at": _FIRST, "used_at": None}
_FAILURES = {"method": "sms", "in_a_row": 1, "disabled_at": None}
_NETWORK = {"address": _ADDRESS, "last_used_at": _LATER}
_RESET: dict[str, Any] = {
    "id": "0190b3c4-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
    "created_at": _LATER,
    "expires_at": "2026-03-02T17:20:00.000Z",
    "held_until": "2026-03-05T17:05:00.000Z",
    "ended_at": _LATER,
}
_CHALLENGE: dict[str, Any] = {
    "id": "0190b3c4-6a7b-7c8d-8e9f-0a1b2c3d4e5f",
    "purpose": "login",
    "session_id": None,
    "destination": "+46701740605",
    "accept_language": "sv-SE",
    "method": "sms",
    "tried_methods": ["sms"],
    "delivery": "delivered",
    "created_at": _LATER,
    "first_sent_at": _LATER,
    "sent_at": _LATER,
    "expires_at": "2026-03-02T17:10:00.000Z",
    "closed_at": _LATER,
    "attempts_left": 3,
    "sends_left": 3,
}


def export_examples(user: dict[str, Any], event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return them by the name of their body, for this user and with this event."""
    return {
        "ExportedSession": _SESSION,
        "ExportedDevice": _DEVICE,
        "ExportedApp": _APP,
        "ExportedRecoveryCode": _RECOVERY_CODE,
        "ExportedFailures": _FAILURES,
        "ExportedNetwork": _NETWORK,
        "ExportedReset": _RESET,
        "ExportedChallenge": _CHALLENGE,
        "Export": {
            "exported_at": _LATER,
            "user": user,
            "sessions": [_SESSION],
            "devices": [_DEVICE],
            "authenticator_app": _APP,
            "recovery_codes": [_RECOVERY_CODE],
            "wrong_codes": [_FAILURES],
            "known_networks": [_NETWORK],
            "password_resets": [_RESET],
            "challenges": [_CHALLENGE],
            "events": [event],
        },
    }
