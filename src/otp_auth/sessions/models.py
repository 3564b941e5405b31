"""Sessions and their refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base
from otp_auth.identifiers import new_id


class Session(Base):
    """One login on one device: what was proved, when, and until when it holds."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    amr: Mapped[list[str]] = mapped_column(JSON)  # RFC 8176
    acr: Mapped[str] = mapped_column(String(16))
    auth_time: Mapped[datetime]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    idle_until: Mapped[datetime]  # moved by each refresh
    expires_at: Mapped[datetime] = mapped_column(index=True)  # never moved
    ended_at: Mapped[datetime | None]
    # Of the account when it was opened: a session of an earlier password holds no more.
    password_version: Mapped[int] = mapped_column(default=1, server_default="1")
    # Where it was last used.
    device: Mapped[str] = mapped_column(String(100), default="", server_default="")
    network: Mapped[str | None] = mapped_column(String(50))  # IPv4 /24 or IPv6 /64: never the whole address


def live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a session holds; those of its account come on top."""
    return (Session.ended_at.is_(None), Session.idle_until > now, Session.expires_at > now)


def _partial_index(name: str, where: str) -> Index:
    words = text(where)
    return Index(f"ix_refresh_tokens_{name}", "session_id", sqlite_where=words, postgresql_where=words)


class RefreshToken(Base):
    """A refresh token, known only by its digest. One of a session is unspent at a time."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        # What may still lead somewhere: a few of the thousands that a session spends.
        _partial_index("sealed", "sealed_successor IS NOT NULL"),
        _partial_index("unspent", "spent_at IS NULL"),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]
    # Sealed under this token, which we don't know: only who shows it again can have the next one read.
    sealed_successor: Mapped[str | None] = mapped_column(String(200))


class TrustedDevice(Base):
    """A browser or app in place of the second factor, by a token that is new at each login."""

    __tablename__ = "trusted_devices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the newest token, hex
    # The one before it, for answers that got lost; its successor is sealed under it.
    previous_digest: Mapped[str | None] = mapped_column(String(64))
    sealed_successor: Mapped[str | None] = mapped_column(String(200))
    rotated_at: Mapped[datetime | None]
    password_version: Mapped[int]  # of the account: an earlier one ends it
    network: Mapped[str | None] = mapped_column(String(50))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
