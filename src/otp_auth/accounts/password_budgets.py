"""Password budgets: wrong passwords for one identifier, by network and over all networks.

They are counted whether or not the identifier has an account, so a refusal tells nothing. Networks that the
account has logged in from are spared the count over all networks: its owner gets in from there while
strangers use that one up. So does whoever comes with a device that the account trusts: it has a count of its
own. Whoever is logged in and names the present password is counted by account.
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

    async def charge(
        self, identifier: str, user_id: UUID | None, network: str | None, device_id: UUID | None = None
    ) -> Sequence[Charge]:
        """Take one try for an identifier in its one form. Raises TooManyPasswordsError, and takes nothing.

        `device_id` is a trusted device that has shown its token.
        """
        now = datetime.now(UTC)
        if device_id is not None:
            return await self._charge_device(user_id, device_id, now)
        # Digests: keys have a bounded length, and hold nobody's number or address.
        here, everywhere = self._charges(digest(f"{identifier} {network}"), digest(identifier))
        async with self._database.write() as tx:
            charges = [here] if await is_known(tx, user_id, network, now) else [here, everywhere]
            await _take(tx, charges, now)
        return charges

    async def _charge_device(self, user_id: UUID | None, device_id: UUID, now: datetime) -> Sequence[Charge]:
        """Take one try of a trusted device, wherever it is: as many as a network has."""
        own, _ = self._charges(f"device:{user_id}:{device_id}", "")
        async with self._database.write() as tx:
            await _take(tx, [own], now)
        return [own]

    async def charge_account(self, user_id: UUID, network: str | None) -> Sequence[Charge]:
        """Take one try of somebody who is logged in. Raises TooManyPasswordsError, and takes nothing.

        Counted apart from logins: strangers can't keep an owner from changing the password. No network is
        spared.
        """
        charges = self._charges(f"account:{digest(f'{user_id} {network}')}", f"account:{user_id}")
        async with self._database.write() as tx:
            await _take(tx, charges, datetime.now(UTC))
        return charges

    async def give_back(self, charges: Sequence[Charge]) -> None:
        """Only wrong passwords count."""
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            for each in charges:
                await budgets.refund(tx, each.key, now, each.amount)

    def _charges(self, from_here: str, from_everywhere: str) -> list[Charge]:
        here = Budget(timedelta(minutes=5), self._policy.passwords_address_5_minutes)
        everywhere = Budget(timedelta(minutes=15), self._policy.passwords_15_minutes)
        return [Charge(f"passwords:{from_here}", here), Charge(f"passwords:{from_everywhere}", everywhere)]


async def _take(tx: AsyncSession, charges: Sequence[Charge], now: datetime) -> None:
    refused = await budgets.charge(tx, charges, now)
    if refused:
        opens_at = max(each.ends_at for each in refused)
        raise TooManyPasswordsError(retry_after=-int(-(opens_at - now).total_seconds() // 1))
