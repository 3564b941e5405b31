"""Challenges in the database: opened, tried, spent, closed. Each method is one short transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.challenges.guesses import charge_guess, count_in_a_row, refund_guess
from otp_auth.challenges.guises import guise_of
from otp_auth.challenges.models import Challenge, Purpose
from otp_auth.database import Database, again_after_conflict
from otp_auth.factors.failures import clear_failures, enable_others
from otp_auth.factors.models import FactorKind
from otp_auth.sending import cooldowns, shield
from otp_auth.sending.models import Lane
from otp_auth.sessions.models import Session, live
from otp_auth.settings import GuessSettings
from otp_auth.tokens.errors import InvalidTokenError


class ChallengeRepository:
    """Challenges, and what trying their codes costs.

    Rows are locked in one order, so that no two transactions wait for each other: newer challenges before
    older ones, challenges before cool-downs, cool-downs before budgets and conversions.
    """

    def __init__(self, database: Database, guesses: GuessSettings) -> None:
        self._database = database
        self._guesses = guesses

    async def add(self, challenge: Challenge) -> Challenge:
        """Write a new one down. Raises InvalidTokenError when its account or session has ended meanwhile."""
        try:
            async with self._database.write() as tx:
                tx.add(challenge)
                await tx.flush()
                if await tx.scalar(select(Challenge.id).where(*_alive(challenge.id))) is None:
                    raise InvalidTokenError
        except IntegrityError as error:
            raise InvalidTokenError from error
        return challenge

    async def find_open(self, challenge_id: UUID) -> Challenge | None:
        async with self._database.read() as tx:
            return await tx.scalar(select(Challenge).where(*usable(challenge_id)))

    @again_after_conflict
    async def take_attempt(
        self, challenge_id: UUID, factor: FactorKind, network: str | None
    ) -> Challenge | None:
        """Use up one try and one guess. Committed before the code is looked at: a wrong one must count.

        None when the challenge is closed. Raises TooManyAttemptsError, and MethodNotOfferedError for a factor
        that is shut off; then nothing is used up.
        """
        statement = (
            update(Challenge)
            .where(*usable(challenge_id))
            .values(attempts_left=Challenge.attempts_left - 1)
            .returning(Challenge)
        )
        async with self._database.write() as tx:
            challenge: Challenge | None = await tx.scalar(statement)
            if challenge is None:
                return None
            await charge_guess(tx, challenge, factor, self._guesses, network)
            if challenge.owner_id is not None:
                owner, session = challenge.owner_id, challenge.session_id
                await count_in_a_row(tx, owner, factor, self._guesses, session_id=session, network=network)
            return challenge

    async def purge(self, expired_for: timedelta) -> int:
        """Delete what expired so long ago. Returns how many."""
        async with self._database.write() as tx:
            expired = Challenge.expires_at < datetime.now(UTC) - expired_for
            gone = await tx.scalars(delete(Challenge).where(expired).returning(Challenge.id))
            return len(gone.all())


async def spend(
    tx: AsyncSession, challenge_id: UUID, factor: FactorKind, network: str | None
) -> Challenge | None:
    """Close a proved challenge inside the transaction that writes what it proves.

    None when somebody else was faster. The proof also ends the cool-down of the number, and costs no guess.
    """
    statement = (
        update(Challenge)
        .where(*_alive(challenge_id))
        .values(closed_at=datetime.now(UTC), check_at=None)
        .returning(Challenge)
    )
    spent: Challenge | None = await tx.scalar(statement)
    if spent is not None:
        await _settle(tx, spent, factor, network)
    return spent


async def _settle(tx: AsyncSession, spent: Challenge, factor: FactorKind, network: str | None) -> None:
    """A proof gives back what wrong codes would have cost, and counts for its number."""
    await cooldowns.clear(tx, spent.lane, spent.phone_number)
    if guise := guise_of(spent):
        await cooldowns.clear(tx, Lane.RESET, guise.cooldown_key)
    await refund_guess(tx, spent, factor, network)
    if spent.owner_id is not None:
        await clear_failures(tx, spent.owner_id, factor)
        # The way back to a factor that too many wrong codes shut off.
        await enable_others(tx, spent.owner_id, factor)
    if factor is FactorKind.PHONE and spent.phone_number:  # none: its account has gone meanwhile
        await shield.note_proof(tx, spent.phone_number, spent.lane, datetime.now(UTC))


async def close(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """End open challenges, locked newest first; what they carried is forgotten."""
    found = await lock_open(tx, which)
    if found:
        statement = update(Challenge).where(Challenge.id.in_(found))
        await tx.execute(
            statement.values(closed_at=datetime.now(UTC), payload=None, check_at=None),
            execution_options={"synchronize_session": False},
        )


def of_account(user_id: UUID | None) -> ColumnElement[bool]:
    """The challenges that end with what an account has proved.

    Not its password resets: a stranger may hold their pending tokens, and would see that there is an account
    and that its owner did something. Their completion looks at the account itself.
    """
    return (Challenge.user_id == user_id) & (Challenge.purpose != Purpose.PASSWORD_RESET)


async def lock_open(tx: AsyncSession, which: ColumnElement[bool]) -> Sequence[UUID]:
    """Lock open challenges newest first, before any of them is written. Returns their ids."""
    still_open = and_(which, Challenge.closed_at.is_(None))
    newest_first = select(Challenge.id).where(still_open).order_by(Challenge.id.desc()).with_for_update()
    return (await tx.scalars(newest_first)).all()


def _alive(challenge_id: UUID) -> tuple[ColumnElement[bool], ...]:
    now = datetime.now(UTC)
    return (
        Challenge.id == challenge_id,
        Challenge.closed_at.is_(None),
        Challenge.expires_at > now,
        or_(Challenge.session_id.is_(None), Challenge.session_id.in_(select(Session.id).where(*live(now)))),
    )


def usable(challenge_id: UUID) -> tuple[ColumnElement[bool], ...]:
    # Without attempts nothing more is possible, yet a right code already on its way to the judge may land.
    return (*_alive(challenge_id), Challenge.attempts_left > 0)
