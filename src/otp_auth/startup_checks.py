"""What the service refuses to start on: each unsafe setting is one line for the operator."""

from urllib.parse import urlsplit

from limits import parse_many
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from otp_auth.phone_numbers import is_region
from otp_auth.sending.destinations import EVERYWHERE
from otp_auth.settings import EventSettings, RateLimitSettings, Settings
from otp_auth.sinch.signing import decode_secret

SHORTEST_SECRET = 32  # characters: 192 bits in base64
FEWEST_DIFFERENT_CHARACTERS = 10  # "changeme" written four times is not a secret
LOWEST_PRODUCTION_COST = 10  # bcrypt rounds as a power of two
DRIVERS = ("postgresql+asyncpg", "sqlite+aiosqlite")

ADVICE_ON_DATABASES = (
    "OTP_AUTH_DATABASE_URL can't be read: write postgresql+asyncpg://user:password@host/database "
    "or sqlite+aiosqlite:///path"
)
_ADVICE = "make one with: openssl rand -base64 32"

Checks = list[tuple[bool, str]]  # whether it is unsafe, and what to say then


def reasons_not_to_start(settings: Settings, workers: int = 1) -> list[str]:
    """Say in one line each why these settings must not serve people; empty when they may."""
    checks = [*_secrets(settings), *_addresses(settings), *_rates(settings.rate_limits)]
    checks += _service_clients(settings)
    checks += _events(settings.events, in_production=settings.in_production)
    if settings.in_production:
        checks += [*_in_production(settings), *_with_workers(settings, workers)]
    return [reason for unsafe, reason in checks if unsafe]


def _is_country(text: str) -> bool:
    return text == EVERYWHERE or is_region(text)


def is_database_address(url: str) -> bool:
    """Say whether this is the address of a database that we can use."""
    try:
        return make_url(url).drivername in DRIVERS
    except (ArgumentError, ValueError):
        return False


def _secrets(settings: Settings) -> Checks:
    secret = settings.secret_key.get_secret_value()
    key = settings.sinch.application_key.get_secret_value()
    application_secret = settings.sinch.application_secret.get_secret_value()
    return [
        (not secret, f"OTP_AUTH_SECRET_KEY is missing; {_ADVICE}"),
        (bool(secret) and _is_weak(secret), f"OTP_AUTH_SECRET_KEY is weak; {_ADVICE}"),
        (
            not (key and application_secret),
            "OTP_AUTH_SINCH__APPLICATION_KEY and OTP_AUTH_SINCH__APPLICATION_SECRET are needed to send codes",
        ),
        (
            not (key.isascii() and key.isprintable()),
            "OTP_AUTH_SINCH__APPLICATION_KEY is no key of Sinch's: copy it from the dashboard",
        ),
        (
            not _is_base64(application_secret),
            "OTP_AUTH_SINCH__APPLICATION_SECRET is not base64: copy it from the dashboard",
        ),
    ]


def _addresses(settings: Settings) -> Checks:
    url = settings.database_url.get_secret_value()
    redis_url = settings.redis_url.get_secret_value()
    return [
        (not url, "OTP_AUTH_DATABASE_URL is missing"),
        (bool(url) and not is_database_address(url), ADVICE_ON_DATABASES),
        (not settings.public_url, "OTP_AUTH_PUBLIC_URL is missing: tokens name it as their issuer"),
        (
            bool(settings.public_url) and _scheme(settings.public_url) not in {"https", "http"},
            "OTP_AUTH_PUBLIC_URL can't be read: write https://host",
        ),
        (
            bool(redis_url) and _scheme(redis_url) not in {"redis", "rediss"},
            "OTP_AUTH_REDIS_URL can't be read: write redis://host:port/0",
        ),
        (
            not all(map(_is_country, settings.send.countries)),
            "OTP_AUTH_SEND__COUNTRIES can't be read: list two-letter country codes, such as SE,DE, or *",
        ),
        (
            not all(
                names and is_region(country) for country, names in settings.send.methods_by_country.items()
            ),
            'OTP_AUTH_SEND__METHODS_BY_COUNTRY can\'t be read: write {"SE": ["sms", "voice"]}',
        ),
        (
            _scheme(settings.sinch.base_url) not in {"https", "http"},
            "OTP_AUTH_SINCH__BASE_URL can't be read: write https://host",
        ),
        (
            "*" in settings.cors_origins,
            "OTP_AUTH_CORS_ORIGINS must list origins: '*' can't go together with credentials",
        ),
    ]


def _rates(rates: RateLimitSettings) -> Checks:
    """A rate that can't be read would count as no limit at all."""
    names = ("credentials", "codes", "tokens", "account", "services")
    return [
        (
            not _is_rate(getattr(rates, name)),
            f"OTP_AUTH_RATE_LIMITS__{name.upper()} can't be read: write 30/minute",
        )
        for name in names
    ]


def _events(events: EventSettings, *, in_production: bool) -> Checks:
    if not events.url:
        return []
    scheme = _scheme(events.url)
    return [
        (
            scheme not in {"https", "http"},
            "OTP_AUTH_EVENTS__URL can't be read: write https://host/path",
        ),
        (scheme == "http" and in_production, "OTP_AUTH_EVENTS__URL must be https in production"),
        (
            _is_weak(events.secret.get_secret_value()),
            f"OTP_AUTH_EVENTS__SECRET is missing or weak: receivers can't tell our events; {_ADVICE}",
        ),
    ]


def _in_production(settings: Settings) -> Checks:
    return [
        (settings.debug, "OTP_AUTH_DEBUG must be off in production"),
        (_scheme(settings.sinch.base_url) == "http", "OTP_AUTH_SINCH__BASE_URL must be https in production"),
        (
            not settings.send.countries,
            "OTP_AUTH_SEND__COUNTRIES is empty: list the countries that codes may go to, such as SE,DE",
        ),
        (
            settings.passwords.bcrypt_cost < LOWEST_PRODUCTION_COST,
            f"OTP_AUTH_PASSWORDS__BCRYPT_COST must be {LOWEST_PRODUCTION_COST} or more in production",
        ),
    ]


def _service_clients(settings: Settings) -> Checks:
    """Names them by their place: in a list written the wrong way round the ids are the secrets."""
    numbered = list(enumerate(settings.service_clients.items(), start=1))
    unfit = [str(place) for place, (client_id, _) in numbered if not _is_client_id(client_id)]
    weak = [str(place) for place, (_, secret) in numbered if _is_weak(secret.get_secret_value())]
    return [
        (
            bool(unfit),
            f"OTP_AUTH_SERVICE_CLIENTS: the id of client {', '.join(unfit)} must be ASCII without a colon",
        ),
        (
            settings.in_production and bool(weak),
            f"OTP_AUTH_SERVICE_CLIENTS: the secret of client {', '.join(weak)} is weak; {_ADVICE}",
        ),
    ]


def _with_workers(settings: Settings, workers: int) -> Checks:
    on_sqlite = settings.database_url.get_secret_value().startswith("sqlite")
    in_memory = settings.rate_limits.enabled and not settings.redis_url.get_secret_value()
    return [
        (
            on_sqlite and workers > 1,
            "SQLite serves one worker only: set OTP_AUTH_DATABASE_URL to a PostgreSQL database",
        ),
        (
            in_memory and workers > 1,
            "Flood limits in memory serve one worker only: set OTP_AUTH_REDIS_URL, or start with --workers 1",
        ),
    ]


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS


def _is_client_id(text: str) -> bool:
    """RFC 7617 2: the first colon ends it."""
    return bool(text) and text.isascii() and text.isprintable() and ":" not in text


def _is_base64(secret: str) -> bool:
    try:
        decode_secret(secret)
    except ValueError:
        return False
    return True


def _is_rate(rate: str) -> bool:
    try:
        return bool(parse_many(rate))
    except ValueError:
        return False


def _scheme(url: str) -> str:
    """The scheme of an address; empty when it names no host."""
    try:
        parts = urlsplit(url)
        names_host = bool(parts.hostname) and parts.port != 0  # a port that is no number raises
    except ValueError:
        return ""
    return parts.scheme if names_host else ""
