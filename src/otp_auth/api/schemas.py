"""All request and response bodies: the public contract on one page."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr

from otp_auth.api.bodies import Answer, Body, Moment, SparseAnswer
from otp_auth.api.fields import (
    ChannelName,
    Code,
    DeviceName,
    DisplayName,
    Email,
    FactorName,
    Identifier,
    Locale,
    LoginMethodName,
    Password,
    PhoneNumber,
    Region,
    TriedPassword,
)


class RegisterBody(Body):
    phone_number: PhoneNumber
    password: Password
    region: Region | None = None
    email: Email | None = None
    display_name: DisplayName | None = None
    locale: Locale | None = None
    method: Annotated[
        ChannelName | None, Field(description="by default the first channel on offer, mostly `sms`")
    ] = None


class LoginBody(Body):
    identifier: Identifier
    password: TriedPassword
    region: Region | None = None
    method: Annotated[
        LoginMethodName | None,
        Field(description="`none` sends nothing; by default the account's own channel"),
    ] = None
    device_token: Annotated[
        SecretStr | None, Field(min_length=1, max_length=512, description="of a trusted device; none is yet")
    ] = None


class SendBody(Body):
    method: ChannelName


class VerifyBody(Body):
    code: Code
    method: Annotated[
        FactorName | None, Field(description="by default the channel that the code went out on")
    ] = None
    trust_device: Annotated[bool, Field(description="trusted devices are not on offer yet: no effect")] = (
        False
    )
    device_name: DeviceName | None = None


class RefreshBody(Body):
    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=512, examples=["3q2-7wAAAA"])]


class LogoutBody(Body):
    everywhere: Annotated[bool, Field(description="end all sessions of the account")] = False


class ChangeMeBody(Body):
    """Fields that are left out stay as they are; null clears what may be empty."""

    display_name: DisplayName | None = None
    email: Email | None = None
    locale: Locale | None = None
    # A factory, for a default in the document would tempt clients to send it.
    preferred_method: Annotated[
        Literal["sms", "voice", "whatsapp", "totp"], Field(default_factory=lambda: "sms")
    ]


class User(Answer):
    id: str
    phone_number: str
    phone_verified_at: Moment
    email: str | None
    display_name: str | None
    locale: str | None
    created_at: Moment
    factors: list[Literal["sms", "totp", "recovery_code"]]
    preferred_method: Literal["sms", "voice", "whatsapp", "totp"]
    password_reset_at: Moment | None


class Challenge(Answer):
    id: str
    purpose: Literal["register", "login", "step_up", "phone_change", "password_reset"]
    method: ChannelName
    destination: Annotated[str | None, Field(examples=["•••••••• 89"])]
    delivery: Literal["not_sent", "sending", "sent", "delivered", "failed", "unknown"]
    code_length: int | None
    code_type: Literal["numeric", "alphanumeric", "caller_id"]
    expires_at: Moment
    resend_at: Moment | None
    attempts_left: int
    sends_left: int
    next_methods: list[ChannelName]


class OfferedMethod(SparseAnswer):
    optional_fields = frozenset({"destination"})

    method: Literal["sms", "voice", "flashcall", "whatsapp", "totp", "recovery_code"]
    destination: Annotated[str | None, Field(examples=["•••••••• 89"])] = None


class PendingState(Answer):
    """Where a ceremony stands: all that a reloaded page needs."""

    status: Literal["otp_required"] = "otp_required"
    expires_in: Annotated[int, Field(description="seconds until the pending token ends")]
    methods: list[OfferedMethod]
    challenge: Challenge | None


class Pending(PendingState):
    pending_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750


class Tokens(SparseAnswer):
    optional_fields = frozenset({"recovery_codes"})

    status: Literal["authenticated"] = "authenticated"
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    session_id: str
    user: User
    recovery_codes: Annotated[
        list[str] | None, Field(description="ten, shown once, after registration only")
    ] = None


class Health(Answer):
    status: Literal["ok"] = "ok"
    version: str


class Ready(Answer):
    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]]


class FieldError(Answer):
    field: Annotated[str, Field(examples=["body.password"])]
    rule: Annotated[str, Field(examples=["too_short"])]
    message: str


class Problem(Answer):
    """RFC 9457 problem details. Switch on `code`; `title` and `detail` are for people."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None
    attempts_left: int | None = None
