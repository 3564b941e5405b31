"""What a client gets."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from otp_auth.api.bodies import Answer, Moment, SparseAnswer
from otp_auth.api.fields import ChannelName


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
    optional_fields = frozenset({"recovery_codes", "refresh_token", "device_token"})

    status: Literal["authenticated"] = "authenticated"
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: int
    refresh_token: Annotated[str | None, Field(description="left out in cookie mode: the cookie has it")] = (
        None
    )
    refresh_expires_in: int
    session_id: str
    user: User
    recovery_codes: Annotated[
        list[str] | None, Field(description="ten, shown once, after registration only")
    ] = None
    device_token: Annotated[
        str | None,
        Field(description="of a trusted device: for its next login, where another one is in the answer"),
    ] = None


# What a right password brings, told apart by `status`.
LoggedIn = Annotated[Pending | Tokens, Field(discriminator="status")]


class Elevated(Answer):
    status: Literal["elevated"] = "elevated"
    access_token: Annotated[
        str,
        Field(description="of the same session, with a fresh `auth_time`; a refresh doesn't give it again"),
    ]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: int


class PhoneChanged(Answer):
    status: Literal["phone_changed"] = "phone_changed"
    user: User


class ResetAllowed(Answer):
    status: Literal["reset_allowed"] = "reset_allowed"
    reset_token: Annotated[str, Field(description="opens `auth/password/reset` and nothing else, once")]
    expires_in: int
    proof_required: Annotated[
        bool, Field(description="the account has an app: a second proof must come along")
    ]


# What a right code brings, by purpose of the challenge: told apart by `status`.
Verified = Annotated[Tokens | Elevated | PhoneChanged | ResetAllowed, Field(discriminator="status")]


class ResetHeld(Answer):
    status: Literal["held"] = "held"
    effective_at: Annotated[
        Moment, Field(description="from then on the new password holds, if nobody cancels until then")
    ]


class RecoveryCodes(Answer):
    recovery_codes: Annotated[list[str], Field(description="ten, shown once")]


class TotpEnrolment(Answer):
    secret: Annotated[str, Field(description="base32, to be typed; shown once")]
    otpauth_uri: Annotated[str, Field(description="opens an app on the same device")]
    qr_svg: Annotated[str, Field(description="the address as a QR code: one `svg` element, black on white")]


class Factor(Answer):
    method: Literal["sms", "totp", "recovery_code"]
    destination: Annotated[str | None, Field(examples=["•••••••• 89"])]
    created_at: Moment
    last_used_at: Annotated[Moment | None, Field(description="null: not yet, or not known (`sms`)")]
    disabled: Annotated[bool, Field(description="too many wrong codes; a proof of another factor ends it")]


class FactorList(Answer):
    items: list[Factor]
    next_cursor: Annotated[None, Field(description="they are few: there is one page")] = None


class Session(Answer):
    id: str
    created_at: Annotated[Moment, Field(description="the login")]
    last_used_at: Annotated[Moment, Field(description="the last login or refresh; not every request")]
    device: Annotated[str, Field(description="`device_name` of the login, or what its User-Agent says")]
    address: Annotated[
        str | None,
        Field(
            description="of the last login or refresh; never the whole address", examples=["203.0.113.•••"]
        ),
    ]
    current: Annotated[bool, Field(description="the session of this access token")]


class SessionPage(Answer):
    items: list[Session]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Device(Answer):
    id: str
    name: Annotated[str, Field(description="`device_name` of the login, or what its User-Agent says")]
    created_at: Annotated[Moment, Field(description="the login that trusted it")]
    last_used_at: Annotated[Moment, Field(description="the last login with it")]
    expires_at: Annotated[Moment, Field(description="when it needs a code again")]
    address: Annotated[
        str | None,
        Field(description="of the last login with it; never the whole address", examples=["203.0.113.•••"]),
    ]


class DevicePage(Answer):
    items: list[Device]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Event(Answer):
    id: str
    name: Annotated[str, Field(description="such as `login_succeeded`; new ones may come")]
    at: Moment
    session_id: Annotated[str | None, Field(description="of the session that did it, or that ended")]
    address: Annotated[str | None, Field(description="never the whole address", examples=["203.0.113.•••"])]
    detail: Annotated[dict[str, Any], Field(description="words and flags: a reason, a method, a country")]


class EventPage(Answer):
    items: list[Event]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Health(Answer):
    status: Literal["ok"] = "ok"
    version: str


class Ready(Answer):
    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]]


class ProblemExplanation(Answer):
    """A problem code, taught: where its `type` leads."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    meaning: str
    when: Annotated[str, Field(description="which routes say so, and why")]
    show: Annotated[str, Field(description="what the frontend shows")]
    next_step: Annotated[str, Field(description="what the frontend does next")]
    example: Annotated[dict[str, Any], Field(description="a whole answer")]


class FieldError(Answer):
    field: Annotated[str, Field(examples=["body.password"])]
    rule: Annotated[str, Field(examples=["too_short"])]
    message: str


class Problem(SparseAnswer):
    """RFC 9457 problem details. Switch on `code`; `title` and `detail` are for people."""

    model_config = ConfigDict(extra="allow")
    optional_fields = frozenset({"errors", "attempts_left", "acr_values", "max_age", "missing"})

    type: Annotated[str, Field(description="an address that explains the code")]
    title: str
    status: int
    detail: str
    code: str
    request_id: Annotated[str, Field(description="of the header X-Request-ID and of our log: quote it")]
    errors: Annotated[
        list[FieldError] | None, Field(description="with `validation_failed` and `weak_password`")
    ] = None
    attempts_left: Annotated[int | None, Field(description="of this challenge, with `wrong_code`")] = None
    acr_values: Annotated[str | None, Field(description="what the access token must say (RFC 9470)")] = None
    max_age: Annotated[
        int | None, Field(description="seconds since the proof that its access token tells of, at most")
    ] = None
    missing: Annotated[list[str] | None, Field(description="what `/health/ready` could not reach")] = None
