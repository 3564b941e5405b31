"""After a change of the service's secret: seeds that an earlier one has sealed are sealed anew."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update

from otp_auth.database import Database
from otp_auth.factors.models import TotpAuthenticator
from otp_auth.factors.totp import Seeds
from otp_auth.sealing import KEY_ID_LENGTH, Sealer

BATCH = 100  # seeds in one transaction

_KEY_ID = func.substr(TotpAuthenticator.sealed_seed, 1, KEY_ID_LENGTH)


async def reseal(database: Database, seeds: Seeds) -> int:
    """Seal with the present secret what earlier ones have sealed. Returns how many.

    What can't be opened stays as it is: the secret may be given back.
    """
    count, after = 0, None
    while found := await _find(database, seeds.sealer, after):
        count += await _seal_anew(database, seeds, found)
        after = found[-1].user_id
    return count


async def count_by_key(database: Database) -> Counter[str]:
    """How many seeds each secret has sealed, by the id of its key."""
    async with database.read() as tx:
        rows = await tx.execute(select(_KEY_ID, func.count()).group_by(_KEY_ID))
        return Counter({row[0]: row[1] for row in rows})


async def _find(database: Database, sealer: Sealer, after: UUID | None) -> Sequence[TotpAuthenticator]:
    by_earlier = select(TotpAuthenticator).where(_KEY_ID.is_distinct_from(sealer.key_id))
    if after is not None:
        by_earlier = by_earlier.where(TotpAuthenticator.user_id > after)
    async with database.read() as tx:
        return (await tx.scalars(by_earlier.order_by(TotpAuthenticator.user_id).limit(BATCH))).all()


async def _seal_anew(database: Database, seeds: Seeds, found: Sequence[TotpAuthenticator]) -> int:
    count = 0
    async with database.write() as tx:
        for app in found:
            seed = seeds.open(app.sealed_seed, app.user_id)
            if seed is None:
                continue
            # As it was read: an app that was enrolled anew meanwhile keeps its new seed.
            same = TotpAuthenticator.user_id == app.user_id, TotpAuthenticator.sealed_seed == app.sealed_seed
            anew = update(TotpAuthenticator).where(*same).values(sealed_seed=seeds.seal(seed, app.user_id))
            count += await tx.scalar(anew.returning(TotpAuthenticator.user_id)) is not None
    return count
