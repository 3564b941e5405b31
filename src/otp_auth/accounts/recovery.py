"""A new set of recovery codes for an account."""

from uuid import UUID

from otp_auth.accounts.repository import lock_owner
from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.database import Database
from otp_auth.factors.recovery_codes import add_recovery_codes, void_recovery_codes


async def renew_recovery_codes(
    database: Database, user_id: UUID, session_id: UUID, network: str | None
) -> list[str]:
    """Void the old codes and return ten new ones: the only time they can be read.

    The account is locked meanwhile, so that of parallel calls the last one's set is the only one. Raises
    InvalidTokenError when the session has ended meanwhile.
    """
    async with database.write() as tx:
        await lock_owner(tx, user_id, session_id)
        await void_recovery_codes(tx, user_id)
        codes = add_recovery_codes(tx, user_id)
        event = EventName.RECOVERY_CODES_REGENERATED
        record(tx, event, user_id=user_id, session_id=session_id, network=network)
    return codes
