"""The kinds of fields that bodies are made of. Text that no database or log could hold is refused here."""

import re
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from otp_auth.accounts.emails import EmailInvalidError, normalize_email

# People write the groups of a recovery code with spaces too.
_CODE = re.compile(r"\+?[A-Za-z0-9-]+|[A-Za-z2-7]{4}(?: [A-Za-z2-7]{4}){5}")
LONGEST_EMAIL = 254  # RFC 5321 4.5.3.1.3, less the angle brackets


def _plain_text(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("not_printable", "Only printable characters are allowed")
    return value


def _email(value: str) -> str:
    try:
        return normalize_email(value)
    except EmailInvalidError:
        raise PydanticCustomError("not_an_email", "This is not an e-mail address") from None


def _region(value: str) -> str:
    if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise PydanticCustomError("not_a_region", "Use a two-letter country code such as SE (ISO 3166)")
    return value.upper()


def _code(value: SecretStr) -> SecretStr:
    # ASCII only: other scripts have digits too, and `int()` and `\\d` take them.
    if not _CODE.fullmatch(value.get_secret_value()):
        raise PydanticCustomError("wrong_format", "Use the plain digits and letters of the code")
    return value


LONGEST_REFRESH_TOKEN = 512  # far more than ours have

PlainText = AfterValidator(_plain_text)

# Parsed by `phone_numbers.parse`, together with the region.
PhoneNumber = Annotated[
    str,
    Field(
        min_length=3, max_length=40, examples=["+46701234567"], description="E.164, or national with `region`"
    ),
    PlainText,
]
Identifier = Annotated[
    str,
    Field(min_length=3, max_length=LONGEST_EMAIL, examples=["+46701234567"], description="phone or e-mail"),
    PlainText,
]
Region = Annotated[
    str,
    Field(min_length=2, max_length=2, examples=["SE"], description="ISO 3166; of a national number"),
    AfterValidator(_region),
]
Password = Annotated[
    SecretStr,
    Field(
        min_length=8,
        max_length=128,
        examples=["correct horse battery"],
        description="15 characters or more where devices are trusted",
    ),
]
# At login any length may be tried: the rules for new passwords don't tell which ones exist.
TriedPassword = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=1024,
        examples=["correct horse battery"],
        description="as it was set; it isn't judged by the rules for new ones",
    ),
]
Email = Annotated[
    str,
    Field(
        min_length=3,
        max_length=LONGEST_EMAIL,
        examples=["ada@example.com"],
        description="a second login name; it is not verified",
    ),
    AfterValidator(_email),
]
DisplayName = Annotated[
    str,
    Field(min_length=1, max_length=100, examples=["Ada"], description="what pages call the person"),
    PlainText,
]
DeviceName = Annotated[str, Field(min_length=1, max_length=100, examples=["Ada's phone"]), PlainText]
Locale = Annotated[
    str,
    StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
    Field(examples=["sv-SE"], description="BCP 47; also the language of messages"),
]
RefreshToken = Annotated[
    SecretStr,
    Field(min_length=1, max_length=LONGEST_REFRESH_TOKEN, examples=["3q2-7wAAAA"]),
]
Code = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=64,
        examples=["482915"],
        description="as it was read; a recovery code with or without its dashes",
    ),
    AfterValidator(_code),
]
ChannelName = Literal["sms", "voice", "flashcall", "whatsapp"]
LoginMethodName = Literal["sms", "voice", "flashcall", "whatsapp", "none"]
FactorName = Literal["sms", "voice", "flashcall", "whatsapp", "totp", "recovery_code"]
