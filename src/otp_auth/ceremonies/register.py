"""Registration: whoever proves the phone gets the account; before that there is none."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.accounts.errors import AccountExistsError
from otp_auth.accounts.known_networks import note_network
from otp_auth.accounts.models import User
from otp_auth.accounts.password_policy import may_stand_alone
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.repository import add_user
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.ceremonies.outcomes import Authenticated
from otp_auth.ceremonies.proof import Proof, let_in
from otp_auth.ceremonies.start import PASSWORD_IS_LONG, Begun, Claim, start_ceremony
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.challenges.sending import Sending, require_reachable
from otp_auth.errors import AuthError
from otp_auth.factors.recovery_codes import add_recovery_codes
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import channels_for
from otp_auth.sending.shield import note_account
from otp_auth.settings import ChallengeSettings, SessionPolicy


@dataclass(frozen=True)
class NewAccount:
    """What somebody wants to register with; the password has passed the rules."""

    phone_number: str
    password: str
    email: str | None
    display_name: str | None
    locale: str | None
    accept_language: str | None  # for Sinch: the locale, or what the browser prefers


async def start_registration(
    sending: Sending,
    hasher: PasswordHasher,
    policy: ChallengeSettings,
    account: NewAccount,
    method: Channel | None,
) -> Begun:
    """Write down a pending registration and send its code, the same for a number that is taken.

    Raises DestinationRefusedError, MethodNotOfferedError.
    """
    await require_reachable(sending, account.phone_number, method)
    channel = method or channels_for(account.phone_number, sending.policy)[0]
    claim = Claim(
        purpose=Purpose.REGISTER,
        phone_number=account.phone_number,
        accept_language=account.accept_language,
        payload={
            "password_hash": await hasher.hash(account.password),
            "email": account.email,
            "display_name": account.display_name,
            "locale": account.locale,
            PASSWORD_IS_LONG: may_stand_alone(account.password),
        },
    )
    return await start_ceremony(sending, policy, claim, channel)


async def complete_registration(
    tx: AsyncSession, challenge: Challenge, proof: Proof, policy: SessionPolicy
) -> Authenticated | AuthError:
    """Create the account and let its owner in; the first to prove the phone wins."""
    now = datetime.now(UTC)
    filled_in = {name: value for name, value in (challenge.payload or {}).items() if name != PASSWORD_IS_LONG}
    user = User(
        phone_number=challenge.phone_number,
        phone_verified_at=now,
        created_at=now,
        **filled_in,
    )
    if not await add_user(tx, user):
        return AccountExistsError()
    await note_account(tx, user.phone_number, now)
    await note_network(tx, user.id, proof.client.network, now)
    recovery_codes = add_recovery_codes(tx, user.id)
    opened = await let_in(tx, user, proof, policy)
    network = proof.client.network
    record(tx, EventName.ACCOUNT_CREATED, user_id=user.id, session_id=opened.session.id, network=network)
    return Authenticated(user, opened, recovery_codes)
