"""What happened: one row for each event of an account, or of the sends of a stranger."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from otp_auth.database import Base
from otp_auth.identifiers import new_id


class EventName(StrEnum):
    """The names of the public contract, section 5."""

    CODE_SENT = "code_sent"
    SEND_REFUSED = "send_refused"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    FACTOR_DISABLED = "factor_disabled"
    LOGIN_FAILED = "login_failed"


class AuditEvent(Base):
    """One thing that happened. Never changed; deleted when its time is over."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)  # version 7: in order of time
    name: Mapped[str] = mapped_column(String(40))  # an EventName
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    network: Mapped[str | None] = mapped_column(String(50))  # IPv4 /24 or IPv6 /64: never the whole address
    request_id: Mapped[str | None] = mapped_column(String(128))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # without secrets or numbers
