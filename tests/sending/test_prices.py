from datetime import timedelta
from decimal import Decimal

import pytest
from shield_policy import NOW, opened, policy

from otp_auth.sending import prices
from otp_auth.sending.channels import Channel

MINUTE = timedelta(minutes=1)


async def test_the_last_price_counts_for_its_country_and_method(database_url: str) -> None:
    rules = policy(price="0.20")

    async def expected(country: str, method: Channel) -> int:
        return await prices.expected_micros(tx, country, method, rules)

    async with opened(database_url) as database, database.write() as tx:
        before = await expected("SE", Channel.SMS)
        await prices.note_price(tx, "SE", Channel.SMS, "EUR", Decimal("0.0453"), NOW)
        first = await expected("SE", Channel.SMS)
        await prices.note_price(tx, "SE", Channel.SMS, "EUR", Decimal("0.05"), NOW + MINUTE)
        await prices.note_price(tx, "SE", Channel.SMS, "EUR", Decimal("0.01"), NOW)  # comes late
        last = await expected("SE", Channel.SMS)
        others = [await expected("DE", Channel.SMS), await expected("SE", Channel.VOICE)]

    assert (before, first, last, others) == (200_000, 45_300, 50_000, [200_000, 200_000])


@pytest.mark.parametrize(
    ("amount", "micros"),
    [("0", 0), ("0.0453", 45_300), ("0.00000001", 1), ("1.0000001", 1_000_001), ("1000000", 10**12)],
)
def test_millionths_are_rounded_up(amount: str, micros: int) -> None:
    assert prices.to_micros(Decimal(amount)) == micros


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "sNaN", "Infinity", "1000000.01", "1e400"])
def test_what_is_no_price(amount: str) -> None:
    with pytest.raises(ValueError, match="not a price"):
        prices.to_micros(Decimal(amount))
