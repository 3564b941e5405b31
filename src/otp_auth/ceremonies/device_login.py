"""Login with a trusted device: in place of the second factor, and the session says that none was proved."""

from dataclasses import replace
from datetime import UTC, datetime

from otp_auth.accounts.known_networks import note_network
from otp_auth.accounts.models import User
from otp_auth.accounts.repository import lock_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.ceremonies.outcomes import Authenticated
from otp_auth.database import Database, again_after_conflict
from otp_auth.sessions.clients import Client
from otp_auth.sessions.opening import ONE_FACTOR, Assurance, Owner, open_session
from otp_auth.sessions.trusted_devices import DeviceTrust, know_device
from otp_auth.settings import SessionPolicy
from otp_auth.tokens.device_tokens import ShownDeviceToken

PASSWORD_ALONE = Assurance(["pwd"], ONE_FACTOR)


@again_after_conflict
async def log_in_by_device(
    database: Database,
    trust: DeviceTrust,
    policy: SessionPolicy,
    user: User,
    shown: ShownDeviceToken | None,
    client: Client,
) -> Authenticated | None:
    """Let somebody in who has proved the password, and comes with a device that the account trusts.

    None where the second factor is still wanted. A stolen token has ended its device then, and that is
    committed.
    """
    if shown is None:
        return None
    async with database.write() as tx:
        # Locked until the commit: parallel logins of an account must count each other's sessions.
        owner = await lock_user(tx, user.id)
        if owner is None or not owner.holds(user.password_version):
            return None
        whose = Owner(owner.id, owner.password_version)
        device = await know_device(tx, whose, shown, client.network, trust)
        if device is None:
            return None
        is_new = await note_network(tx, owner.id, client.network, datetime.now(UTC))
        named = replace(client, device=device.name)
        opened = await open_session(tx, whose, PASSWORD_ALONE, named, policy)
        record(
            tx,
            EventName.LOGIN_SUCCEEDED,
            user_id=owner.id,
            session_id=opened.session.id,
            network=client.network,
            detail={"method": "trusted_device", "device_id": str(device.id), "new_network": is_new},
        )
    return Authenticated(owner, opened, device_token=device.token)
