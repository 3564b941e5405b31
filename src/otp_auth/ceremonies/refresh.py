"""Refresh: new tokens for a session that holds. What was proved at login stays as it was."""

from dataclasses import dataclass

from otp_auth.accounts.models import User
from otp_auth.accounts.repository import find_owner
from otp_auth.database import Database, again_after_conflict
from otp_auth.sessions.clients import Client
from otp_auth.sessions.ending import end_sessions
from otp_auth.sessions.families import rotate
from otp_auth.sessions.models import Session
from otp_auth.sessions.opening import OpenedSession
from otp_auth.settings import SessionPolicy
from otp_auth.tokens.errors import RefreshTokenEndedError


@dataclass(frozen=True)
class Refreshed:
    """A session that goes on, and whose it is."""

    user: User
    opened: OpenedSession


@again_after_conflict
async def refresh(database: Database, refresh_token: str, client: Client, policy: SessionPolicy) -> Refreshed:
    """Rotate a refresh token, if its account still is what it was at login. Raises RefreshTokenEndedError."""
    # Raised only after the commit: that a family has ended must not be undone.
    async with database.write() as tx:
        opened = await rotate(tx, refresh_token, client, policy)
        user = await find_owner(tx, opened.session.id) if opened else None
        if opened is not None and user is None:
            await end_sessions(tx, Session.id == opened.session.id, network=client.network)
    if opened is None or user is None:
        raise RefreshTokenEndedError
    return Refreshed(user, opened)
