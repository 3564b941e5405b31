"""The first factor: who says so, and is this their password."""

from otp_auth import phone_numbers
from otp_auth.accounts.emails import EmailInvalidError, normalize_email
from otp_auth.accounts.errors import InvalidCredentialsError
from otp_auth.accounts.models import User
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.repository import UserRepository
from otp_auth.phone_numbers import PhoneNumberInvalidError


async def authenticate(
    users: UserRepository, hasher: PasswordHasher, identifier: str, region: str | None, password: str
) -> User:
    """Return the person whose password this is; refuse anybody else with the same words and the same work.

    Raises InvalidCredentialsError.
    """
    user = await _find(users, identifier, region)
    matches = await hasher.verify(password, user.password_hash if user else None)
    if user is None or not matches:
        raise InvalidCredentialsError
    if hasher.needs_rehash(user.password_hash):
        await users.replace_hash(user.id, user.password_hash, await hasher.hash(password))
    return user


async def _find(users: UserRepository, identifier: str, region: str | None) -> User | None:
    try:
        if "@" in identifier:
            return await users.find_by_email(normalize_email(identifier))
        return await users.find_by_phone(phone_numbers.parse(identifier, region))
    except (EmailInvalidError, PhoneNumberInvalidError):
        return None
