"""Settings come from the environment as the contract names them."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from otp_auth.settings import Settings, load_settings


def value_of(settings: Settings, path: str) -> Any:
    value: Any = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("ENVIRONMENT", "development", "environment", "development"),
        ("DATABASE_URL", "sqlite+aiosqlite:///x", "database_url", "sqlite+aiosqlite:///x"),
        ("REDIS_URL", "redis://cache/0", "redis_url", "redis://cache/0"),
        ("PUBLIC_URL", "https://auth.example.com/", "public_url", "https://auth.example.com"),
        ("SECRET_KEY", "a-secret", "secret_key", "a-secret"),
        ("DEBUG", "true", "debug", True),
        ("SINCH__APPLICATION_KEY", "a-key", "sinch.application_key", "a-key"),
        ("SINCH__APPLICATION_SECRET", "AAEC", "sinch.application_secret", "AAEC"),
        ("SINCH__BASE_URL", "https://sinch.test", "sinch.base_url", "https://sinch.test"),
        ("TOKENS__SIGNING_KEYS_DIR", "/run/keys", "tokens.signing_keys_dir", Path("/run/keys")),
        ("TOKENS__ALGORITHM", "EdDSA", "tokens.algorithm", "EdDSA"),
        ("TOKENS__ACCESS_LIFETIME", "60", "tokens.access_lifetime", timedelta(minutes=1)),
        ("TOKENS__REFRESH_IDLE", "3600", "tokens.refresh_idle", timedelta(hours=1)),
        ("TOKENS__REFRESH_ABSOLUTE", "86400", "tokens.refresh_absolute", timedelta(days=1)),
        ("SEND__COUNTRIES", "SE, DE,", "send.countries", ("SE", "DE")),
        ("SEND__COUNTRIES", "*", "send.countries", ("*",)),
        ("SEND__COUNTRIES", "", "send.countries", ()),
        ("SEND__METHODS", "voice", "send.methods", ("voice",)),
        ("SEND__RESEND_GAP", "60,120,300", "send.resend_gap", (60, 120, 300)),
        ("SEND__RESEND_GAP", "60", "send.resend_gap", (60,)),
        ("SEND__RESEND_GAP", "0", "send.resend_gap", (0,)),
        ("RATE_LIMITS__ENABLED", "false", "rate_limits.enabled", False),
        ("SERVICE_CLIENTS", '{"a": "b"}', "service_clients", {"a": SecretStr("b")}),
        ("SERVICE_CLIENTS", "", "service_clients", {}),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8,2001:db8::/32",
            "trusted_proxies",
            (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
        ),
        ("TRUSTED_PROXIES", "127.0.0.1", "trusted_proxies", (ip_network("127.0.0.1/32"),)),
        (
            "CORS_ORIGINS",
            "https://a.example.com, https://b.example.com",
            "cors_origins",
            ("https://a.example.com", "https://b.example.com"),
        ),
        ("PASSWORDS__BCRYPT_COST", "4", "passwords.bcrypt_cost", 4),
        ("CHALLENGE__LIFETIME", "30", "challenge.lifetime", timedelta(seconds=30)),
        ("CHALLENGE__ATTEMPTS", "5", "challenge.attempts", 5),
        ("CHALLENGE__SENDS", "2", "challenge.sends", 2),
        ("CHALLENGE__PENDING_LIFETIME", "600", "challenge.pending_lifetime", timedelta(minutes=10)),
    ],
)
def test_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, path: str, value: object
) -> None:
    monkeypatch.setenv(f"OTP_AUTH_{variable}", text)

    assert value_of(load_settings(), path) == value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("environment", "production"),
        ("debug", False),
        ("sinch.base_url", "https://verification.api.sinch.com"),
        ("tokens.algorithm", "ES256"),
        ("send.countries", ()),
        ("send.resend_gap", (60, 120, 300)),
        ("rate_limits.enabled", True),
        ("passwords.bcrypt_cost", 12),
        ("challenge.lifetime", timedelta(minutes=5)),
        ("docs_enabled", False),
    ],
)
def test_the_default_is_the_careful_one(path: str, value: object) -> None:
    assert value_of(load_settings(), path) == value


class TestPrecedence:
    def test_the_environment_wins_over_a_file_and_the_file_over_presets(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("OTP_AUTH_CHALLENGE__SENDS=2\nOTP_AUTH_CHALLENGE__ATTEMPTS=2\n")
        monkeypatch.setenv("OTP_AUTH_CHALLENGE__SENDS", "1")

        settings = load_settings(challenge={"sends": 3, "attempts": 3, "lifetime": 33})

        assert settings.challenge.sends == 1
        assert settings.challenge.attempts == 2
        assert settings.challenge.lifetime == timedelta(seconds=33)

    def test_lists_are_replaced_and_not_joined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OTP_AUTH_SEND__COUNTRIES", "SE")

        assert load_settings(send={"countries": "DE,FR,NO"}).send.countries == ("SE",)

    def test_what_stands_in_the_file_for_others_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nOTP_AUTH_IMAGE=y\n")

        assert load_settings().environment == "production"


@pytest.mark.parametrize(
    ("variable", "text", "location"),
    [
        pytest.param("ENVIRONMENT", "staging-7", ("environment",), id="unknown word"),
        pytest.param("DEBUG", "perhaps-7", ("debug",), id="no boolean"),
        pytest.param("CHALLENGE__ATTEMPTS", "6", ("challenge", "attempts"), id="more attempts than allowed"),
        pytest.param("CHALLENGE__ATTEMPTS", "0", ("challenge", "attempts"), id="no attempt"),
        pytest.param("CHALLENGE__LIFETIME", "5m-7", ("challenge", "lifetime"), id="no whole seconds"),
        pytest.param("CHALLENGE__LIFETIME", "0", ("challenge", "lifetime"), id="no time at all"),
        pytest.param("CHALLENGE__LIFETIME", "-60", ("challenge", "lifetime"), id="time before"),
        pytest.param(
            "CHALLENGE__PENDING_LIFETIME", "601", ("challenge", "pending_lifetime"), id="longer than allowed"
        ),
        pytest.param("SEND__RESEND_GAP", "60,soon-7", ("send", "resend_gap", 1), id="gap is no number"),
        pytest.param("SEND__RESEND_GAP", "-1", ("send", "resend_gap", 0), id="gap before"),
        pytest.param("SEND__RESEND_GAP", ",", ("send", "resend_gap"), id="no gap"),
        pytest.param("SEND__METHODS", "pigeon-7", ("send", "methods", 0), id="unknown channel"),
        pytest.param("TOKENS__ALGORITHM", "HS256-7", ("tokens", "algorithm"), id="unknown algorithm"),
        pytest.param("PASSWORDS__BCRYPT_COST", "3", ("passwords", "bcrypt_cost"), id="cost too low"),
        pytest.param("LOG_LEVEL", "CHATTY-7", ("log_level",), id="unknown level"),
        *(
            pytest.param(f"SIMULATOR__{name.upper()}", text, ("simulator", name), id=f"{name} {text}")
            for name in ("delivery_delay", "price_delay", "look_up_by_number", "start_gap")
            for text in ("315360001", "-1")
        ),
        *(
            pytest.param(
                "SIMULATOR__DELIVERY_DELAY", text, ("simulator", "delivery_delay"), id=f"delay {text}"
            )
            for text in ("inf", "nan")
        ),
    ],
)
def test_what_cant_be_read_is_an_error_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, location: tuple[str | int, ...]
) -> None:
    monkeypatch.setenv(f"OTP_AUTH_{variable}", text)

    with pytest.raises(ValidationError) as refusal:
        load_settings()

    assert [error["loc"] for error in refusal.value.errors()] == [location]


def test_secrets_hide_from_whoever_prints_settings() -> None:
    settings = load_settings(
        secret_key="visible-1",
        database_url="visible-2",
        redis_url="visible-3",
        sinch={"application_key": "visible-4", "application_secret": "visible-5"},
    )

    assert "visible" not in f"{settings!r} {settings}"
    assert "visible" not in settings.model_dump_json()


def test_secrets_of_service_clients_are_not_shown() -> None:
    settings = load_settings(service_clients={"gateway": "a-secret"})

    assert "a-secret" not in repr(settings) + str(settings) + settings.model_dump_json()
