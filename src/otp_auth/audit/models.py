"""What happened: one row for each event of an account, or of the sends of a stranger."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base
from otp_auth.identifiers import new_id


class EventName(StrEnum):
    """The names of the public contract, section 5."""

    CODE_SENT = "code_sent"
    SEND_REFUSED = "send_refused"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    FACTOR_DISABLED = "factor_disabled"
    ACCOUNT_CREATED = "account_created"
    LOGIN_SUCCEEDED = "login_succeeded"
    LOGOUT = "logout"
    SESSION_REVOKED = "session_revoked"
    REFRESH_REUSE = "refresh_reuse"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    RECOVERY_CODES_REGENERATED = "recovery_codes_regenerated"
    LOGIN_FAILED = "login_failed"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 - a name
    PASSWORD_RESET_HELD = "password_reset_held"  # noqa: S105 - a name
    PASSWORD_RESET_CANCELLED = "password_reset_cancelled"  # noqa: S105 - a name
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name
    PHONE_CHANGED = "phone_changed"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    DEVICE_TRUSTED = "device_trusted"
    DEVICE_REVOKED = "device_revoked"
    DEVICE_THEFT = "device_theft"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"


class AuditEvent(Base):
    """One thing that happened. Never changed; deleted when its time is over."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)  # version 7: in order of time
    name: Mapped[str] = mapped_column(String(40))  # an EventName
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    session_id: Mapped[UUID | None]  # may outlive the session
    network: Mapped[str | None] = mapped_column(String(50))  # IPv4 /24 or IPv6 /64: never the whole address
    request_id: Mapped[str | None] = mapped_column(String(128))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # without secrets or numbers


class OutgoingEvent(Base):
    """An event that the application which hosts the users has yet to hear of (outbox)."""

    __tablename__ = "outgoing_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)  # the same in every try
    body: Mapped[str] = mapped_column(Text)  # as it is signed and sent
    created_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(index=True)
