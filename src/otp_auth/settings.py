"""What differs between environments: variables with the prefix `OTP_AUTH_`, `__` between levels."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

Network = IPv4Network | IPv6Network


def _whole_seconds(value: object) -> object:
    try:
        return timedelta(seconds=int(value)) if isinstance(value, int | str) else value
    except (ValueError, OverflowError):
        raise ValueError("use whole seconds, such as 300") from None


def _comma_list(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value if not isinstance(value, int) else (value,)


LONGEST = timedelta(days=3650)  # beyond it a moment may not exist


def _capitals(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.upper() for value in values)


Seconds = Annotated[timedelta, BeforeValidator(_whole_seconds), Field(gt=timedelta(0), le=LONGEST)]
CommaList = BeforeValidator(_comma_list)
Algorithm = Literal["ES256", "EdDSA", "RS256"]
Channel = Literal["sms", "voice", "flashcall", "whatsapp"]


class Section(BaseModel, frozen=True):
    """One level of the settings."""


class SinchSettings(Section):
    """Access to Sinch's Verification API."""

    application_key: SecretStr = SecretStr("")
    application_secret: SecretStr = SecretStr("")
    base_url: str = "https://verification.api.sinch.com"
    authentication: Literal["signed", "basic"] = "signed"
    connect_timeout: Seconds = timedelta(seconds=2)
    timeout: Seconds = timedelta(seconds=8)


class ChallengeSettings(Section):
    """One code: how long it lives, how often it may be tried and sent."""

    lifetime: Seconds = timedelta(seconds=300)
    pending_lifetime: Annotated[Seconds, Field(le=timedelta(seconds=600))] = timedelta(seconds=600)
    attempts: Annotated[int, Field(ge=1, le=5)] = 3
    sends: Annotated[int, Field(ge=1, le=10)] = 4


class GuessSettings(Section):
    """Wrong codes of one account, over all its factors, in each window of time."""

    codes_5_minutes: Annotated[int, Field(ge=1)] = 5
    codes_hour: Annotated[int, Field(ge=1)] = 20
    codes_day: Annotated[int, Field(ge=1)] = 50
    codes_30_days: Annotated[int, Field(ge=1)] = 80
    # Of all registrations together: no password stands before them.
    passwordless_day: Annotated[int, Field(ge=1)] = 1000


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


class TokenSettings(Section):
    """Access and refresh tokens."""

    signing_keys_dir: Path = Path("keys")
    algorithm: Algorithm = "ES256"
    audience: str = ""  # empty: the public URL
    client_id: str = "first-party"
    access_lifetime: Seconds = timedelta(seconds=600)
    refresh_idle: Seconds = timedelta(days=7)
    refresh_absolute: Seconds = timedelta(days=30)


class PasswordSettings(Section):
    """Password hashing."""

    bcrypt_cost: Annotated[int, Field(ge=4, le=20)] = 12
    hash_threads: Annotated[int, Field(ge=0, le=256)] = 0  # 0: one for each core
    hash_queue: Annotated[int, Field(ge=1)] = 50


class RateLimitSettings(Section):
    """Floods: requests from one address, in the notation of the limits package."""

    enabled: bool = True
    credentials: str = "30/minute"  # register, login
    codes: str = "60/minute"  # otp/send, otp, otp/verify
    tokens: str = "60/minute"  # refresh, logout
    account: str = "120/minute"  # me


class SimulatorSettings(Section):
    """How the Sinch simulator plays what Sinch does not publish. Never read in production."""

    code_lifetime: Seconds = timedelta(seconds=300)
    wrong_tries: Annotated[int, Field(ge=1)] = 3  # the last of them closes the verification
    start_gap: Annotated[int, Field(ge=0)] = 0  # seconds between two starts for one number


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
    docs: bool | None = None  # None: on in development, off in production
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, CommaList] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode, CommaList] = ()

    sinch: SinchSettings = SinchSettings()
    challenge: ChallengeSettings = ChallengeSettings()
    guesses: GuessSettings = GuessSettings()
    send: SendSettings = SendSettings()
    tokens: TokenSettings = TokenSettings()
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
