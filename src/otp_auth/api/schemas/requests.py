"""What a client sends."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from otp_auth.api.bodies import Body
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
    RefreshToken,
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


class ChangePhoneBody(Body):
    phone_number: PhoneNumber
    region: Region | None = None
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
        SecretStr | None,
        Field(
            min_length=1,
            max_length=512,
            description="of a trusted device, from its last login: no code is asked for then",
        ),
    ] = None


class StepUpBody(Body):
    method: Annotated[
        LoginMethodName | None,
        Field(description="`none` sends nothing; by default the account's own channel"),
    ] = None


class SendBody(Body):
    method: Annotated[
        ChannelName, Field(description="one of `next_methods`, or the same again from `resend_at` on")
    ]


class VerifyBody(Body):
    code: Code
    method: Annotated[
        FactorName | None, Field(description="by default the channel that the code went out on")
    ] = None
    trust_device: Annotated[
        bool,
        Field(
            description="after register and login: `device_token` in the answer, where devices are trusted, "
            "the code was no recovery code and the password has 15 characters"
        ),
    ] = False
    device_name: Annotated[
        DeviceName | None,
        Field(description="what the lists of sessions and devices call it; by default what User-Agent says"),
    ] = None


class RefreshBody(Body):
    """Empty in cookie mode."""

    # A factory, so that null stays what it is: the wrong type.
    refresh_token: Annotated[
        RefreshToken,
        Field(default_factory=lambda: SecretStr(""), description="left out where the cookie has it"),
    ]


class EmptyBody(Body):
    """Nothing: what is sent all the same is refused."""


class LogoutBody(Body):
    everywhere: Annotated[bool, Field(description="end all sessions of the account")] = False


class ChangeMeBody(Body):
    """Fields that are left out stay as they are; null clears what may be empty."""

    display_name: DisplayName | None = None
    email: Email | None = None
    locale: Locale | None = None
    # A factory, for a default in the document would tempt clients to send it.
    preferred_method: Annotated[
        Literal["sms", "voice", "whatsapp", "totp"],
        Field(default_factory=lambda: "sms", description="what logins take that name no `method`"),
    ]


class ChangePasswordBody(Body):
    current_password: TriedPassword
    new_password: Password


class ForgotPasswordBody(Body):
    identifier: Identifier
    region: Region | None = None
    method: Annotated[
        ChannelName | None, Field(description="by default the first channel on offer, mostly `sms`")
    ] = None


class ResetProof(Body):
    method: Annotated[Literal["totp", "recovery_code"], Field(description="which second factor")]
    code: Code


class ResetPasswordBody(Body):
    new_password: Password
    proof: Annotated[
        ResetProof | None, Field(description="a second factor: with it the password holds at once")
    ] = None


class ConfirmTotpBody(Body):
    code: Code
