"""Challenges of password resets in the database: opened, and asked to send once more.

Both write the same for every name. The message itself goes out later, if there is an account to send it to.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.challenges.errors import ChallengeClosedError
from otp_auth.challenges.guises import Guise
from otp_auth.challenges.models import DECOY, Challenge, CodeMaker, Delivery, Purpose
from otp_auth.challenges.repository import close, lock_open, usable
from otp_auth.challenges.sends import earlier
from otp_auth.database import Database
from otp_auth.identifiers import new_id
from otp_auth.sending import cooldowns
from otp_auth.sending.errors import ResendTooSoonError, TooManySendsError
from otp_auth.sending.models import Lane
from otp_auth.settings import ChallengeSettings, SendSettings

NOBODY = ""  # in place of a number, until the challenge is about an account
# What makes a challenge nobody's again: its message is a decoy from then on.
OF_NOBODY = {
    "user_id": None,
    "phone_number": NOBODY,
    "accept_language": None,
    "delivery": Delivery.SENT,
    "verification_id": f"{DECOY}of nobody",
    "announced_id": None,
    "check_at": None,
}


class ResetRepository:
    """Resets as strangers see them. Each method is one short transaction."""

    def __init__(self, database: Database, policy: ChallengeSettings, sends: SendSettings) -> None:
        self._database = database
        self._policy = policy
        self._gaps = sends.resend_gap

    async def open(
        self, guise: Guise, maker: CodeMaker, accept_language: str | None
    ) -> tuple[Challenge, bool]:
        """Write a new one down; with it, whether a message may follow: the name's cool-down says so.

        If so, the older ones of the name end: one live code at a time.
        """
        now = datetime.now(UTC)
        challenge = self._new(guise, maker, accept_language, now)
        async with self._database.write() as tx:
            # Challenges are locked before cool-downs, by all who lock both.
            older = await lock_open(tx, _of_name(guise.name_digest, now))
            goes = await self._take_turn(tx, guise, challenge, now)
            if goes:
                await close(tx, Challenge.id.in_(older))
                challenge.sends_left = self._policy.sends - 1
                challenge.sent_at = challenge.first_sent_at = now
                challenge.expires_at = min(challenge.pending_until, now + self._policy.lifetime)
            tx.add(challenge)
        return challenge, goes

    async def send_again(self, challenge: Challenge, guise: Guise) -> Challenge:
        """Take one more send of the challenge and of its name's cool-down.

        Raises ResendTooSoonError, TooManySendsError, ChallengeClosedError.
        """
        now = datetime.now(UTC)
        async with self._database.write() as tx:
            taken: Challenge | None = await tx.scalar(self._taking(challenge, guise, now))
            if taken is not None and await self._take_turn(tx, guise, taken, now):
                return taken
            await tx.rollback()
        raise await self._why_not(challenge, guise, now, has_sends=taken is not None)

    async def bind(
        self, challenge_id: UUID, user_id: UUID, phone_number: str, password_version: int, locale: str | None
    ) -> Challenge | None:
        """Let the phone of an account prove it. None when it is closed, or the account is gone."""
        values: dict[str, Any] = {
            "user_id": user_id,
            "phone_number": phone_number,
            "password_version": password_version,
        }
        values |= {"accept_language": locale} if locale else {}
        free = (*usable(challenge_id), Challenge.user_id.is_(None))
        statement = update(Challenge).where(*free).values(values).returning(Challenge)
        try:
            async with self._database.write() as tx:
                bound: Challenge | None = await tx.scalar(statement)
                return bound
        except IntegrityError:
            return None

    async def _take_turn(self, tx: AsyncSession, guise: Guise, challenge: Challenge, now: datetime) -> bool:
        if challenge.reference is None:
            raise ValueError("each send has a reference")
        key = guise.cooldown_key
        end = await cooldowns.charge(tx, Lane.RESET, key, challenge.reference, self._gaps, now)
        return end is not None

    async def _why_not(
        self, challenge: Challenge, guise: Guise, now: datetime, *, has_sends: bool
    ) -> Exception:
        async with self._database.read() as tx:
            cooldown = await cooldowns.find(tx, Lane.RESET, guise.cooldown_key)
            still_open = await tx.scalar(select(Challenge).where(*usable(challenge.id)))
        if has_sends:
            return ResendTooSoonError(cooldown.next_send_at if cooldown else now)
        return TooManySendsError(still_open.expires_at) if still_open else ChallengeClosedError()

    def _new(self, guise: Guise, maker: CodeMaker, accept_language: str | None, now: datetime) -> Challenge:
        reference, pending_until = new_id(), now + self._policy.pending_lifetime
        return Challenge(
            id=new_id(),
            purpose=Purpose.PASSWORD_RESET,
            phone_number=NOBODY,
            accept_language=accept_language,
            payload=guise.as_payload(),
            method=guise.method,
            # As if its message were out: until there is one, it counts wrong codes as any other.
            delivery=Delivery.SENT,
            reference=reference,
            verification_id=f"{DECOY}{reference}",
            verification_method=guise.method,
            code_maker=maker,
            code_type=guise.code_type,
            code_length=guise.code_length,
            attempts_left=self._policy.attempts,
            sends_left=self._policy.sends,
            created_at=now,
            expires_at=pending_until,
            pending_until=pending_until,
        )

    def _taking(self, challenge: Challenge, guise: Guise, now: datetime) -> Any:
        """Build the statement. A code that is out stays good until another one is."""
        reference = new_id()
        is_decoy = Challenge.verification_id.startswith(DECOY)
        from_first_send = case(
            (Challenge.first_sent_at.is_(None), earlier(now + self._policy.lifetime)),
            else_=Challenge.expires_at,
        )
        return (
            update(Challenge)
            .where(*usable(challenge.id), Challenge.sends_left > 0)
            .values(
                sends_left=Challenge.sends_left - 1,
                payload=guise.as_payload(),
                method=guise.method,
                delivery=Delivery.SENT,
                reference=reference,
                verification_id=case((is_decoy, f"{DECOY}{reference}"), else_=Challenge.verification_id),
                announced_id=None,
                check_at=None,
                sent_at=now,
                first_sent_at=func.coalesce(Challenge.first_sent_at, now),
                expires_at=from_first_send,
            )
            .returning(Challenge)
            .execution_options(populate_existing=True)
        )


def _of_name(name_digest: str, now: datetime) -> ColumnElement[bool]:
    """Those that live: few, so that no index is needed for what the payload says."""
    is_alive = and_(Challenge.purpose == Purpose.PASSWORD_RESET, Challenge.expires_at > now)
    return and_(is_alive, Challenge.payload["name_digest"].as_string() == name_digest)
