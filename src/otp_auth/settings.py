"""What differs between environments: variables with the prefix `OTP_AUTH_`, `__` between levels."""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from otp_auth.setting_types import CommaList, Seconds, Section, ShortSeconds, whole_seconds
from otp_auth.simulator_settings import SimulatorSettings

Network = IPv4Network | IPv6Network


def _json_object(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError:
        raise ValueError('use a JSON object, such as {"gateway": "its secret"}') from None


# Characters of a password: before a second factor, and where it may stand alone (SP 800-63B-4 3.1.1.2).
SHORTEST_PASSWORD = 8
SHORTEST_PASSWORD_ALONE = 15


def _capitals(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.upper() for value in values)


def _capital_names(values: dict[str, tuple["Channel", ...]]) -> dict[str, tuple["Channel", ...]]:
    return {name.upper(): value for name, value in values.items()}


Algorithm = Literal["ES256", "EdDSA", "RS256"]
Channel = Literal["sms", "voice", "flashcall", "whatsapp"]


class SinchSettings(Section):
    """Access to Sinch's Verification API."""

    application_key: SecretStr = SecretStr("")
    application_secret: SecretStr = SecretStr("")
    base_url: str = "https://verification.api.sinch.com"
    authentication: Literal["signed", "basic"] = "signed"
    # Of codes that Sinch makes, because its request callback doesn't reach us. Ours are numeric.
    code_type: Literal["numeric", "alphanumeric"] = "numeric"
    connect_timeout: Seconds = timedelta(seconds=2)
    timeout: Seconds = timedelta(seconds=8)
    # Failures within `breaker_window` after which Sinch isn't asked, but for a probe every `breaker_probe`.
    breaker_failures: Annotated[int, Field(ge=1)] = 5
    breaker_window: Seconds = timedelta(seconds=30)
    breaker_probe: Seconds = timedelta(seconds=15)
    callback_window: Seconds = timedelta(seconds=300)  # how far a callback's clock may be from ours


class ChallengeSettings(Section):
    """One code: how long it lives, how often it may be tried and sent."""

    lifetime: Seconds = timedelta(seconds=300)
    pending_lifetime: Annotated[Seconds, Field(le=timedelta(seconds=600))] = timedelta(seconds=600)
    attempts: Annotated[int, Field(ge=1, le=5)] = 3
    sends: Annotated[int, Field(ge=1, le=10)] = 4


class GuessSettings(Section):
    """Wrong codes and passwords, in each window of time."""

    # Of one account: phone and app together, its recovery codes, its proofs at resets.

    codes_5_minutes: Annotated[int, Field(ge=1)] = 5
    codes_hour: Annotated[int, Field(ge=1)] = 20
    codes_day: Annotated[int, Field(ge=1)] = 50
    codes_30_days: Annotated[int, Field(ge=1)] = 80
    # In a row with one factor; then the factor is off until another one has been proved (SP 800-63B-4 3.2.2).
    consecutive: Annotated[int, Field(ge=1, le=100)] = 50
    # Of all registrations and password resets together: no password stands before them.
    passwordless_day: Annotated[int, Field(ge=1)] = 1000
    # Of those from one network (IPv4 /24, IPv6 /64).
    passwordless_address_5_minutes: Annotated[int, Field(ge=1)] = 10
    passwordless_address_hour: Annotated[int, Field(ge=1)] = 50
    # Wrong passwords for one identifier: from one network, and from all networks new to its account.
    passwords_address_5_minutes: Annotated[int, Field(ge=1)] = 10
    passwords_15_minutes: Annotated[int, Field(ge=1)] = 100
    # Odds, within a year, that somebody who has the password guesses a code: `doctor` refuses more.
    yearly_odds: Annotated[float, Field(gt=0, le=1)] = 0.001


class SendSettings(Section):
    """Which messages may go out."""

    # ISO 3166 alpha-2 codes, or `*` for every country.
    countries: Annotated[tuple[str, ...], NoDecode, CommaList, AfterValidator(_capitals)] = ()
    # The channels on offer, best first: sms, voice, flashcall, whatsapp.
    methods: Annotated[tuple[Channel, ...], NoDecode, CommaList, Field(min_length=1)] = ("sms", "voice")
    # Seconds between two sends to one number: the first entry after the first send, and so on.
    resend_gap: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...], NoDecode, CommaList, Field(min_length=1)
    ] = (
        60,
        120,
        300,
    )
    # `watch` refuses nothing: it only says what `enforce` would have refused.
    mode: Literal["enforce", "watch"] = "enforce"
    # Channels for a country instead of `methods`, best first: {"IN": ["whatsapp", "sms"]}.
    methods_by_country: Annotated[dict[str, tuple[Channel, ...]], AfterValidator(_capital_names)] = {}  # noqa: RUF012 - pydantic copies it
    # After so long without news of a message another channel may be asked for.
    patience: Seconds = timedelta(seconds=30)
    fallback: bool = False  # then take the next channel by itself
    # All of these are counted apart for registrations, for resets and for people who have proved a password:
    # a stranger can't use up what belongs to an account.
    per_number_hour: Annotated[int, Field(ge=0)] = 5
    per_number_day: Annotated[int, Field(ge=0)] = 10
    per_account_hour: Annotated[int, Field(ge=0)] = 10
    per_account_day: Annotated[int, Field(ge=0)] = 20
    per_address_hour: Annotated[int, Field(ge=0)] = 10  # a network: IPv4 /24, IPv6 /64
    per_address_day: Annotated[int, Field(ge=0)] = 30
    per_block_hour: Annotated[int, Field(ge=0)] = 20  # a thousand adjacent numbers
    per_block_day: Annotated[int, Field(ge=0)] = 50
    per_country_hour: Annotated[int, Field(ge=0)] = 500
    per_country_day: Annotated[int, Field(ge=0)] = 3000
    global_hour: Annotated[int, Field(ge=0)] = 1000
    global_day: Annotated[int, Field(ge=0)] = 6000
    daily_cost: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(
        100
    )  # in the currency of Sinch's prices
    price: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(
        "0.10"
    )  # of a message, until Sinch names its own
    # Messages for each one that was proved, above which a block or country gets no more registrations,
    # and the messages within an hour from which on that is judged.
    breaker_ratio: Annotated[float, Field(ge=1)] = 3.0
    breaker_minimum: Annotated[int, Field(ge=1)] = 50


class TokenSettings(Section):
    """Access and refresh tokens."""

    signing_keys_dir: Path = Path("keys")
    algorithm: Algorithm = "ES256"
    audience: str = ""  # empty: the public URL
    client_id: str = "first-party"
    access_lifetime: Seconds = timedelta(seconds=600)
    refresh_idle: Seconds = timedelta(days=7)
    refresh_absolute: Seconds = timedelta(days=30)
    # So long a spent refresh token still gets the newest one of its family; later it is theft.
    refresh_grace: ShortSeconds = timedelta(seconds=10)


class SessionSettings(Section):
    """How many logins an account may have at once."""

    per_account: Annotated[int, Field(ge=1, le=1000)] = 20  # one more ends the one used longest ago


@dataclass(frozen=True)
class SessionPolicy:
    """How long a session holds, and how many an account may have."""

    idle: timedelta
    absolute: timedelta
    grace: timedelta
    per_account: int


class TotpSettings(Section):
    """Authenticator apps."""

    issuer: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[^:]+$")] = "otp-auth"


class TrustedDeviceSettings(Section):
    """Browsers and apps in place of the second factor. Off: SP 800-63B-4 5.1 doesn't allow it."""

    enabled: bool = False
    lifetime: Annotated[Seconds, Field(le=timedelta(days=30))] = timedelta(days=30)
    per_account: Annotated[int, Field(ge=1, le=50)] = 5


@dataclass(frozen=True)
class DevicePolicy:
    """Whether devices are trusted, for how long, and how many of an account."""

    enabled: bool
    lifetime: timedelta
    grace: timedelta
    per_account: int


class PasswordResetSettings(Section):
    """A new password by a proof of the phone."""

    token_lifetime: Annotated[Seconds, Field(le=timedelta(seconds=1200))] = timedelta(seconds=900)
    # So long a reset without a second proof waits. 0: it doesn't.
    hold: Annotated[
        timedelta, BeforeValidator(whole_seconds), Field(ge=timedelta(0), le=timedelta(days=30))
    ] = timedelta(days=1)


class AuditSettings(Section):
    """What happened, and for how long it is kept."""

    retention: Seconds = timedelta(days=90)


class EventSettings(Section):
    """Events for the application that hosts the users: signed, and sent until it has them."""

    url: str = ""  # empty: none are sent
    secret: SecretStr = SecretStr("")
    timeout: Seconds = timedelta(seconds=5)
    keep_trying: Seconds = timedelta(days=7)


class StepUpSettings(Section):
    """Recent proof, for what matters."""

    max_age: Seconds = timedelta(seconds=600)  # since the last proof of a second factor


class PasswordSettings(Section):
    """Password hashing."""

    bcrypt_cost: Annotated[int, Field(ge=4, le=20)] = 12
    hash_threads: Annotated[int, Field(ge=0, le=256)] = 0  # 0: one for each core
    hash_queue: Annotated[int, Field(ge=1)] = 50


class RateLimitSettings(Section):
    """Floods: requests from one network, in the notation of the limits package."""

    enabled: bool = True
    credentials: str = "30/minute"  # register, login, forgotten passwords
    codes: str = "60/minute"  # step-up, otp/send, otp, otp/verify
    tokens: str = "60/minute"  # refresh, logout
    account: str = "120/minute"  # me
    services: str = "30/minute"  # failed authentications of service clients


class Settings(BaseSettings):
    """All settings. Read the environment, then `.env`, then what the caller presets."""

    model_config = SettingsConfigDict(
        env_prefix="OTP_AUTH_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = "production"
    debug: bool = False
    public_url: str = ""
    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    secret_key: SecretStr = SecretStr("")
    # What was sealed under these still opens; it is sealed anew under `secret_key`.
    previous_secret_keys: Annotated[tuple[SecretStr, ...], NoDecode, CommaList] = ()
    docs: bool | None = None  # None: on in development, off in production
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_token: SecretStr = SecretStr("")  # empty: no /metrics
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, CommaList] = ()
    # Who may introspect and revoke tokens: client id to secret.
    service_clients: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_json_object)] = {}
    cors_origins: Annotated[tuple[str, ...], NoDecode, CommaList] = ()

    sinch: SinchSettings = SinchSettings()
    challenge: ChallengeSettings = ChallengeSettings()
    guesses: GuessSettings = GuessSettings()
    send: SendSettings = SendSettings()
    tokens: TokenSettings = TokenSettings()
    sessions: SessionSettings = SessionSettings()
    step_up: StepUpSettings = StepUpSettings()
    totp: TotpSettings = TotpSettings()
    trusted_devices: TrustedDeviceSettings = TrustedDeviceSettings()
    password_reset: PasswordResetSettings = PasswordResetSettings()
    audit: AuditSettings = AuditSettings()
    events: EventSettings = EventSettings()
    passwords: PasswordSettings = PasswordSettings()
    rate_limits: RateLimitSettings = RateLimitSettings()
    simulator: SimulatorSettings = SimulatorSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings passes it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment above arguments: `otp-auth dev` presets, the operator decides."""
        return env_settings, dotenv_settings, init_settings

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def audience(self) -> str:
        """The `aud` of access tokens."""
        return self.tokens.audience or self.public_url

    @property
    def session_policy(self) -> SessionPolicy:
        tokens = self.tokens
        return SessionPolicy(
            tokens.refresh_idle, tokens.refresh_absolute, tokens.refresh_grace, self.sessions.per_account
        )

    @property
    def device_policy(self) -> DevicePolicy:
        devices = self.trusted_devices
        return DevicePolicy(devices.enabled, devices.lifetime, self.tokens.refresh_grace, devices.per_account)

    @property
    def shortest_password(self) -> int:
        """Of those that are set from now on. Where devices are trusted a password stands alone."""
        return SHORTEST_PASSWORD_ALONE if self.trusted_devices.enabled else SHORTEST_PASSWORD

    @property
    def docs_enabled(self) -> bool:
        return self.docs if self.docs is not None else not self.in_production

    @model_validator(mode="after")
    def _public_url_has_no_trailing_slash(self) -> Self:
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
        return self


def load_settings(**presets: Any) -> Settings:
    """Read the settings; `presets` count only where the environment says nothing.

    Raises `pydantic.ValidationError` for a value that can't be read.
    """
    return Settings(**presets)
