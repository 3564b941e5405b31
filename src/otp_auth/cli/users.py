"""`otp-auth users`: support for one account. What is changed stands in its audit trail."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from otp_auth.accounts import factor_reset
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.login_names import find_by_login_name, read_login_name
from otp_auth.accounts.models import User
from otp_auth.accounts.password_resets import PasswordResetRepository, cancel_by_operator
from otp_auth.accounts.repository import UserRepository
from otp_auth.audit.outbox import open_database
from otp_auth.audit.trail import AuditTrail
from otp_auth.cli.configuration import read_settings, require_database
from otp_auth.cli.data_dir import DataDir
from otp_auth.cli.migrate import unusable
from otp_auth.cli.refusal import refuse
from otp_auth.database import Database
from otp_auth.factors.enrolled import Enrolled, FactorRepository
from otp_auth.factors.models import FactorKind
from otp_auth.factors.recovery_codes import RecoveryCodeRepository
from otp_auth.migrations import UNREACHABLE
from otp_auth.sessions.device_repository import DeviceRepository
from otp_auth.sessions.models import TrustedDevice
from otp_auth.sessions.opening import Owner
from otp_auth.sessions.repository import SessionRepository
from otp_auth.settings import SessionPolicy, Settings

users = typer.Typer(help="Support for one account; each change is audited.", no_args_is_help=True)

Identifier = Annotated[
    str, typer.Argument(help="Phone number with its +, e-mail address, or the account's id.")
]
BY_OPERATOR = {"by": "operator"}
NOTHING = "-"
MOST_EVENTS = 50
MOST_SESSIONS = 10_000  # read at once: far more than any setting allows


class _Account:
    """One account, and what may be done about it."""

    def __init__(self, database: Database, policy: SessionPolicy, user: User) -> None:
        self.database = database
        self.user = user
        self.sessions = SessionRepository(database, policy)
        self.devices = DeviceRepository(database)
        self.factors = FactorRepository(database)
        self.recovery_codes = RecoveryCodeRepository(database)
        self.resets = PasswordResetRepository(database)

    async def live_devices(self) -> Sequence[TrustedDevice]:
        owner = Owner(self.user.id, self.user.password_version)
        return await self.devices.list_live(owner, None, MOST_SESSIONS)


_Work = Callable[[_Account], Awaitable[list[str]]]


@users.command()
def show(identifier: Identifier, data_dir: DataDir = None) -> None:
    """Print who this is, whether it is locked, each factor, a held reset, its sessions and devices."""
    _run(identifier, data_dir, _describe)


@users.command()
def lock(identifier: Identifier, data_dir: DataDir = None) -> None:
    """Shut the owner out at once: sessions, devices and pending logins end, and no login is let in."""
    _run(identifier, data_dir, _lock)


@users.command()
def unlock(identifier: Identifier, data_dir: DataDir = None) -> None:
    """Let the owner log in again. What the lock has ended stays ended."""
    _run(identifier, data_dir, _unlock)


@users.command()
def sessions(identifier: Identifier, data_dir: DataDir = None) -> None:
    """List the live sessions, newest first: id, created, last used, network, device."""
    _run(identifier, data_dir, _list_sessions)


@users.command()
def devices(identifier: Identifier, data_dir: DataDir = None) -> None:
    """List the trusted devices, newest first: id, created, last used, until when, network, name."""
    _run(identifier, data_dir, _list_devices)


@users.command(name="revoke-sessions")
def revoke_sessions(identifier: Identifier, data_dir: DataDir = None) -> None:
    """End all sessions, and trust no device any more. The owner may log in again, with a code."""
    _run(identifier, data_dir, _revoke_sessions)


@users.command(name="cancel-reset")
def cancel_reset(identifier: Identifier, data_dir: DataDir = None) -> None:
    """Cancel a reset of the password that waits for its hold to end, and tokens for another one."""
    _run(identifier, data_dir, _cancel_reset)


@users.command(name="reset-factors")
def reset_factors(identifier: Identifier, data_dir: DataDir = None) -> None:
    """For an owner who has lost app and recovery codes and has the phone: check first who asks.

    App and codes are void, a phone that wrong codes have shut off is on again, and all sessions end. The
    login asks for password and phone.
    """
    _run(identifier, data_dir, _reset_factors)


@users.command()
def events(identifier: Identifier, data_dir: DataDir = None) -> None:
    """List the last fifty events of the audit trail, newest first: time, name, network, detail."""
    _run(identifier, data_dir, _list_events)


def _run(identifier: str, data_dir: Path | None, work: _Work) -> None:
    """Do something about one account and print what came of it. Exits with 1 when there is none."""
    settings = read_settings(data_dir)
    require_database(settings)
    try:
        lines = asyncio.run(_on_account(settings, identifier, work))
    except UNREACHABLE as error:
        refuse(unusable(error))
    if lines is None:
        refuse("no account has this phone number (with its +), e-mail address or id")
    for line in lines:
        typer.echo(line)


async def _on_account(settings: Settings, identifier: str, work: _Work) -> list[str] | None:
    database = open_database(settings)
    try:
        user = await _find(UserRepository(database), identifier)
        return await work(_Account(database, settings.session_policy, user)) if user else None
    finally:
        await database.close()


async def _find(repository: UserRepository, identifier: str) -> User | None:
    try:
        user_id = UUID(identifier.strip())
    except ValueError:
        return await find_by_login_name(repository, read_login_name(identifier, region=None))
    return await repository.get(user_id)


async def _describe(account: _Account) -> list[str]:
    user = account.user
    unused = await account.recovery_codes.count_unused(user.id)
    reset_at = await account.resets.held_until(user.id)
    lines = [
        ("id", str(user.id)),
        ("phone", user.phone_number),
        ("e-mail", user.email or NOTHING),
        ("created", _moment(user.created_at)),
        ("phone verified", _moment(user.phone_verified_at)),
        ("locked", _moment(user.locked_at) if user.locked_at else "no"),
        ("reset held", f"until {_moment(reset_at)}" if reset_at else "no"),
        *[("factor", line) for line in await _describe_factors(account)],
        ("recovery codes", f"{unused} unused"),
        ("sessions", str(len(await account.sessions.list_live(user.id, None, MOST_SESSIONS)))),
        ("devices", str(len(await account.live_devices()))),
    ]
    return [f"{name:15} {value}" for name, value in lines]


async def _describe_factors(account: _Account) -> list[str]:
    user = account.user
    shut_off = await account.factors.disabled(user.id)
    phone = Enrolled(FactorKind.PHONE, user.phone_verified_at)
    return [
        "  ".join(
            (
                each.kind.value,
                f"created {_moment(each.created_at)}",
                f"last used {_moment(each.last_used_at) if each.last_used_at else NOTHING}",
                "shut off" if each.kind in shut_off else "on",
            )
        )
        for each in (phone, *await account.factors.besides_phone(user.id))
    ]


async def _lock(account: _Account) -> list[str]:
    if await lock_account(account.database, account.user.id, BY_OPERATOR):
        return [f"{account.user.id} is locked: its sessions and pending logins have ended"]
    return [f"{account.user.id} is locked already"]


async def _unlock(account: _Account) -> list[str]:
    if await unlock_account(account.database, account.user.id, BY_OPERATOR):
        return [f"{account.user.id} is unlocked: its owner may log in again"]
    return [f"{account.user.id} is not locked"]


async def _list_sessions(account: _Account) -> list[str]:
    live = await account.sessions.list_live(account.user.id, None, MOST_SESSIONS)
    return [
        "  ".join(
            (
                str(each.id),
                _moment(each.created_at),
                _moment(each.last_used_at),
                each.network or NOTHING,
                each.device or NOTHING,
            )
        )
        for each in live
    ]


async def _list_devices(account: _Account) -> list[str]:
    return [
        "  ".join(
            (
                str(each.id),
                _moment(each.created_at),
                _moment(each.last_used_at),
                _moment(each.expires_at),
                each.network or NOTHING,
                each.name or NOTHING,
            )
        )
        for each in await account.live_devices()
    ]


async def _revoke_sessions(account: _Account) -> list[str]:
    """Devices first: none of them opens another session meanwhile."""
    devices = await account.devices.revoke_all(account.user.id, BY_OPERATOR)
    ended = await account.sessions.revoke_all(account.user.id, BY_OPERATOR)
    lines = [f"{account.user.id}: {ended} ended"]
    return [*lines, f"{account.user.id}: {devices} devices ended"] if devices else lines


async def _cancel_reset(account: _Account) -> list[str]:
    if await cancel_by_operator(account.database, account.user.id, BY_OPERATOR):
        return [f"{account.user.id}: the reset of its password is cancelled"]
    return [f"{account.user.id} has no reset that waits"]


async def _reset_factors(account: _Account) -> list[str]:
    user_id = account.user.id
    reset = await factor_reset.reset_factors(account.database, user_id, BY_OPERATOR)
    if reset is None:
        return [f"{user_id} has nothing to reset: its phone is its one factor, and is not shut off"]
    lines = [f"{user_id}: {factor.value} is removed" for factor in sorted(reset.removed)]
    lines += [f"{user_id}: {factor.value} is on again" for factor in sorted(reset.enabled)]
    ended = "its sessions, trusted devices, resets and pending logins have ended"
    return [*lines, f"{user_id}: {ended}"]


async def _list_events(account: _Account) -> list[str]:
    found = await AuditTrail(account.database).list_of(account.user.id, None, MOST_EVENTS)
    return [
        "  ".join((_moment(each.at), each.name, each.network or NOTHING, json.dumps(each.detail)))
        for each in found
    ]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
