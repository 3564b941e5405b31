"""What a client gets."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from otp_auth.api.bodies import Answer, Moment, SparseAnswer
from otp_auth.api.fields import ChannelName


class User(Answer):
    id: Annotated[str, Field(description="the `sub` of access tokens")]
    phone_number: Annotated[str, Field(description="E.164")]
    phone_verified_at: Annotated[Moment, Field(description="when its code was proved")]
    email: Annotated[str | None, Field(description="a login name; it is not verified")]
    display_name: Annotated[str | None, Field(description="as the person wrote it")]
    locale: Annotated[str | None, Field(description="BCP 47; the language of messages")]
    created_at: Annotated[Moment, Field(description="when the phone was proved first")]
    factors: Annotated[
        list[Literal["sms", "totp", "recovery_code"]],
        Field(description="what is enrolled; `recovery_code` while one is unused"),
    ]
    preferred_method: Annotated[
        Literal["sms", "voice", "whatsapp", "totp"],
        Field(description="what a login takes where it names no `method`"),
    ]
    password_reset_at: Annotated[
        Moment | None, Field(description="when a held reset takes effect; null: there is none")
    ]


class Challenge(Answer):
    id: Annotated[str, Field(description="of this attempt")]
    purpose: Annotated[
        Literal["register", "login", "step_up", "phone_change", "password_reset"],
        Field(description="what a right code opens"),
    ]
    method: Annotated[ChannelName, Field(description="the channel of the latest message")]
    destination: Annotated[
        str | None,
        Field(
            description="the last two digits; null where there is no phone in it, or none may be told",
            examples=["•••••••• 89"],
        ),
    ]
    delivery: Annotated[
        Literal["not_sent", "sending", "sent", "delivered", "failed", "unknown"],
        Field(description="`not_sent`: see `resend_at`. `failed`, `unknown`: offer another way"),
    ]
    code_length: Annotated[int | None, Field(description="null: Sinch decides, so don't limit the field")]
    code_type: Annotated[
        Literal["numeric", "alphanumeric", "caller_id"],
        Field(description="`caller_id`: the code is the number that called"),
    ]
    expires_at: Annotated[Moment, Field(description="when the code ends")]
    resend_at: Annotated[
        Moment | None,
        Field(description="from when on the same way may be asked for again; null: not on this attempt"),
    ]
    attempts_left: Annotated[int, Field(description="tries of this attempt")]
    sends_left: Annotated[int, Field(description="messages of this attempt")]
    next_methods: Annotated[
        list[ChannelName],
        Field(
            description="the ways to offer now, best first; empty during the cool-down. A way by which Sinch "
            "can't reach the number isn't listed; `otp/send` takes it all the same from `resend_at` on"
        ),
    ]


class OfferedMethod(SparseAnswer):
    optional_fields = frozenset({"destination"})

    method: Annotated[
        Literal["sms", "voice", "flashcall", "whatsapp", "totp", "recovery_code"],
        Field(description="what `otp/verify` takes"),
    ]
    destination: Annotated[
        str | None,
        Field(
            description="the last two digits; null where there is no phone in it, or none may be told",
            examples=["•••••••• 89"],
        ),
    ] = None


class PendingState(Answer):
    """Where a ceremony stands: all that a reloaded page needs."""

    status: Literal["otp_required"] = "otp_required"
    expires_in: Annotated[int, Field(description="seconds until the pending token ends")]
    methods: Annotated[list[OfferedMethod], Field(description="all that may prove it")]
    challenge: Annotated[
        Challenge | None, Field(description="the code that was sent; null: none was to be sent")
    ]


class Pending(PendingState):
    pending_token: Annotated[
        str, Field(description="opens the `otp` routes of this challenge and nothing else")
    ]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750


class Tokens(SparseAnswer):
    optional_fields = frozenset({"recovery_codes", "refresh_token", "device_token"})

    status: Literal["authenticated"] = "authenticated"
    access_token: Annotated[str, Field(description="a JWT for this service and others")]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: Annotated[int, Field(description="seconds until the access token ends")]
    refresh_token: Annotated[str | None, Field(description="left out in cookie mode: the cookie has it")] = (
        None
    )
    refresh_expires_in: Annotated[
        int, Field(description="seconds until the refresh token ends, if nobody uses it")
    ]
    session_id: Annotated[str, Field(description="the `sid` of access tokens")]
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
    expires_in: Annotated[int, Field(description="seconds until it ends")]


class PhoneChanged(Answer):
    status: Literal["phone_changed"] = "phone_changed"
    user: User


class ResetAllowed(Answer):
    status: Literal["reset_allowed"] = "reset_allowed"
    reset_token: Annotated[str, Field(description="opens `auth/password/reset` and nothing else, once")]
    expires_in: Annotated[int, Field(description="seconds until the reset token ends")]
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
    method: Annotated[
        Literal["sms", "totp", "recovery_code"], Field(description="`sms` is the phone, by whatever channel")
    ]
    destination: Annotated[
        str | None,
        Field(
            description="the last two digits; null where there is no phone in it, or none may be told",
            examples=["•••••••• 89"],
        ),
    ]
    created_at: Annotated[Moment, Field(description="when it was proved")]
    last_used_at: Annotated[Moment | None, Field(description="null: not yet, or not known (`sms`)")]
    disabled: Annotated[bool, Field(description="too many wrong codes; a proof of another factor ends it")]


class FactorList(Answer):
    items: Annotated[list[Factor], Field(description="the phone first")]
    next_cursor: Annotated[None, Field(description="they are few: there is one page")] = None


class Session(Answer):
    id: Annotated[str, Field(description="for `DELETE /me/sessions/{session_id}`")]
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
    items: Annotated[list[Session], Field(description="the newest login first")]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Device(Answer):
    id: Annotated[str, Field(description="for `DELETE /me/devices/{device_id}`")]
    name: Annotated[str, Field(description="`device_name` of the login, or what its User-Agent says")]
    created_at: Annotated[Moment, Field(description="the login that trusted it")]
    last_used_at: Annotated[Moment, Field(description="the last login with it")]
    expires_at: Annotated[Moment, Field(description="when it needs a code again")]
    address: Annotated[
        str | None,
        Field(description="of the last login with it; never the whole address", examples=["203.0.113.•••"]),
    ]


class DevicePage(Answer):
    items: Annotated[list[Device], Field(description="the newest first")]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Event(Answer):
    id: Annotated[str, Field(description="of this event")]
    name: Annotated[str, Field(description="such as `login_succeeded`; new ones may come")]
    at: Annotated[Moment, Field(description="when it happened")]
    session_id: Annotated[str | None, Field(description="of the session that did it, or that ended")]
    address: Annotated[str | None, Field(description="never the whole address", examples=["203.0.113.•••"])]
    detail: Annotated[dict[str, Any], Field(description="words and flags: a reason, a method, a country")]


class EventPage(Answer):
    items: Annotated[list[Event], Field(description="the newest first")]
    next_cursor: Annotated[str | None, Field(description="for `cursor`; null on the last page")]


class Health(Answer):
    status: Literal["ok"] = "ok"
    version: Annotated[str, Field(description="of the service")]


class Ready(Answer):
    status: Literal["ready"] = "ready"
    checks: Annotated[dict[str, Literal["ok"]], Field(description="what was asked")]


class ProblemExplanation(Answer):
    """A problem code, taught: where its `type` leads."""

    type: Annotated[str, Field(description="the address of this explanation")]
    title: Annotated[str, Field(description="a heading, in English")]
    status: Annotated[int, Field(description="of the answer")]
    detail: Annotated[str, Field(description="one sentence, in English")]
    code: Annotated[str, Field(description="what to switch on")]
    meaning: Annotated[str, Field(description="what the service says by it")]
    when: Annotated[str, Field(description="which routes say so, and why")]
    show: Annotated[str, Field(description="what the frontend shows")]
    next_step: Annotated[str, Field(description="what the frontend does next")]
    example: Annotated[dict[str, Any], Field(description="a whole answer")]


class FieldError(Answer):
    field: Annotated[str, Field(description="where it stands", examples=["body.password"])]
    rule: Annotated[str, Field(description="stable: translate this one", examples=["too_short"])]
    message: Annotated[str, Field(description="for people, in English")]


class Problem(SparseAnswer):
    """RFC 9457 problem details. Switch on `code`; `title` and `detail` are for people."""

    model_config = ConfigDict(extra="allow")
    optional_fields = frozenset({"errors", "attempts_left", "acr_values", "max_age", "missing"})

    type: Annotated[str, Field(description="an address that explains the code")]
    title: Annotated[str, Field(description="for people, in English")]
    status: Annotated[int, Field(description="of the answer")]
    detail: Annotated[str, Field(description="for people, in English: what to do")]
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
