"""What somebody sees of the own account: the person, and what stands around it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from otp_auth.accounts.models import PasswordReset, User
from otp_auth.database import Database
from otp_auth.factors.models import FactorKind, RecoveryCode, TotpAuthenticator


@dataclass(frozen=True)
class Profile:
    """An account with its factors, and when a held reset of its password takes effect."""

    user: User
    factors: list[FactorKind]
    password_reset_at: datetime | None


class ProfileRepository:
    """Looks at accounts as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: User) -> Profile:
        """One query for all that the account's own row doesn't say."""
        statement = select(
            select(TotpAuthenticator.confirmed_at)
            .where(TotpAuthenticator.user_id == user.id, TotpAuthenticator.confirmed_at.is_not(None))
            .exists(),
            select(RecoveryCode.digest)
            .where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
            .exists(),
            select(func.min(PasswordReset.held_until))
            .where(PasswordReset.user_id == user.id, PasswordReset.ended_at.is_(None))
            .scalar_subquery(),
        )
        async with self._database.read() as tx:
            has_app, has_codes, reset_at = (await tx.execute(statement)).one()
        held = {FactorKind.PHONE: True, FactorKind.TOTP: has_app, FactorKind.RECOVERY_CODE: has_codes}
        return Profile(user, [kind for kind, is_held in held.items() if is_held], reset_at)
