"""Messages of challenges in the database: reserved, sent, failed. Each method is one short transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.models import EventName
from otp_auth.audit.trail import record
from otp_auth.challenges.codes import LENGTH, code_type_of_sinch
from otp_auth.challenges.guises import guise_of
from otp_auth.challenges.models import (
    DECOY,
    OF_THE_OWNER,
    UNDECIDED,
    Challenge,
    CodeMaker,
    CodeType,
    Delivery,
    Purpose,
)
from otp_auth.challenges.repository import close, usable
from otp_auth.database import Database, again_after_conflict
from otp_auth.factors.failures import disabled_factors
from otp_auth.factors.models import FactorKind
from otp_auth.identifiers import new_id
from otp_auth.phone_numbers import country_of
from otp_auth.sending import cooldowns, shield
from otp_auth.sending.channels import OWN_CODE_CHANNELS, Channel
from otp_auth.sending.models import Cooldown, Lane
from otp_auth.sending.shield import Refusal, Send
from otp_auth.settings import ChallengeSettings, SendSettings

# A start that Sinch doesn't know after so long can't be under way any more.
LONGEST_START = timedelta(seconds=30)


@dataclass(frozen=True)
class WantedSend:
    """A message that is to go out for a challenge."""

    challenge: Challenge
    method: Channel
    network: str | None  # who asks; None for us ourselves

    @property
    def in_words(self) -> dict[str, str]:
        """What the audit trail may know of it."""
        return in_words(self.challenge.phone_number, self.method)

    @property
    def as_send(self) -> Send:
        """What the shield judges."""
        challenge = self.challenge
        return Send(challenge.phone_number, self.method, challenge.lane, challenge.asker_id, self.network)


@dataclass(frozen=True)
class Reservation:
    """The right to one send. `challenge` is None when it is closed or has no sends left."""

    challenge: Challenge | None
    waits_until: datetime | None = None  # the cool-down of the number, when that stands in the way
    refusals: tuple[Refusal, ...] = ()  # of the shield; in watch mode the send goes on all the same


@dataclass(frozen=True)
class CodeKind:
    """What a code is like that nobody has made yet."""

    maker: CodeMaker
    code_type: CodeType
    code_length: int | None


class SendRepository:
    """What is written down of messages, before and after Sinch is asked."""

    def __init__(self, database: Database, policy: ChallengeSettings) -> None:
        self._database = database
        self._policy = policy

    async def cooldown_of(self, challenge: Challenge) -> Cooldown | None:
        """The cool-down that its next message has to wait for, over or not; of a reset the one that shows."""
        guise = guise_of(challenge)
        key = guise.cooldown_key if guise else challenge.phone_number
        async with self._database.read() as tx:
            return await cooldowns.find(tx, challenge.lane, key)

    async def is_phone_off(self, user_id: UUID | None) -> bool:
        """Whether too many wrong codes in a row have shut the account's phone off as a factor."""
        if user_id is None:
            return False
        async with self._database.read() as tx:
            return FactorKind.PHONE in await disabled_factors(tx, user_id)

    @again_after_conflict
    async def reserve_send(self, wanted: WantedSend, policy: SendSettings) -> Reservation:
        """Charge one send to the challenge, its number and every budget, before Sinch is called."""
        now = datetime.now(UTC)
        refusals = await self.look(wanted, policy)
        if refusals and policy.mode == "enforce":
            return Reservation(wanted.challenge, refusals=refusals)  # spares the locks that all sends share
        async with self._database.write() as tx:
            reserved = await tx.scalar(self._taking(wanted, now))
            if reserved is None:
                return Reservation(None)
            if not await _charge_cooldown(tx, reserved, wanted, policy, now):
                await tx.rollback()
                cooldown = await self.cooldown_of(wanted.challenge)
                return Reservation(wanted.challenge, cooldown.next_send_at if cooldown else now)
            charged = await shield.charge(tx, wanted.as_send, policy, now)
            if charged.refusals and policy.mode == "enforce":
                await tx.rollback()
                return Reservation(wanted.challenge, refusals=tuple(charged.refusals))
            reserved.reserved_cost = charged.cost_micros
            return Reservation(reserved, refusals=tuple(charged.refusals))

    async def look(self, wanted: WantedSend, policy: SendSettings) -> tuple[Refusal, ...]:
        """Say what of the shield would refuse this message now."""
        async with self._database.read() as tx:
            return tuple(await shield.look(tx, wanted.as_send, policy, datetime.now(UTC)))

    def _taking(self, wanted: WantedSend, now: datetime) -> Any:
        is_reset = wanted.challenge.purpose is Purpose.PASSWORD_RESET
        return _carry_out(wanted, now) if is_reset else self._take_send(wanted, now)

    def _take_send(self, wanted: WantedSend, now: datetime) -> Any:
        lifetime_from_first_send = case(
            (Challenge.first_sent_at.is_(None), earlier(now + self._policy.lifetime)),
            else_=Challenge.expires_at,
        )
        return (
            update(Challenge)
            .where(*usable(wanted.challenge.id), Challenge.sends_left > 0)
            .values(
                sends_left=Challenge.sends_left - 1,
                method=wanted.method,
                reference=new_id(),
                sent_at=now,
                announced_id=None,
                check_at=now + LONGEST_START,  # should nobody write down what came of it
                checks=0,
                tried_methods=[*wanted.challenge.tried_methods, wanted.method.value],
                delivery=Delivery.SENDING,
                expires_at=lifetime_from_first_send,
                first_sent_at=func.coalesce(Challenge.first_sent_at, now),
            )
            .returning(Challenge)
            .execution_options(populate_existing=True)
        )

    @again_after_conflict
    async def record_sent(
        self,
        challenge: Challenge,
        verification_id: str,
        sinch_texts: CodeType,
        check_at: datetime,
        network: str | None,
    ) -> Challenge | None:
        """Write down that a message went out, and close the older challenges it replaces.

        `sinch_texts` is the kind of code that Sinch puts into texts; `network` is of who asked. None when a
        later send has taken its place, or the challenge is closed.
        """
        is_news = Challenge.delivery.in_(UNDECIDED)  # Sinch's events may have been faster than its answer
        values = sent_values(challenge, verification_id, sinch_texts) | {
            "delivery": case((is_news, Delivery.SENT.value), else_=Challenge.delivery),
            "check_at": case((is_news, check_at), else_=Challenge.check_at),
        }
        async with self._database.write() as tx:
            sent = await _record(tx, challenge, values)
            if sent is not None:
                await _close_older(tx, sent)
                _note_sent(tx, sent, network)
            return sent

    async def owner_awaits_code(self, challenge: Challenge) -> bool:
        """Whether this is a stranger's challenge, while the number's owner waits for a code."""
        if challenge.lane is Lane.ACCOUNT:
            return False
        is_out = Challenge.verification_id.is_not(None) & Challenge.verification_id.not_like(f"{DECOY}%")
        alive = or_(is_out, Challenge.delivery.in_(UNDECIDED))
        # A reset comes after the owner's logins, and before whoever registers the number.
        reset = {Purpose.PASSWORD_RESET} if challenge.lane is Lane.STRANGER else set()
        of_owner = (
            Challenge.phone_number == challenge.phone_number,
            Challenge.purpose.in_(OF_THE_OWNER | reset),
            Challenge.closed_at.is_(None),
            Challenge.expires_at > datetime.now(UTC),
        )
        async with self._database.read() as tx:
            return await tx.scalar(select(Challenge.id).where(*of_owner, alive).limit(1)) is not None

    async def record_decoy(
        self, challenge: Challenge, sinch_texts: CodeType, check_at: datetime
    ) -> Challenge | None:
        """Write down a message that never was, as it would have been."""
        kind = await self.foresee_code(challenge.method, sinch_texts)
        has_receipts = kind.maker is CodeMaker.WE and challenge.method is Channel.SMS
        values = {
            "delivery": Delivery.SENT,
            "verification_id": f"{DECOY}{challenge.reference}",
            "verification_method": challenge.method,
            "code_maker": kind.maker,
            "code_type": kind.code_type,
            "code_length": kind.code_length,
            # Receipts come for texts alone, and only where callbacks do.
            "check_at": check_at if has_receipts else None,
        }
        async with self._database.write() as tx:
            return await _record(tx, challenge, values)

    async def foresee_code(self, method: Channel | None, sinch_texts: CodeType) -> CodeKind:
        """Say what a code would be like that went out now, going by the last ones."""
        if method in OWN_CODE_CHANNELS and await self._callbacks_arrive():
            return CodeKind(CodeMaker.WE, CodeType.NUMERIC, LENGTH)
        return CodeKind(CodeMaker.SINCH, code_type_of_sinch(method, sinch_texts), None)

    async def _callbacks_arrive(self) -> bool:
        """Whether the last message that could carry a code of ours did."""
        last = (
            select(Challenge.code_maker)
            .where(
                Challenge.verification_method.in_(OWN_CODE_CHANNELS),
                Challenge.verification_id.not_like(f"{DECOY}%"),
            )
            .order_by(Challenge.id.desc())
            .limit(1)
        )
        async with self._database.read() as tx:
            return await tx.scalar(last) is CodeMaker.WE

    async def record_failed(
        self, challenge: Challenge, *, unreachable: bool, check_at: datetime | None
    ) -> Challenge | None:
        """Write down that no message went out, so that another may follow at once.

        `unreachable`: this number can't be reached by this method at all.
        """
        refused = [*challenge.refused_methods, *([str(challenge.method)] if unreachable else [])]
        values = {"delivery": Delivery.FAILED, "refused_methods": refused, "check_at": check_at}
        async with self._database.write() as tx:
            recorded = await _record(tx, challenge, values)
            await reopen_number(tx, challenge)
            return recorded

    async def record_unknown(self, challenge: Challenge, check_at: datetime) -> Challenge | None:
        """Write down that nobody knows whether a message went out; its reference will tell later."""
        is_news = Challenge.delivery.in_(UNDECIDED)
        values = {
            "delivery": case((is_news, Delivery.UNKNOWN.value), else_=Challenge.delivery),
            "check_at": case((is_news, check_at), else_=Challenge.check_at),
        }
        async with self._database.write() as tx:
            return await _record(tx, challenge, values)


def sent_values(challenge: Challenge, verification_id: str, sinch_texts: CodeType) -> dict[str, Any]:
    """What is true of a challenge once its message is out.

    The code is ours where Sinch's request event was answered with it; else Sinch made one.
    """
    is_ours = Challenge.announced_id == verification_id
    sinch_makes = code_type_of_sinch(challenge.method, sinch_texts)
    return {
        "verification_id": verification_id,
        "verification_method": challenge.method,
        "code_maker": case((is_ours, CodeMaker.WE.value), else_=CodeMaker.SINCH.value),
        "code_type": case((is_ours, CodeType.NUMERIC.value), else_=sinch_makes.value),
        "code_length": case((is_ours, LENGTH), else_=None),
    }


async def reopen_number(tx: AsyncSession, challenge: Challenge) -> None:
    """End the cool-down of a message that surely reached nobody."""
    if challenge.reference is not None:
        now = datetime.now(UTC)
        await cooldowns.rewind(tx, challenge.lane, challenge.phone_number, challenge.reference, now)


def in_words(phone_number: str, method: Channel | None) -> dict[str, str]:
    """What the audit trail may know of a message."""
    words = {"country": country_of(phone_number)}
    return words | ({"method": method.value} if method else {})


def _carry_out(wanted: WantedSend, now: datetime) -> Any:
    """Build the statement for the message of a reset: its send was taken when it was asked for.

    Nothing that is seen of it changes. A later request takes its place.
    """
    asked = wanted.challenge
    return (
        update(Challenge)
        .where(*usable(asked.id), Challenge.reference == asked.reference)
        .values(
            method=wanted.method,
            announced_id=None,
            check_at=now + LONGEST_START,
            checks=0,
            delivery=Delivery.SENDING,
        )
        .returning(Challenge)
        .execution_options(populate_existing=True)
    )


def _note_sent(tx: AsyncSession, sent: Challenge, network: str | None) -> None:
    record(
        tx,
        EventName.CODE_SENT,
        user_id=sent.user_id,
        session_id=sent.session_id,
        network=network,
        detail={**in_words(sent.phone_number, sent.method), "purpose": sent.purpose.value},
    )


async def _charge_cooldown(
    tx: AsyncSession, reserved: Challenge, wanted: WantedSend, policy: SendSettings, now: datetime
) -> bool:
    seen = wanted.challenge
    if reserved.reference is None:
        raise ValueError("a reserved send has a reference")
    may_replace = wanted.method != seen.method and seen.is_unheard_of(policy.patience, now)
    end = await cooldowns.charge(
        tx,
        reserved.lane,
        reserved.phone_number,
        reserved.reference,
        policy.resend_gap,
        now,
        instead_of=seen.reference if may_replace else None,
    )
    return end is not None


async def _record(tx: AsyncSession, challenge: Challenge, values: dict[str, Any]) -> Challenge | None:
    """Write what came of a send, unless a later one has taken its place or the challenge is closed."""
    current = and_(
        Challenge.id == challenge.id,
        Challenge.reference == challenge.reference,
        Challenge.closed_at.is_(None),
    )
    statement = update(Challenge).where(current).values(**values).returning(Challenge)
    return await tx.scalar(statement, execution_options={"populate_existing": True})


async def _close_older(tx: AsyncSession, sent: Challenge) -> None:
    """One live code at a time: a message to an account ends the challenges before it.

    Of resets those of its name have ended already; others would tell that two names are one account's.
    """
    if sent.asker_id is None:
        return
    same = and_(Challenge.user_id == sent.user_id, Challenge.purpose == sent.purpose)
    await close(tx, same & (Challenge.id < sent.id))


def earlier(moment: datetime) -> ColumnElement[datetime]:
    """The moment, but never past the end of the pending token."""
    return case((Challenge.pending_until < moment, Challenge.pending_until), else_=moment)
