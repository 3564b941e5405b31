"""How far messages have come: what Sinch's events and its status say. Late news changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth import metrics
from otp_auth.challenges.models import UNDECIDED, UNHEARD, Challenge, CodeType, Delivery, ProviderEvent
from otp_auth.challenges.sends import reopen_number, sent_values
from otp_auth.database import Database, upsert
from otp_auth.phone_numbers import country_of
from otp_auth.sending import prices, shield
from otp_auth.sending.channels import SINCH_METHODS
from otp_auth.sending.models import Lane
from otp_auth.settings import SendSettings
from otp_auth.sinch.events import RequestEvent
from otp_auth.sinch.schemas import Price, VerificationStatus

BACK_OFF = timedelta(seconds=5)  # doubled with each look
MOST_AT_ONCE = 50


class Fate(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REPLACED = "replaced"  # by a later start for its number, which isn't this challenge's: its code is dead


# What a status says of the message; any other says nothing of it.
_FATES = {
    VerificationStatus.DENIED: Fate.FAILED,
    VerificationStatus.ERROR: Fate.FAILED,
    VerificationStatus.ABORTED: Fate.REPLACED,
}


def fate_of(status: str | None) -> Fate | None:
    """What a verification's status says of its message; None: nothing."""
    return _FATES.get(VerificationStatus(status)) if status in set(VerificationStatus) else None


class DeliveryRepository:
    """The messages of challenges, as Sinch tells of them. Each method is one short transaction."""

    def __init__(self, database: Database, policy: SendSettings, sinch_texts: CodeType) -> None:
        self._database = database
        self._policy = policy
        self._sinch_texts = sinch_texts

    async def announce(self, event: RequestEvent) -> Challenge | None:
        """Take note that Sinch is about to send; None when it must not.

        Only a message that we asked for and that isn't out yet may go, and only while the money lasts.
        """
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            challenge: Challenge | None = await tx.scalar(_announcement(event, now))
            if challenge is None or await self._settle_price(tx, challenge, event.price, now):
                return challenge
            tx.expunge(challenge)
            await tx.rollback()
        async with self._database.write() as tx:  # so that the next message is charged what it costs
            await _note_price(tx, challenge, event.price, now)
        return None

    async def note_delivery(
        self, verification_id: str, event: str, reference: str | None, fate: Fate
    ) -> Challenge | None:
        """Write down how a message ended; None when that is known already, or of no challenge that waits."""
        ours = _as_uuid(reference)
        if ours is None:
            return None
        async with self._database.write() as tx:
            if not await _is_new(tx, verification_id, event):
                return None
            return await self._note(tx, verification_id, ours, fate)

    async def note_status(self, challenge: Challenge, verification_id: str, fate: Fate) -> None:
        """Write down what Sinch said of a message when it was asked."""
        if challenge.reference is not None:
            async with self._database.write() as tx:
                await self._note(tx, verification_id, challenge.reference, fate)

    async def take_due(self) -> Sequence[Challenge]:
        """Return the challenges whose message is to be looked at now; no other worker gets the same ones."""
        now = datetime.now(UTC)
        due = (*_waiting(now), Challenge.check_at <= now)
        async with self._database.read() as tx:
            found = (await tx.scalars(select(Challenge).where(*due).limit(MOST_AT_ONCE))).all()
        taken = [await self._take(challenge, now) for challenge in found]
        return [challenge for challenge in taken if challenge is not None]

    async def _take(self, challenge: Challenge, now: datetime) -> Challenge | None:
        mine = (Challenge.id == challenge.id, Challenge.check_at == challenge.check_at)
        later = self._next_look(challenge, now)
        statement = (
            update(Challenge)
            .where(*mine, *_waiting(now))
            .values(check_at=later, checks=Challenge.checks + 1)
            .returning(Challenge)
        )
        async with self._database.write() as tx:
            taken: Challenge | None = await tx.scalar(statement)
            return taken

    def _next_look(self, challenge: Challenge, now: datetime) -> datetime:
        """Twice as far away each time, but not past the moment when patience ends."""
        later: datetime = now + BACK_OFF * 2**challenge.checks
        ends_at = challenge.sent_at + self._policy.patience if challenge.sent_at else now
        return min(later, ends_at) if now < ends_at else later

    async def _settle_price(
        self, tx: AsyncSession, challenge: Challenge, price: Price | None, now: datetime
    ) -> bool:
        """Charge what the message really costs. False when that is more than what is left for today."""
        if price is None:
            return True
        actual = prices.to_micros(price.amount)
        settled = await shield.settle_cost(
            tx,
            lane=challenge.lane,
            reserved=challenge.reserved_cost,
            actual=actual,
            policy=self._policy,
            now=now,
        )
        if settled:
            await _note_price(tx, challenge, price, now)
            challenge.reserved_cost = actual
        return settled

    async def _note(
        self, tx: AsyncSession, verification_id: str, reference: UUID, fate: Fate
    ) -> Challenge | None:
        now = datetime.now(UTC)
        current = (*_waiting(now), Challenge.reference == reference, Challenge.delivery.in_(UNHEARD))
        found = await tx.scalar(select(Challenge).where(*current).with_for_update())
        if found is None or (fate is Fate.REPLACED and found.lane is not Lane.ACCOUNT):
            return None  # a stranger must not see that the number's owner has asked for a code
        failed = fate is not Fate.DELIVERED
        values: dict[str, Any] = {
            "delivery": Delivery.FAILED if failed else Delivery.DELIVERED,
            "check_at": now if failed and self._policy.fallback else None,
        }
        if not failed and found.verification_id != verification_id:  # faster than the answer to the start
            values = sent_values(found, verification_id, self._sinch_texts) | values
        statement = update(Challenge).where(Challenge.id == found.id).values(**values).returning(Challenge)
        noted = await tx.scalar(statement, execution_options={"populate_existing": True})
        if failed:
            await reopen_number(tx, found)
        if not found.is_decoy:
            metrics.count_delivery(fate.value)
        return noted


async def _note_price(tx: AsyncSession, challenge: Challenge, price: Price | None, now: datetime) -> None:
    if price is not None and challenge.method is not None:
        country = country_of(challenge.phone_number)
        await prices.note_price(tx, country, challenge.method, price.currency, price.amount, now)


async def purge(tx: AsyncSession, before: datetime) -> int:
    """Forget events received before this moment: they don't come again. Returns how many."""
    old = ProviderEvent.received_at < before
    gone = await tx.scalars(delete(ProviderEvent).where(old).returning(ProviderEvent.event))
    return len(gone.all())


def _announcement(event: RequestEvent, now: datetime) -> Any:
    channels = [channel for channel, method in SINCH_METHODS.items() if method == event.method]
    wanted = (
        *_waiting(now),
        Challenge.reference == _as_uuid(event.reference),
        Challenge.phone_number == event.number,
        Challenge.method.in_(channels),
        Challenge.delivery.in_(UNDECIDED),
        or_(Challenge.announced_id.is_(None), Challenge.announced_id == event.id),
    )
    announced_id = event.id if event.takes_our_code else None
    return update(Challenge).where(*wanted).values(announced_id=announced_id).returning(Challenge)


def _as_uuid(text: str | None) -> UUID | None:
    """Read a reference of ours; another one is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Challenge.closed_at.is_(None), Challenge.expires_at > now)


async def _is_new(tx: AsyncSession, verification_id: str, event: str) -> bool:
    statement = (
        upsert(tx, ProviderEvent)
        .values(verification_id=verification_id, event=event, received_at=datetime.now(UTC))
        .on_conflict_do_nothing()
        .returning(ProviderEvent.event)
    )
    return await tx.scalar(statement) is not None
