"""What the service refuses to start on: each unsafe setting is one line for the operator."""

from urllib.parse import urlsplit

from otp_auth.settings import Settings

SHORTEST_SECRET = 32  # characters: 192 bits in base64
FEWEST_DIFFERENT_CHARACTERS = 10  # "changeme" written four times is not a secret
LOWEST_PRODUCTION_COST = 10  # bcrypt rounds as a power of two

_ADVICE = "make one with: openssl rand -base64 32"


def reasons_not_to_start(settings: Settings, workers: int = 1) -> list[str]:
    """Say in one line each why these settings must not serve people; empty when they may."""
    checks = [*_everywhere(settings), *(_in_production(settings, workers) if settings.in_production else [])]
    return [reason for unsafe, reason in checks if unsafe]


def _everywhere(settings: Settings) -> list[tuple[bool, str]]:
    secret = settings.secret_key.get_secret_value()
    sinch = settings.sinch
    has_credentials = sinch.application_key.get_secret_value() and sinch.application_secret.get_secret_value()
    return [
        (not settings.database_url.get_secret_value(), "OTP_AUTH_DATABASE_URL is missing"),
        (not settings.public_url, "OTP_AUTH_PUBLIC_URL is missing: tokens name it as their issuer"),
        (not secret, f"OTP_AUTH_SECRET_KEY is missing; {_ADVICE}"),
        (bool(secret) and _is_weak(secret), f"OTP_AUTH_SECRET_KEY is weak; {_ADVICE}"),
        (
            not has_credentials,
            "OTP_AUTH_SINCH__APPLICATION_KEY and OTP_AUTH_SINCH__APPLICATION_SECRET are needed to send codes",
        ),
        (
            "*" in settings.cors_origins,
            "OTP_AUTH_CORS_ORIGINS must list origins: '*' can't go together with credentials",
        ),
    ]


def _in_production(settings: Settings, workers: int) -> list[tuple[bool, str]]:
    sqlite = settings.database_url.get_secret_value().startswith("sqlite")
    in_memory = settings.rate_limits.enabled and not settings.redis_url.get_secret_value()
    return [
        (settings.debug, "OTP_AUTH_DEBUG must be off in production"),
        (
            urlsplit(settings.sinch.base_url).scheme != "https",
            "OTP_AUTH_SINCH__BASE_URL must be https in production",
        ),
        (
            not settings.send.countries,
            "OTP_AUTH_SEND__COUNTRIES is empty: list the countries that codes may go to, such as SE,DE",
        ),
        (
            settings.passwords.bcrypt_cost < LOWEST_PRODUCTION_COST,
            f"OTP_AUTH_PASSWORDS__BCRYPT_COST must be {LOWEST_PRODUCTION_COST} or more in production",
        ),
        (
            sqlite and workers > 1,
            "SQLite serves one worker only: set OTP_AUTH_DATABASE_URL to a PostgreSQL database",
        ),
        (
            in_memory and workers > 1,
            "Flood limits in memory serve one worker only: set OTP_AUTH_REDIS_URL, or start with --workers 1",
        ),
    ]


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS
