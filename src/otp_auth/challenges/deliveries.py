"""How far messages have come: what Sinch's events and its status say, written down. Late news changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.challenges.models import UNDECIDED, UNHEARD, Challenge, CodeType, Delivery, ProviderEvent
from otp_auth.challenges.repository import reopen_number, sent_values
from otp_auth.database import Database, upsert
from otp_auth.phone_numbers import country_of
from otp_auth.sending import prices, shield
from otp_auth.sending.channels import OWN_CODE_CHANNELS, SINCH_METHODS, Channel
from otp_auth.settings import SendSettings
from otp_auth.sinch.events import Price, RequestEvent
from otp_auth.sinch.schemas import VerificationStatus

MICROS = 1_000_000
BACK_OFF = timedelta(seconds=5)  # doubled with each look
MOST_AT_ONCE = 50

# What a status says of the message; any other says nothing of it.
_FATES = {
    VerificationStatus.DENIED: Delivery.FAILED,
    VerificationStatus.ERROR: Delivery.FAILED,
    VerificationStatus.ABORTED: Delivery.FAILED,  # replaced by a start that wasn't ours: its code is dead
}


def fate_of(status: str | None) -> Delivery | None:
    """What a verification's status says of its message; None: nothing new."""
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
            challenge = await tx.scalar(_announcement(event, now))
            if challenge is None or not await self._settle_price(tx, challenge, event.price, now):
                await tx.rollback()
                return None
            return challenge

    async def note_delivery(
        self, verification_id: str, event: str, reference: UUID, fate: Delivery
    ) -> Challenge | None:
        """Write down how a message ended; None when that is known already, or of no challenge that waits."""
        async with self._database.write() as tx:
            if not await _is_new(tx, verification_id, event):
                return None
            return await self._note(tx, verification_id, reference, fate)

    async def note_status(self, challenge: Challenge, verification_id: str, fate: Delivery) -> None:
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
        later = now + BACK_OFF * 2**challenge.checks
        statement = (
            update(Challenge)
            .where(*mine, *_waiting(now))
            .values(check_at=later, checks=Challenge.checks + 1)
            .returning(Challenge)
        )
        async with self._database.write() as tx:
            return await tx.scalar(statement)

    async def _settle_price(
        self, tx: AsyncSession, challenge: Challenge, price: Price | None, now: datetime
    ) -> bool:
        """Charge what the message really costs. False when that is more than what is left for today."""
        if price is None:
            return True
        actual = int(price.amount * MICROS)
        country, method = country_of(challenge.phone_number), str(challenge.method)
        settled = await shield.settle_cost(
            tx, reserved=challenge.reserved_cost, actual=actual, policy=self._policy, now=now
        )
        if settled:
            await prices.note_price(tx, country, method, price.currencyId, price.amount, now)
            challenge.reserved_cost = actual
        return settled

    async def _note(
        self, tx: AsyncSession, verification_id: str, reference: UUID, fate: Delivery
    ) -> Challenge | None:
        now = datetime.now(UTC)
        current = (*_waiting(now), Challenge.reference == reference, Challenge.delivery.in_(UNHEARD))
        found = await tx.scalar(select(Challenge).where(*current).with_for_update())
        if found is None:
            return None
        failed = fate is Delivery.FAILED
        values: dict[str, Any] = {"delivery": fate, "check_at": None}
        if not failed:
            values = sent_values(found, verification_id, self._sinch_texts) | values
        elif self._policy.fallback:
            values["check_at"] = now
        statement = update(Challenge).where(Challenge.id == found.id).values(**values).returning(Challenge)
        noted = await tx.scalar(statement, execution_options={"populate_existing": True})
        if failed:
            await reopen_number(tx, found)
        return noted


def _announcement(event: RequestEvent, now: datetime) -> Any:
    channel = next(name for name, method in SINCH_METHODS.items() if method == event.method)
    reference = event.reference_of_ours
    wanted = (
        *_waiting(now),
        Challenge.reference == reference,
        Challenge.phone_number == event.identity.endpoint,
        Challenge.method == channel,
        Challenge.delivery.in_(UNDECIDED),
        or_(Challenge.announced_id.is_(None), Challenge.announced_id == event.id),
    )
    announced_id = event.id if channel in OWN_CODE_CHANNELS else None
    return update(Challenge).where(*wanted).values(announced_id=announced_id).returning(Challenge)


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
