"""What somebody logs in with, in its one form: an e-mail address or a phone number."""

from dataclasses import dataclass
from enum import Enum

from otp_auth import phone_numbers
from otp_auth.accounts.emails import EmailInvalidError, normalize_email
from otp_auth.accounts.models import User
from otp_auth.accounts.repository import UserRepository
from otp_auth.phone_numbers import PhoneNumberInvalidError


class Kind(Enum):
    EMAIL = "email"
    PHONE = "phone"
    NEITHER = "neither"  # nobody's, and counted all the same


@dataclass(frozen=True)
class LoginName:
    """Every spelling has this one form."""

    kind: Kind
    text: str


def read_login_name(identifier: str, region: str | None) -> LoginName:
    """`region` is the country of a national number (ISO 3166)."""
    try:
        if "@" in identifier:
            return LoginName(Kind.EMAIL, normalize_email(identifier))
        return LoginName(Kind.PHONE, phone_numbers.parse(identifier, region))
    except (EmailInvalidError, PhoneNumberInvalidError):
        return LoginName(Kind.NEITHER, identifier.strip().casefold())


async def find_by_login_name(users: UserRepository, name: LoginName) -> User | None:
    match name.kind:
        case Kind.EMAIL:
            return await users.find_by_email(name.text)
        case Kind.PHONE:
            return await users.find_by_phone(name.text)
        case Kind.NEITHER:
            return None
