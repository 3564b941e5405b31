"""What a message costs: the last price that Sinch named. Each statement joins the caller's transaction."""

from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.database import upsert
from otp_auth.sending.channels import Channel
from otp_auth.sending.models import Price
from otp_auth.settings import SendSettings

MICROS = 1_000_000
HIGHEST = Decimal(1_000_000)  # of one message: beyond it the counters would overflow


async def expected_micros(tx: AsyncSession, country: str, method: Channel, policy: SendSettings) -> int:
    """Return what a message will likely cost, in millionths of the currency."""
    seen = select(Price.micros).where(Price.country == country, Price.method == method)
    micros = await tx.scalar(seen)
    return to_micros(policy.price) if micros is None else micros


async def note_price(
    tx: AsyncSession, country: str, method: Channel, currency: str, amount: Decimal, now: datetime
) -> None:
    """Remember the price of a message, unless a later one is known. Raises ValueError as `to_micros` does."""
    news = {"currency": currency, "micros": to_micros(amount), "seen_at": now}
    await tx.execute(
        upsert(tx, Price)
        .values(country=country, method=method, **news)
        .on_conflict_do_update(
            index_elements=[Price.country, Price.method], set_=news, where=Price.seen_at <= now
        )
    )


def to_micros(amount: Decimal) -> int:
    """Return millionths, rounded up. Raises ValueError for what is no price: negative, endless, NaN."""
    if not amount.is_finite() or not 0 <= amount <= HIGHEST:
        raise ValueError("not a price")
    return int((amount * MICROS).to_integral_value(ROUND_CEILING))
