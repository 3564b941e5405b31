"""Trusted devices: in place of the second factor, until anything that they rest on changes.

A device is known by a token that is new at each login, sealed under the one before it as those of refresh
families are. A copy shows itself: sooner or later one of the two comes with a token that was spent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import metrics
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import Detail, record
from otp_auth.identifiers import new_id
from otp_auth.sessions.clients import Client
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.opening import ONE_FACTOR, OpenedSession, Owner
from otp_auth.settings import DevicePolicy, Settings
from otp_auth.tokens.device_tokens import DeviceTokens, ShownDeviceToken
from otp_auth.tokens.opaque import digest, new_opaque_token, seal, unseal


@dataclass(frozen=True)
class DeviceTrust:
    """What it takes to trust a device and to know it again."""

    policy: DevicePolicy
    tokens: DeviceTokens

    def read(self, token: str | None) -> ShownDeviceToken | None:
        """Return what a login shows; None while no device is trusted, or for what is no token of ours."""
        return self.tokens.read(token) if token and self.policy.enabled else None


@dataclass(frozen=True)
class KnownDevice:
    """A device that was known again, with its newest token."""

    id: UUID
    name: str
    token: str


def new_device_trust(settings: Settings) -> DeviceTrust:
    previous = [each.get_secret_value() for each in settings.previous_secret_keys]
    return DeviceTrust(settings.device_policy, DeviceTokens(settings.secret_key.get_secret_value(), previous))


def live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a device is trusted; the password of its account comes on top."""
    return (TrustedDevice.ended_at.is_(None), TrustedDevice.expires_at > now)


def live_of(owner: Owner, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Devices that an account trusts now, at the password that it has."""
    of_owner = (
        TrustedDevice.user_id == owner.user_id,
        TrustedDevice.password_version == owner.password_version,
    )
    return (*of_owner, *live(now))


async def trust_device(
    tx: AsyncSession, owner: Owner, opened: OpenedSession, client: Client, trust: DeviceTrust
) -> str:
    """Trust the device of a session from now on, and return its first token.

    Past the account's number of devices the ones used longest ago end. The caller holds the account locked,
    so that parallel logins count each other's devices.
    """
    now, device_id = datetime.now(UTC), new_id()
    token = trust.tokens.write(device_id, new_opaque_token())
    device = TrustedDevice(
        id=device_id,
        user_id=owner.user_id,
        name=client.device,
        digest=digest(token),
        password_version=owner.password_version,
        network=client.network,
        created_at=now,
        last_used_at=now,
        expires_at=now + trust.policy.lifetime,
    )
    tx.add(device)
    await tx.flush()
    record(
        tx,
        EventName.DEVICE_TRUSTED,
        user_id=owner.user_id,
        session_id=opened.session.id,
        network=client.network,
        detail={"device_id": str(device.id)},
    )
    await _end_surplus(tx, owner, device, trust.policy.per_account)
    return token


async def know_device(
    tx: AsyncSession, owner: Owner, shown: ShownDeviceToken, network: str | None, trust: DeviceTrust
) -> KnownDevice | None:
    """Spend a device's token for its successor, or find the newest where it was spent just now.

    None when it is no token of a live device of this account, or was spent before: that is theft, the device
    ends and the caller must commit. The caller holds the account locked.
    """
    now, secret = datetime.now(UTC), new_opaque_token()
    successor = trust.tokens.write(shown.device_id, secret)
    changes = {
        "digest": digest(successor),
        "previous_digest": shown.digest,
        "sealed_successor": seal(secret, under=shown.text),
        "rotated_at": now,
        "last_used_at": now,
        "network": network,
    }
    name = await tx.scalar(_spend(owner, shown, changes, now))
    if name is not None:
        return KnownDevice(shown.device_id, name, successor)
    device = await tx.scalar(
        select(TrustedDevice).where(TrustedDevice.id == shown.device_id, *live_of(owner, now))
    )
    if device is None:
        return None
    is_the_one_before = device.previous_digest == shown.digest
    if is_the_one_before and not was_spent_long_ago(device, trust.policy.grace, now):
        newest = _newest_of(device, shown, trust.tokens)
        return KnownDevice(device.id, device.name, newest) if newest else None
    if is_the_one_before or shown.is_ours:
        await _end_stolen(tx, device, network)
    return None


def _spend(owner: Owner, shown: ShownDeviceToken, changes: dict[str, Any], now: datetime) -> Any:
    """Replace the newest token. Of parallel logins with it one alone finds it unspent."""
    return (
        update(TrustedDevice)
        .where(
            TrustedDevice.id == shown.device_id,
            TrustedDevice.digest == shown.digest,
            *live_of(owner, now),
        )
        .values(changes)
        .returning(TrustedDevice.name)
        .execution_options(synchronize_session=False)
    )


def _newest_of(device: TrustedDevice, shown: ShownDeviceToken, tokens: DeviceTokens) -> str | None:
    """Open what was sealed under the token shown."""
    secret = unseal(device.sealed_successor, shown.text) if device.sealed_successor else None
    return tokens.find(device.id, secret, device.digest) if secret else None


def was_spent_long_ago(device: TrustedDevice, grace: timedelta, now: datetime) -> bool:
    return device.rotated_at is not None and device.rotated_at + grace <= now


async def _end_stolen(tx: AsyncSession, device: TrustedDevice, network: str | None) -> None:
    """Whoever has copied it may have a session by now: all end that rest on a password alone."""
    await end_devices(tx, TrustedDevice.id == device.id, event=EventName.DEVICE_THEFT, network=network)
    of_devices = (Session.user_id == device.user_id) & (Session.acr == ONE_FACTOR)
    because = {"reason": EventName.DEVICE_THEFT.value}
    await end_sessions(tx, of_devices, network=network, detail=because)


async def _end_surplus(tx: AsyncSession, owner: Owner, newest: TrustedDevice, allowed: int) -> None:
    surplus = (
        select(TrustedDevice.id)
        .where(TrustedDevice.id != newest.id, *live_of(owner, newest.created_at))
        .order_by(TrustedDevice.last_used_at.desc(), TrustedDevice.id.desc())
        .offset(allowed - 1)
    )
    ids = (await tx.scalars(surplus)).all()
    if ids:
        because = {"reason": "too_many_devices"}
        await end_devices(tx, TrustedDevice.id.in_(ids), network=newest.network, detail=because)


async def end_devices(
    tx: AsyncSession,
    which: ColumnElement[bool],
    *,
    event: EventName = EventName.DEVICE_REVOKED,
    network: str | None = None,
    detail: Detail | None = None,
) -> list[UUID]:
    """End those that are trusted still, one event for each. Returns their ids."""
    now = datetime.now(UTC)
    # Locked oldest first: parallel ends never wait for each other in a ring.
    still_there = select(TrustedDevice.id).where(which, *live(now))
    await tx.execute(still_there.order_by(TrustedDevice.id).with_for_update(key_share=True))
    statement = (
        update(TrustedDevice)
        .where(which, *live(now))
        .values(ended_at=now, sealed_successor=None)
        .returning(TrustedDevice.id, TrustedDevice.user_id)
        .execution_options(synchronize_session=False)
    )
    ended = (await tx.execute(statement)).all()
    for device_id, user_id in ended:
        metrics.count_device_end(event.value)
        about = {"device_id": str(device_id), **(detail or {})}
        record(tx, event, user_id=user_id, network=network, detail=about)
    return [device_id for device_id, _ in ended]
