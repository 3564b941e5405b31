"""The first factor: who says so, and is this their password."""

from dataclasses import dataclass
from enum import Enum

from otp_auth import phone_numbers
from otp_auth.accounts.emails import EmailInvalidError, normalize_email
from otp_auth.accounts.errors import InvalidCredentialsError
from otp_auth.accounts.models import User
from otp_auth.accounts.password_budgets import PasswordBudgets
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.repository import UserRepository
from otp_auth.errors import OverloadedError
from otp_auth.phone_numbers import PhoneNumberInvalidError


class _Kind(Enum):
    EMAIL = "email"
    PHONE = "phone"
    NEITHER = "neither"  # nobody's, and counted all the same


@dataclass(frozen=True)
class _Identifier:
    """What somebody logs in with, in its one form."""

    kind: _Kind
    text: str


async def authenticate(
    users: UserRepository,
    hasher: PasswordHasher,
    budgets: PasswordBudgets,
    identifier: str,
    region: str | None,
    password: str,
    network: str | None,
) -> User:
    """Return the person whose password this is; refuse anybody else with the same words and the same work.

    A try is charged before the password is looked at. `network` is the caller's /24, or /64 of IPv6.
    Raises InvalidCredentialsError, TooManyPasswordsError, OverloadedError.
    """
    known_as = _read(identifier, region)
    user = await _find(users, known_as)
    charges = await budgets.charge(known_as.text, user.id if user else None, network)
    try:
        matches = await hasher.verify(password, user.password_hash if user else None)
    except OverloadedError:  # nobody looked
        await budgets.give_back(charges)
        raise
    if user is None or not matches:
        raise InvalidCredentialsError
    await budgets.give_back(charges)
    if hasher.needs_rehash(user.password_hash):
        await users.replace_hash(user.id, user.password_hash, await hasher.hash(password))
    return user


def _read(identifier: str, region: str | None) -> _Identifier:
    try:
        if "@" in identifier:
            return _Identifier(_Kind.EMAIL, normalize_email(identifier))
        return _Identifier(_Kind.PHONE, phone_numbers.parse(identifier, region))
    except (EmailInvalidError, PhoneNumberInvalidError):
        return _Identifier(_Kind.NEITHER, identifier.strip().casefold())


async def _find(users: UserRepository, identifier: _Identifier) -> User | None:
    match identifier.kind:
        case _Kind.EMAIL:
            return await users.find_by_email(identifier.text)
        case _Kind.PHONE:
            return await users.find_by_phone(identifier.text)
        case _Kind.NEITHER:
            return None
