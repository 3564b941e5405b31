"""The first factor: who says so, and is this their password."""

from otp_auth.accounts.errors import InvalidCredentialsError, TooManyPasswordsError
from otp_auth.accounts.login_names import LoginName, find_by_login_name, read_login_name
from otp_auth.accounts.models import User
from otp_auth.accounts.password_budgets import PasswordBudgets
from otp_auth.accounts.password_resets import NOBODY, carry_out_due
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.repository import UserRepository
from otp_auth.audit.trail import AuditTrail
from otp_auth.database import Database
from otp_auth.errors import OverloadedError
from otp_auth.sessions.device_repository import DeviceRepository
from otp_auth.tokens.device_tokens import ShownDeviceToken


async def authenticate(
    database: Database,
    users: UserRepository,
    hasher: PasswordHasher,
    budgets: PasswordBudgets,
    audit: AuditTrail,
    identifier: str,
    region: str | None,
    password: str,
    network: str | None,
    devices: DeviceRepository,
    device: ShownDeviceToken | None,
) -> User:
    """Return the person whose password this is; refuse anybody else with the same words and the same work.

    A locked account answers as if every password were wrong. A try is charged before the password is looked
    at: of a `device` that the account trusts, or else of the caller's `network` (/24, or /64 of IPv6).
    Raises InvalidCredentialsError, TooManyPasswordsError, OverloadedError.
    """
    name = read_login_name(identifier, region)
    user = await _find(database, users, name)
    user_id = user.id if user else None
    device_id = await devices.recognise(user_id, device)
    try:
        charges = await budgets.charge(name.text, user_id, network, device_id)
    except TooManyPasswordsError as refusal:
        await audit.record_failed_login(name.text, user_id, network, {"reason": refusal.code})
        raise
    try:
        matches = await hasher.verify(password, user.password_hash if user else None)
    except OverloadedError:  # nobody looked
        await budgets.give_back(charges)
        raise
    if user is None or not matches or user.locked_at is not None:
        reason = "account_locked" if user and user.locked_at else "wrong_password"
        await audit.record_failed_login(name.text, user_id, network, {"reason": reason})
        raise InvalidCredentialsError
    await budgets.give_back(charges)
    if hasher.needs_rehash(user.password_hash):
        await users.replace_hash(user.id, user.password_hash, await hasher.hash(password))
    return user


async def _find(database: Database, users: UserRepository, name: LoginName) -> User | None:
    """Whose name it is, with the password that holds by now: of a reset whose hold is over the new one.

    Read after that was looked at, for a parallel login may be the one that lets it take effect. For nobody
    it is the same work.
    """
    found = await find_by_login_name(users, name)
    user_id = found.id if found else NOBODY
    await carry_out_due(database, user_id)
    return await users.get(user_id)
