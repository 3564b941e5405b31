"""Refresh families: one chain of tokens for each session, and never a second branch (RFC 9700 4.14.2).

Each token is sealed under the one before it. Whoever shows a token that was spent a moment ago (an answer
that got lost, a second tab) is led along the seals to the newest one. The database alone leads nobody there.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.audit.models import EventName
from otp_auth.sessions.clients import Client
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import RefreshToken, Session, live
from otp_auth.sessions.opening import OpenedSession, add_refresh_token
from otp_auth.settings import SessionPolicy
from otp_auth.tokens.opaque import digest, new_opaque_token, seal, unseal


async def rotate(
    tx: AsyncSession, refresh_token: str, client: Client, policy: SessionPolicy
) -> OpenedSession | None:
    """Spend a token for its successor, or find the newest of its family where it was spent just now.

    None when it is unknown, its session is over, or it was spent long ago: that is theft, the family ends and
    the caller must commit. The one who turns `spent_at` makes the successor: never are there two chains.
    """
    now = datetime.now(UTC)
    successor = new_opaque_token()
    session_id = await tx.scalar(_spend(refresh_token, successor, now))
    if session_id is None:
        return await find_newest(tx, refresh_token, client.network, policy)
    await forget_seals(tx, RefreshToken.session_id == session_id, now - policy.grace)
    session = await tx.scalar(_renew(session_id, client, policy, now))
    if session is None:
        return None
    return OpenedSession(session, add_refresh_token(tx, session.id, successor, now))


async def find_newest(
    tx: AsyncSession, refresh_token: str, network: str | None, policy: SessionPolicy
) -> OpenedSession | None:
    """Return the session of a token that is unspent or was spent just now, with the newest of its family.

    None as for `rotate`: the caller must commit.
    """
    now = datetime.now(UTC)
    token = await tx.get(RefreshToken, digest(refresh_token))
    session = (
        await tx.scalar(select(Session).where(Session.id == token.session_id, *live(now))) if token else None
    )
    if token is None or session is None:
        return None
    if was_spent_long_ago(token, policy, now):
        await end_sessions(tx, Session.id == session.id, event=EventName.REFRESH_REUSE, network=network)
        return None
    newest = _follow(await _tokens_of(tx, session.id), refresh_token)
    return OpenedSession(session, newest) if newest else None


def was_spent_long_ago(token: RefreshToken, policy: SessionPolicy, now: datetime) -> bool:
    return token.spent_at is not None and token.spent_at + policy.grace <= now


async def _tokens_of(tx: AsyncSession, session_id: UUID) -> dict[str, RefreshToken]:
    """Those that may still lead somewhere, by digest, all as of one moment."""
    sealed_or_unspent = RefreshToken.sealed_successor.is_not(None) | RefreshToken.spent_at.is_(None)
    statement = select(RefreshToken).where(RefreshToken.session_id == session_id, sealed_or_unspent)
    # Not the ones that this transaction has read before: meanwhile they may have been spent.
    found = await tx.scalars(statement.execution_options(populate_existing=True))
    return {token.digest: token for token in found}


def _follow(tokens: dict[str, RefreshToken], refresh_token: str) -> str | None:
    """Go along the seals to the token that nobody has spent."""
    shown: str | None = refresh_token
    while shown is not None:
        token = tokens.get(digest(shown))
        if token is None or token.spent_at is None:
            return shown if token else None
        shown = unseal(token.sealed_successor, shown) if token.sealed_successor else None
    return None


def _spend(refresh_token: str, successor: str, now: datetime) -> Any:
    unspent = (RefreshToken.digest == digest(refresh_token)) & RefreshToken.spent_at.is_(None)
    sealed = seal(successor, under=refresh_token)
    return (
        update(RefreshToken)
        .where(unspent)
        .values(spent_at=now, sealed_successor=sealed)
        .returning(RefreshToken.session_id)
    )


def _renew(session_id: UUID, client: Client, policy: SessionPolicy, now: datetime) -> Any:
    idle_until = _earlier(Session.expires_at, now + policy.idle)
    return (
        update(Session)
        .where(Session.id == session_id, *live(now))
        .values(last_used_at=now, idle_until=idle_until, network=client.network)
        .returning(Session)
    )


async def forget_seals(tx: AsyncSession, of: ColumnElement[bool], before: datetime) -> int:
    """Past their grace they would only help a thief of an old token and the database. Returns how many.

    Those that somebody else is at are left: they are forgotten there, or the next time.
    """
    old = (RefreshToken.spent_at <= before) & RefreshToken.sealed_successor.is_not(None)
    free = select(RefreshToken.digest).where(of, old).with_for_update(skip_locked=True)
    forgotten = update(RefreshToken).where(RefreshToken.digest.in_(free)).values(sealed_successor=None)
    gone = await tx.scalars(
        forgotten.returning(RefreshToken.digest), execution_options={"synchronize_session": False}
    )
    return len(gone.all())


def _earlier(column: Any, moment: datetime) -> ColumnElement[datetime]:
    return case((column < moment, column), else_=moment)
