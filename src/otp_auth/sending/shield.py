"""The send shield: may this message go out? Asked before each one is paid for.

`look` is for an early no; `charge` decides. Both only say what they found: in watch mode the caller goes on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import budgets
from otp_auth.budgets import Budget, Charge, Exhausted
from otp_auth.phone_numbers import block_of, country_of
from otp_auth.sending import conversions, prices
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import refusal_of
from otp_auth.sending.errors import DestinationRefusedError, TooManySendsError
from otp_auth.sending.models import Lane
from otp_auth.sending.reasons import Reason, Refusal
from otp_auth.settings import SendSettings

__all__ = ["Charged", "Reason", "Refusal", "Send", "charge", "look", "note_proof", "settle_cost", "to_error"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERYTHING = "send:all"
COST = "send:cost"  # in millionths
SHARE_OF_STRANGERS = 0.8  # of a day's money


@dataclass(frozen=True)
class Send:
    """A message that is to go out."""

    phone_number: str
    channel: Channel
    lane: Lane
    user_id: UUID | None
    network: str | None  # of whoever asks (IPv4 /24, IPv6 /64); None: nobody does


@dataclass(frozen=True)
class Charged:
    """What was taken of the money, in millionths, and what speaks against the message."""

    cost_micros: int
    refusals: list[Refusal]


async def look(tx: AsyncSession, send: Send, policy: SendSettings, now: datetime) -> list[Refusal]:
    """Say what speaks against a message, the first kind of reason alone.

    Locks nothing and takes nothing, so `charge` may say otherwise.
    """
    misplaced = refusal_of(send.phone_number, policy, send.channel)
    if misplaced:
        return [Refusal(misplaced, None)]
    reasons = await _charges(tx, send, policy)
    refused = await budgets.exhausted(tx, list(reasons), now)
    return _refusals(refused, reasons) or await _suspicions(tx, send, policy, now)


async def charge(tx: AsyncSession, send: Send, policy: SendSettings, now: datetime) -> Charged:
    """Take a message from every budget, the narrow ones first and the money last, and count it.

    With refusals the caller rolls back, unless it only watches. The charge holds the rows of block and
    country, so that the breaker's look sees every message before this one.
    """
    misplaced = refusal_of(send.phone_number, policy, send.channel)
    reasons = await _charges(tx, send, policy)
    refused, spent = await budgets.charge_and_count(tx, list(reasons), now)
    refusals = [Refusal(misplaced, None)] if misplaced else []
    refusals += _refusals(refused, reasons) + await _suspicions(tx, send, policy, now)
    if not refusals or policy.mode == "watch":
        await _count(tx, send, spent, now)
    return Charged(sum(each.amount for each in spent if each.key == COST), refusals)


async def settle_cost(
    tx: AsyncSession, *, lane: Lane, reserved: int, actual: int, policy: SendSettings, now: datetime
) -> bool:
    """Correct the money by what a message really costs; both in millionths.

    False when that would pass the cap: then the message must be denied. Always true in watch mode.
    """
    if actual < reserved:
        await budgets.refund(tx, COST, now, reserved - actual)
    if actual <= reserved:
        return True
    more = Charge(COST, _money(lane, policy), actual - reserved)
    refused, spent = await budgets.charge_and_count(tx, [more], now)
    _warn_at_half(spent)
    return not refused or policy.mode == "watch"


async def note_proof(tx: AsyncSession, phone_number: str, lane: Lane, now: datetime) -> None:
    """A code was proved; the breaker judges strangers alone."""
    if lane is Lane.STRANGER:
        await conversions.note_proof(tx, phone_number, now)


async def note_account(tx: AsyncSession, phone_number: str, now: datetime) -> None:
    """A stranger has become an account: the message that proved the number counts with its logins."""
    source, target = _key_of(phone_number, Lane.STRANGER), _key_of(phone_number, Lane.ACCOUNT)
    await budgets.move_one(tx, source, target, now)


def to_error(refusals: Iterable[Refusal]) -> TooManySendsError | DestinationRefusedError:
    """Return the refusal that the caller sees: it may ask again when the last reason has ended."""
    ends = [refusal.retry_at for refusal in refusals]
    if None in ends:
        return DestinationRefusedError()
    return TooManySendsError(max((end for end in ends if end), default=None))


async def _charges(tx: AsyncSession, send: Send, policy: SendSettings) -> dict[Charge, Reason]:
    """Return all that a message takes, in the order of locking, and what it means when one is refused."""
    country = country_of(send.phone_number)
    cost = await prices.expected_micros(tx, country, send.channel, policy)
    charges = {
        Charge(key, Budget(window, limit)): reason
        for reason, key, hourly, daily in _limits(send, country, policy)
        for window, limit in ((HOUR, hourly), (DAY, daily))
    }
    # At least a millionth: where no money may be spent, a free message doesn't go either.
    return charges | {Charge(COST, _money(send.lane, policy), max(1, cost)): Reason.COST}


def _money(lane: Lane, policy: SendSettings) -> Budget:
    """What a day's messages may cost; strangers leave a part of it to people with an account."""
    whole = prices.to_micros(policy.daily_cost)
    return Budget(DAY, whole if lane is Lane.ACCOUNT else int(whole * SHARE_OF_STRANGERS))


def _limits(send: Send, country: str, policy: SendSettings) -> Iterator[tuple[Reason, str, int, int]]:
    """Yield each reason with its key and what goes in an hour and a day. By lane: what strangers reach."""
    number, lane = send.phone_number, send.lane
    yield Reason.NUMBER, _key_of(number, lane), policy.per_number_hour, policy.per_number_day
    if send.user_id:
        account = f"send:account:{send.user_id}"
        yield Reason.ACCOUNT, account, policy.per_account_hour, policy.per_account_day
    if send.network:
        network = f"send:network:{lane}:{send.network}"
        yield Reason.ADDRESS, network, policy.per_address_hour, policy.per_address_day
    block = f"send:block:{lane}:{block_of(number)}"
    yield Reason.BLOCK, block, policy.per_block_hour, policy.per_block_day
    area = f"send:country:{lane}:{country}"
    yield Reason.COUNTRY_BUDGET, area, policy.per_country_hour, policy.per_country_day
    yield Reason.GLOBAL, f"{EVERYTHING}:{lane}", policy.global_hour, policy.global_day


def _key_of(phone_number: str, lane: Lane) -> str:
    return f"send:number:{lane}:{phone_number}"


def _refusals(refused: Iterable[Exhausted], reasons: Mapping[Charge, Reason]) -> list[Refusal]:
    """Return each reason once, with the later of its ends."""
    ends: dict[Reason, datetime] = {}
    for each in refused:
        reason = reasons[each.charge]
        ends[reason] = max(each.ends_at, ends.get(reason, each.ends_at))
    return [Refusal(reason, end) for reason, end in ends.items()]


async def _suspicions(tx: AsyncSession, send: Send, policy: SendSettings, now: datetime) -> list[Refusal]:
    if send.lane is not Lane.STRANGER:
        return []
    found = await conversions.suspicion(tx, send.phone_number, policy, now)
    return [found] if found else []


async def _count(tx: AsyncSession, send: Send, spent: Mapping[Charge, int], now: datetime) -> None:
    if send.lane is Lane.STRANGER:
        await conversions.note_send(tx, send.phone_number, now)
    _warn_at_half(spent)


def _warn_at_half(spent: Mapping[Charge, int]) -> None:
    """Warn once in each window, by the charge that passes the half."""
    for each, total in spent.items():
        half = each.budget.limit / 2
        if each.key.startswith((EVERYTHING, COST)) and total - each.amount < half <= total:
            logger.warning(
                "half of a sending budget is spent",
                budget=each.key,
                window=each.budget.seconds,
                spent=total,
                limit=each.budget.limit,
            )
