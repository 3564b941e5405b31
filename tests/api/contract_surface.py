"""What the contract says of each operation, as far as this version goes: sections 3 to 8."""

from api_surface import PARAMETERS

from support.service import API

BODY = {"malformed_request", "unsupported_media_type", "payload_too_large", "validation_failed"}
DATABASE = {"overloaded", "not_ready"}
ANY = {"internal_error"}
EVERY = DATABASE | ANY | {"rate_limited"}
OTP = EVERY | {"invalid_token", "challenge_closed"}
REFUSALS: dict[str, set[str]] = {
    "register": EVERY | BODY | {"weak_password", "phone_number_invalid", "destination_refused"},
    "logIn": EVERY | BODY | {"invalid_credentials", "too_many_attempts"},
    "stepUp": EVERY | BODY | {"invalid_token"},
    "sendCode": OTP
    | BODY
    | {"destination_refused", "resend_too_soon", "too_many_sends", "provider_unavailable"},
    "getChallenge": OTP,
    "verifyCode": OTP | BODY | {"wrong_code", "too_many_attempts", "account_exists", "provider_unavailable"},
    "refreshTokens": EVERY | BODY | {"invalid_token", "not_allowed"},
    "logOut": EVERY | BODY | {"invalid_token", "not_allowed"},
    "getMe": EVERY | {"invalid_token"},
    "changeMe": EVERY | BODY | {"invalid_token", "conflict"},
    "changePhone": EVERY
    | BODY
    | {
        "invalid_token",
        "insufficient_user_authentication",
        "conflict",
        "phone_number_invalid",
        "destination_refused",
    },
    "exportMe": EVERY | {"invalid_token", "insufficient_user_authentication"},
    "deleteMe": EVERY | {"invalid_token", "insufficient_user_authentication"},
    "listFactors": EVERY | {"invalid_token"},
    "enrolTotp": EVERY | {"invalid_token", "insufficient_user_authentication", "conflict"},
    "confirmTotp": EVERY | BODY | {"invalid_token", "wrong_code", "too_many_attempts", "conflict"},
    "removeTotp": EVERY | {"invalid_token", "insufficient_user_authentication", "not_found"},
    "renewRecoveryCodes": EVERY | BODY | {"invalid_token", "insufficient_user_authentication"},
    "listSessions": EVERY | {"invalid_token", "validation_failed"},
    "listEvents": EVERY | {"invalid_token", "validation_failed"},
    "listDevices": EVERY | {"invalid_token", "validation_failed"},
    "endDevice": EVERY | {"invalid_token", "not_found"},
    "endSession": EVERY | {"invalid_token", "not_found"},
    "endOtherSessions": EVERY | {"invalid_token"},
    "changePassword": EVERY
    | BODY
    | {
        "invalid_token",
        "insufficient_user_authentication",
        "wrong_password",
        "weak_password",
        "too_many_attempts",
    },
    "forgotPassword": EVERY | BODY,
    "resetPassword": EVERY
    | BODY
    | {
        "invalid_token",
        "weak_password",
        "proof_required",
        "wrong_code",
        "too_many_attempts",
        "challenge_closed",
    },
    "cancelPasswordReset": EVERY | {"invalid_token", "insufficient_user_authentication", "not_found"},
    "getJwks": ANY,
    "getMetadata": ANY,
    "getProblem": ANY | {"not_found"},
    "takeSinchEvent": ANY
    | {"invalid_token", "malformed_request", "payload_too_large", "overloaded", "not_ready"},
    "introspectToken": EVERY,
    "revokeToken": EVERY,
    "getHealth": ANY,
    "getLiveness": ANY,
    "getReadiness": ANY | {"not_ready"},
}
ANSWERS = {
    "register": ("202", "Pending"),
    "logIn": ("200", "LoggedIn"),
    "stepUp": ("200", "Pending"),
    "sendCode": ("202", "Challenge"),
    "getChallenge": ("200", "PendingState"),
    "verifyCode": ("200", "Verified"),
    "refreshTokens": ("200", "Tokens"),
    "logOut": ("204", None),
    "getMe": ("200", "User"),
    "changeMe": ("200", "User"),
    "listFactors": ("200", "FactorList"),
    "enrolTotp": ("201", "TotpEnrolment"),
    "confirmTotp": ("200", "Factor"),
    "removeTotp": ("204", None),
    "renewRecoveryCodes": ("200", "RecoveryCodes"),
    "listSessions": ("200", "SessionPage"),
    "listEvents": ("200", "EventPage"),
    "listDevices": ("200", "DevicePage"),
    "endDevice": ("204", None),
    "changePhone": ("202", "Pending"),
    "exportMe": ("200", "Export"),
    "deleteMe": ("204", None),
    "endSession": ("204", None),
    "endOtherSessions": ("204", None),
    "changePassword": ("204", None),
    "forgotPassword": ("202", "Pending"),
    "resetPassword": ("202", "ResetHeld"),  # or 204, see below
    "cancelPasswordReset": ("204", None),
    "introspectToken": ("200", "Introspection"),
    "revokeToken": ("200", None),
    "getHealth": ("200", "Health"),
    "getLiveness": ("200", "Health"),
    "getReadiness": ("200", "Ready"),
}
ADDRESSES = {
    f"POST {API}/auth/register",
    f"POST {API}/auth/login",
    f"POST {API}/auth/step-up",
    f"POST {API}/auth/otp/send",
    f"GET {API}/auth/otp",
    f"POST {API}/auth/otp/verify",
    f"POST {API}/auth/token/refresh",
    f"POST {API}/auth/logout",
    f"GET {API}/me",
    f"PATCH {API}/me",
    f"GET {API}/me/factors",
    f"POST {API}/me/factors/totp",
    f"POST {API}/me/factors/totp/confirm",
    f"DELETE {API}/me/factors/totp",
    f"POST {API}/me/recovery-codes",
    f"GET {API}/me/sessions",
    f"GET {API}/me/events",
    f"GET {API}/me/devices",
    f"DELETE {API}/me/devices/{PARAMETERS['device_id']}",
    f"POST {API}/me/phone",
    f"GET {API}/me/export",
    f"DELETE {API}/me",
    f"DELETE {API}/me/sessions/{PARAMETERS['session_id']}",
    f"DELETE {API}/me/sessions",
    f"POST {API}/me/password",
    f"POST {API}/auth/password/forgot",
    f"POST {API}/auth/password/reset",
    f"DELETE {API}/me/password-reset",
    "POST /webhooks/sinch",
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "POST /oauth2/introspect",
    "POST /oauth2/revoke",
    "GET /problems/not_found",
    "GET /health",
    "GET /health/live",
    "GET /health/ready",
}
