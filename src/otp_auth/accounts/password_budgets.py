"""Password budgets: wrong passwords for one identifier, by network and over all networks.

They are counted whether or not the identifier has an account, so a refusal tells nothing. Networks that the
account has logged in from are spared the count over all networks: its owner gets in from there while
strangers use that one up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.accounts.errors import TooManyPasswordsError
from otp_auth.accounts.known_networks import is_known
from otp_auth.budgets import Budget, Charge
from otp_auth.database import Database
from otp_auth.settings import GuessSettings
from otp_auth.tokens.opaque import digest


class PasswordBudgets:
    """Charged before a password is looked at, given back when it was not a wrong one."""

    def __init__(self, database: Database, policy: GuessSettings) -> None:
        self._database = database
        self._policy = policy

    async def charge(self, identifier: str, user_id: UUID | None, network: str | None) -> Sequence[Charge]:
        """Take one try for an identifier in its one form. Raises TooManyPasswordsError, and takes nothing."""
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            charges = await self._charges(tx, identifier, user_id, network, now)
            refused = await budgets.charge(tx, charges, now)
            if refused:
                opens_at = max(each.ends_at for each in refused)
                raise TooManyPasswordsError(retry_after=-int(-(opens_at - now).total_seconds() // 1))
        return charges

    async def give_back(self, charges: Sequence[Charge]) -> None:
        """Only wrong passwords count."""
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            for each in charges:
                await budgets.refund(tx, each.key, now, each.amount)

    async def _charges(
        self, tx: AsyncSession, identifier: str, user_id: UUID | None, network: str | None, now: datetime
    ) -> list[Charge]:
        # Digests: keys have a bounded length, and hold nobody's number or address.
        here = Charge(
            f"passwords:{digest(f'{identifier} {network}')}",
            Budget(timedelta(minutes=5), self._policy.passwords_address_5_minutes),
        )
        everywhere = Charge(
            f"passwords:{digest(identifier)}",
            Budget(timedelta(minutes=15), self._policy.passwords_15_minutes),
        )
        return [here] if await is_known(tx, user_id, network, now) else [here, everywhere]
