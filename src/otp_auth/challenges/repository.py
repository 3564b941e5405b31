"""Challenges in the database. Each method is one short transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.challenges.guesses import charge_guess, refund_guess
from otp_auth.challenges.models import Challenge, CodeType, Delivery
from otp_auth.database import Database
from otp_auth.sending import cooldowns
from otp_auth.sending.channels import Channel
from otp_auth.settings import ChallengeSettings, GuessSettings


@dataclass(frozen=True)
class Reservation:
    """The right to one send. `challenge` is None when it is closed or has no sends left."""

    challenge: Challenge | None
    waits_until: datetime | None = None  # the cool-down of the number, when that stands in the way


class ChallengeRepository:
    """Challenges, and the cool-down of the numbers they go to.

    Rows are locked in one order, so that no two transactions wait for each other: newer challenges before
    older ones, challenges before cool-downs and budgets.
    """

    def __init__(self, database: Database, policy: ChallengeSettings, guesses: GuessSettings) -> None:
        self._database = database
        self._policy = policy
        self._guesses = guesses

    async def add(self, challenge: Challenge) -> Challenge:
        async with self._database.write() as tx:
            tx.add(challenge)
        return challenge

    async def find_open(self, challenge_id: UUID) -> Challenge | None:
        async with self._database.read() as tx:
            return await tx.scalar(select(Challenge).where(*_usable(challenge_id)))

    async def may_send_at(self, challenge: Challenge) -> datetime | None:
        """When the cool-down of its number ends; None when there is none."""
        async with self._database.read() as tx:
            return await cooldowns.end_of(tx, challenge.lane, challenge.phone_number)

    async def reserve_send(
        self, challenge: Challenge, method: Channel, reference: UUID, gaps: tuple[int, ...]
    ) -> Reservation:
        """Charge one send to the challenge and to its number, before Sinch is called."""
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            reserved = await tx.scalar(self._take_send(challenge.id, method, reference, now))
            if reserved is None:
                return Reservation(None)
            lane, number = reserved.lane, reserved.phone_number
            if await cooldowns.charge(tx, lane, number, reference, gaps, now) is None:
                await tx.rollback()
                return Reservation(challenge, await self.may_send_at(challenge) or now)
            return Reservation(reserved)

    def _take_send(self, challenge_id: UUID, method: Channel, reference: UUID, now: datetime) -> Any:
        lifetime_from_first_send = case(
            (Challenge.first_sent_at.is_(None), _earlier(now + self._policy.lifetime)),
            else_=Challenge.expires_at,
        )
        return (
            update(Challenge)
            .where(*_usable(challenge_id), Challenge.sends_left > 0)
            .values(
                sends_left=Challenge.sends_left - 1,
                method=method,
                reference=reference,
                delivery=Delivery.SENDING,
                expires_at=lifetime_from_first_send,
                first_sent_at=func.coalesce(Challenge.first_sent_at, now),
            )
            .returning(Challenge)
            .execution_options(populate_existing=True)
        )

    async def record_sent(
        self, challenge: Challenge, reference: UUID, verification_id: str
    ) -> Challenge | None:
        """Write down that a message went out, and close the older challenges it replaces.

        None when a later send has taken its place, or the challenge is closed.
        """
        values = {
            "delivery": Delivery.SENT,
            "verification_id": verification_id,
            "verification_method": challenge.method,
            "code_type": CodeType.CALLER_ID if challenge.method == Channel.FLASHCALL else CodeType.NUMERIC,
        }
        async with self._database.write() as tx:
            sent = await _record(tx, challenge, reference, values)
            if sent is not None and sent.user_id is not None:
                await _close_older(tx, sent)
            return sent

    async def record_failed(self, challenge: Challenge, reference: UUID) -> Challenge | None:
        """Write down that no message went out, so that another may follow at once."""
        async with self._database.write() as tx:
            recorded = await _record(tx, challenge, reference, {"delivery": Delivery.FAILED})
            lane, number = challenge.lane, challenge.phone_number
            await cooldowns.rewind(tx, lane, number, reference, datetime.now(UTC))
            return recorded

    async def record_unknown(self, challenge: Challenge, reference: UUID) -> Challenge | None:
        """Write down that nobody knows whether a message went out; its reference will tell later."""
        async with self._database.write() as tx:
            return await _record(tx, challenge, reference, {"delivery": Delivery.UNKNOWN})

    async def take_attempt(self, challenge_id: UUID) -> Challenge | None:
        """Use up one try and one guess. Committed before the code is looked at: a wrong one must count.

        None when the challenge is closed. Raises TooManyAttemptsError, and then nothing is used up.
        """
        statement = (
            update(Challenge)
            .where(*_usable(challenge_id))
            .values(attempts_left=Challenge.attempts_left - 1)
            .returning(Challenge)
        )
        async with self._database.write() as tx:
            challenge: Challenge | None = await tx.scalar(statement)
            if challenge is not None:
                await charge_guess(tx, challenge, self._guesses)
            return challenge

    async def purge(self, expired_for: timedelta) -> int:
        """Delete what expired so long ago. Returns how many."""
        async with self._database.write() as tx:
            expired = Challenge.expires_at < datetime.now(UTC) - expired_for
            gone = await tx.scalars(delete(Challenge).where(expired).returning(Challenge.id))
            return len(gone.all())


async def spend(tx: AsyncSession, challenge_id: UUID) -> Challenge | None:
    """Close a proved challenge inside the transaction that writes what it proves.

    None when somebody else was faster. The proof also ends the cool-down of the number, and costs no guess.
    """
    statement = (
        update(Challenge)
        .where(*_alive(challenge_id))
        .values(closed_at=datetime.now(UTC))
        .returning(Challenge)
    )
    spent = await tx.scalar(statement)
    if spent is not None:
        await cooldowns.clear(tx, spent.phone_number)
        await refund_guess(tx, spent)
    return spent


async def close(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """End open challenges; what they carried is forgotten."""
    now = datetime.now(UTC)
    statement = update(Challenge).where(which, Challenge.closed_at.is_(None))
    await tx.execute(
        statement.values(closed_at=now, payload=None), execution_options={"synchronize_session": False}
    )


def _alive(challenge_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Challenge.id == challenge_id,
        Challenge.closed_at.is_(None),
        Challenge.expires_at > datetime.now(UTC),
    )


def _usable(challenge_id: UUID) -> tuple[ColumnElement[bool], ...]:
    # Without attempts nothing more is possible, yet a right code already on its way to the judge may land.
    return (*_alive(challenge_id), Challenge.attempts_left > 0)


async def _record(
    tx: AsyncSession, challenge: Challenge, reference: UUID, values: dict[str, Any]
) -> Challenge | None:
    """Write what came of a send, unless a later one has taken its place or the challenge is closed."""
    current = and_(
        Challenge.id == challenge.id, Challenge.reference == reference, Challenge.closed_at.is_(None)
    )
    return await tx.scalar(update(Challenge).where(current).values(**values).returning(Challenge))


async def _close_older(tx: AsyncSession, sent: Challenge) -> None:
    """One live code at a time: a message that went out ends the challenges before it."""
    older = and_(
        Challenge.user_id == sent.user_id,
        Challenge.purpose == sent.purpose,
        Challenge.id < sent.id,
        Challenge.closed_at.is_(None),
    )
    newest_first = select(Challenge.id).where(older).order_by(Challenge.id.desc()).with_for_update()
    found = (await tx.scalars(newest_first)).all()
    if found:
        await close(tx, Challenge.id.in_(found))


def _earlier(moment: datetime) -> ColumnElement[datetime]:
    """The moment, but never past the end of the pending token."""
    return case((Challenge.pending_until < moment, Challenge.pending_until), else_=moment)
