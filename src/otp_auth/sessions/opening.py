"""Sessions begin here, and nowhere else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from otp_auth.sessions.clients import Client
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.models import RefreshToken, Session, live
from otp_auth.settings import SessionPolicy
from otp_auth.tokens.opaque import digest, new_opaque_token

ONE_FACTOR = "aal1"  # the `acr` of a password alone (SP 800-63B-4 2.1)


@dataclass(frozen=True)
class Owner:
    """Whose session it is, at the password that was proved."""

    user_id: UUID
    password_version: int


@dataclass(frozen=True)
class Assurance:
    """What was proved (RFC 8176, SP 800-63B-4 2.2)."""

    amr: list[str]
    acr: str


@dataclass(frozen=True)
class OpenedSession:
    """A live session and the newest refresh token of its family."""

    session: Session
    refresh_token: str


async def open_session(
    tx: AsyncSession, owner: Owner, assurance: Assurance, client: Client, policy: SessionPolicy
) -> OpenedSession:
    """Mint a session. The only function that does: for a proved challenge, or for a trusted device.

    Past the account's number of sessions the ones used longest ago end. The caller holds the account's row
    locked, so that parallel logins count each other.
    """
    now = datetime.now(UTC)
    expires_at = now + policy.absolute
    session = Session(
        user_id=owner.user_id,
        password_version=owner.password_version,
        amr=assurance.amr,
        acr=assurance.acr,
        auth_time=now,
        created_at=now,
        last_used_at=now,
        idle_until=min(expires_at, now + policy.idle),
        expires_at=expires_at,
        device=client.device,
        network=client.network,
    )
    tx.add(session)
    await tx.flush()
    await _end_surplus(tx, session, policy.per_account)
    return OpenedSession(session, add_refresh_token(tx, session.id, new_opaque_token(), now))


def add_refresh_token(tx: AsyncSession, session_id: UUID, token: str, now: datetime) -> str:
    tx.add(RefreshToken(digest=digest(token), session_id=session_id, created_at=now))
    return token


async def _end_surplus(tx: AsyncSession, newest: Session, allowed: int) -> None:
    surplus = (
        select(Session.id)
        .where(Session.user_id == newest.user_id, Session.id != newest.id, *live(newest.created_at))
        .order_by(Session.last_used_at.desc(), Session.id.desc())
        .offset(allowed - 1)
    )
    ids = (await tx.scalars(surplus)).all()
    if ids:
        detail = {"reason": "too_many_sessions"}
        await end_sessions(tx, Session.id.in_(ids), network=newest.network, detail=detail)
