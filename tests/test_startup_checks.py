"""Each unsafe setting is one line, and safe ones are none."""

from typing import Any

import pytest

from otp_auth.settings import load_settings
from otp_auth.startup_checks import reasons_not_to_start

Json = dict[str, Any]

SECRET_KEY = "q3V0Z1hKbW5YcFJ0Y2dKd2ZsT3hQYk5u"
APPLICATION_SECRET = "AAECAwQFBgcICQoLDA0ODw=="
POSTGRES = "postgresql+asyncpg://otp:Tr0ub4dor@db.internal/otp"
SQLITE = "sqlite+aiosqlite:////var/lib/otp-auth/otp-auth.sqlite3"
REDIS = "redis://:hunter2secret@cache.internal:6379/0"
SAFE: Json = {
    "environment": "production",
    "public_url": "https://auth.example.com",
    "database_url": POSTGRES,
    "redis_url": REDIS,
    "secret_key": SECRET_KEY,
    "sinch": {"application_key": "0f1e2d3c-4b5a-6978", "application_secret": APPLICATION_SECRET},
    "send": {"countries": "SE,DE"},
    "events": {"url": "https://app.example.com/otp-auth/events", "secret": SECRET_KEY},
}
SINCH: Json = SAFE["sinch"]


def reasons(settings: Json, workers: int = 1) -> list[str]:
    return reasons_not_to_start(load_settings(**SAFE | settings), workers)


UNSAFE_EVERYWHERE = [
    *(
        pytest.param(
            {"service_clients": {"ours": SECRET_KEY, client_id: SECRET_KEY}},
            "OTP_AUTH_SERVICE_CLIENTS: the id of client 2 must be ASCII without a colon",
            id=f"client with {what} as id",
        )
        for what, client_id in {
            "nothing": "",
            "a colon": "our:gateway",
            "an accent": "gatewäy",
            "a line break": "gateway\n",
        }.items()
    ),
    pytest.param({"secret_key": ""}, "OTP_AUTH_SECRET_KEY is missing", id="no secret"),
    pytest.param({"secret_key": SECRET_KEY[:31]}, "OTP_AUTH_SECRET_KEY is weak", id="short secret"),
    pytest.param({"secret_key": "changeme" * 4}, "OTP_AUTH_SECRET_KEY is weak", id="repeated secret"),
    pytest.param({"secret_key": "a" * 64}, "OTP_AUTH_SECRET_KEY is weak", id="one letter as secret"),
    pytest.param({"database_url": ""}, "OTP_AUTH_DATABASE_URL is missing", id="no database"),
    pytest.param(
        {"database_url": "db.internal"}, "OTP_AUTH_DATABASE_URL can't be read", id="no database URL"
    ),
    pytest.param(
        {"database_url": "postgresql://db.internal/otp"},
        "OTP_AUTH_DATABASE_URL can't be read",
        id="database without our driver",
    ),
    pytest.param(
        {"database_url": "mysql+aiomysql://db.internal/otp"},
        "OTP_AUTH_DATABASE_URL can't be read",
        id="database of another kind",
    ),
    pytest.param(
        {"database_url": "postgresql+asyncpg://otp:Tr0ub4dor@db:port/otp"},
        "OTP_AUTH_DATABASE_URL can't be read",
        id="database with a nonsense port",
    ),
    pytest.param({"public_url": ""}, "OTP_AUTH_PUBLIC_URL is missing", id="no public URL"),
    pytest.param({"redis_url": "cache.internal"}, "OTP_AUTH_REDIS_URL can't be read", id="no Redis URL"),
    pytest.param(
        {"sinch": SINCH | {"application_key": ""}}, "APPLICATION_KEY and OTP_AUTH", id="no Sinch key"
    ),
    pytest.param(
        {"sinch": SINCH | {"application_secret": ""}}, "APPLICATION_SECRET are needed", id="no Sinch secret"
    ),
    pytest.param({"sinch": {}}, "are needed to send codes", id="no Sinch credentials"),
    pytest.param(
        {"sinch": SINCH | {"application_secret": "not/base64/at-all"}},
        "OTP_AUTH_SINCH__APPLICATION_SECRET is not base64",
        id="Sinch secret that isn't base64",
    ),
    pytest.param(
        {"sinch": SINCH | {"application_secret": "not/base64", "authentication": "basic"}},
        "OTP_AUTH_SINCH__APPLICATION_SECRET is not base64",
        id="not base64 with basic authentication",
    ),
    pytest.param(
        {"sinch": SINCH | {"application_key": "key\nX-Evil: 1"}},
        "OTP_AUTH_SINCH__APPLICATION_KEY is no key",
        id="Sinch key of two lines",
    ),
    pytest.param(
        {"sinch": SINCH | {"base_url": "verification.api.sinch.com"}},
        "OTP_AUTH_SINCH__BASE_URL can't be read",
        id="Sinch address without scheme",
    ),
    pytest.param(
        {"sinch": SINCH | {"base_url": "https://[verification"}},
        "OTP_AUTH_SINCH__BASE_URL can't be read",
        id="Sinch address that is none",
    ),
    pytest.param(
        {"sinch": SINCH | {"base_url": "https://sinch.test:port"}},
        "OTP_AUTH_SINCH__BASE_URL can't be read",
        id="Sinch address with a nonsense port",
    ),
    pytest.param(
        {"events": {"url": "app.example.com", "secret": SECRET_KEY}},
        "OTP_AUTH_EVENTS__URL can't be read",
        id="events to no address",
    ),
    pytest.param(
        {"events": {"url": "https://app.example.com/events"}},
        "OTP_AUTH_EVENTS__SECRET is missing or weak",
        id="events without secret",
    ),
    pytest.param(
        {"events": {"url": "https://app.example.com/events", "secret": SECRET_KEY[:31]}},
        "OTP_AUTH_EVENTS__SECRET is missing or weak",
        id="events with a short secret",
    ),
    pytest.param({"cors_origins": "*"}, "OTP_AUTH_CORS_ORIGINS must list origins", id="every origin"),
    pytest.param(
        {"cors_origins": "https://app.example.com, *"},
        "OTP_AUTH_CORS_ORIGINS must list origins",
        id="every origin in a list",
    ),
    *(
        pytest.param(
            {"rate_limits": {name: "often"}},
            f"OTP_AUTH_RATE_LIMITS__{name.upper()} can't be read",
            id=f"rate of {name}",
        )
        for name in ("credentials", "codes", "tokens", "account", "services")
    ),
]
UNSAFE_IN_PRODUCTION = [
    pytest.param({"debug": True}, 1, "OTP_AUTH_DEBUG must be off", id="debug"),
    pytest.param(
        {"sinch": SINCH | {"base_url": "http://sinch.test"}},
        1,
        "OTP_AUTH_SINCH__BASE_URL must be https",
        id="Sinch without TLS",
    ),
    pytest.param(
        {"events": {"url": "http://app.example.com/events", "secret": SECRET_KEY}},
        1,
        "OTP_AUTH_EVENTS__URL must be https",
        id="events without TLS",
    ),
    pytest.param({"send": {}}, 1, "OTP_AUTH_SEND__COUNTRIES is empty", id="no countries"),
    pytest.param(
        {"passwords": {"bcrypt_cost": 9}},
        1,
        "OTP_AUTH_PASSWORDS__BCRYPT_COST must be 10 or more",
        id="cheap hashes",
    ),
    pytest.param(
        {"service_clients": {"ours": SECRET_KEY, "gateway": SECRET_KEY[:31], "other": "changeme" * 4}},
        1,
        "OTP_AUTH_SERVICE_CLIENTS: the secret of client 2, 3 is weak",
        id="weak secrets of service clients",
    ),
    pytest.param(
        {"service_clients": {"gateway": ""}}, 1, "the secret of client 1 is weak", id="client without secret"
    ),
    pytest.param({"database_url": SQLITE}, 2, "SQLite serves one worker only", id="SQLite and two workers"),
    pytest.param(
        {"redis_url": ""}, 2, "Flood limits in memory serve one worker", id="no Redis and two workers"
    ),
]


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize(("settings", "words"), UNSAFE_EVERYWHERE)
def test_unsafe_everywhere(environment: str, settings: Json, words: str) -> None:
    found = reasons(settings | {"environment": environment})

    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(("settings", "workers", "words"), UNSAFE_IN_PRODUCTION)
def test_unsafe_in_production_alone(settings: Json, workers: int, words: str) -> None:
    in_production = reasons(settings, workers)
    in_development = reasons(settings | {"environment": "development"}, workers)

    assert len(in_production) == 1
    assert words in in_production[0]
    assert in_development == []


@pytest.mark.parametrize(
    ("settings", "workers"),
    [
        pytest.param({}, 1, id="one worker"),
        pytest.param({}, 8, id="eight workers"),
        pytest.param({"database_url": SQLITE, "redis_url": ""}, 1, id="one worker on SQLite alone"),
        pytest.param(
            {"redis_url": "", "rate_limits": {"enabled": False}}, 2, id="two workers without flood limits"
        ),
        pytest.param({"passwords": {"bcrypt_cost": 10}}, 1, id="lowest cost"),
        pytest.param({"send": {"countries": "*"}}, 1, id="every country on purpose"),
        pytest.param(
            {"sinch": SINCH | {"base_url": "https://sinch.test:8443/prefix"}}, 1, id="Sinch behind a path"
        ),
        pytest.param({"cors_origins": "https://app.example.com"}, 1, id="one origin"),
        pytest.param(
            {"service_clients": {"gateway": SECRET_KEY, "a b+c%": SECRET_KEY[::-1]}}, 1, id="two clients"
        ),
        pytest.param({"redis_url": "rediss://cache.internal"}, 2, id="Redis with TLS"),
        pytest.param({"rate_limits": {"credentials": "5/minute;100/day"}}, 1, id="two rates at once"),
    ],
)
def test_safe(settings: Json, workers: int) -> None:
    assert reasons(settings, workers) == []


def test_every_reason_is_told_at_once() -> None:
    found = reasons({"secret_key": "", "debug": True, "cors_origins": "*", "send": {}})

    assert len(found) == 4


def test_nothing_secret_is_quoted() -> None:
    unsafe: Json = {
        "secret_key": "short-secret",
        "database_url": "postgresql://otp:Tr0ub4dor@db.internal/otp",
        "redis_url": "http://:hunter2secret@cache.internal",
        "sinch": SINCH | {"application_secret": "dashboard-secret!", "application_key": "key\t"},
        "service_clients": {"gateway": "gateway-secret", "secret:as-id": SECRET_KEY},
    }

    lines = "\n".join(reasons(unsafe))

    assert lines.count("\n") == 6
    told = ("short-secret", "Tr0ub4dor", "hunter2secret", "dashboard-secret", "key\t", "gateway-", "as-id")
    assert [secret for secret in told if secret in lines] == []
