"""Verifications, messages and counters: in memory, and in a journal if there is one."""

from collections import OrderedDict
from datetime import datetime
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ValidationError

from otp_auth.simulator.changes import Changes
from otp_auth.simulator.journal import Entry, Journal
from otp_auth.simulator.records import Counts, Message, Verification
from otp_auth.sinch.schemas import VerificationMethod

_TOTAL = "total"  # the counter of everything; the others have a number or a verification's id as their key


class Store:
    """Find and keep records. Nothing here awaits, so each method is atomic under asyncio."""

    def __init__(self, journal: Path | None, changes: Changes) -> None:
        self._changes = changes
        self._verifications: dict[str, Verification] = {}
        self._messages: OrderedDict[str, Message] = OrderedDict()  # newest last
        self._counts: dict[str, Counts] = {}
        self._by_reference: dict[str, str] = {}
        self._newest: dict[tuple[str, VerificationMethod | None], str] = {}
        # When which verification may expire, soonest first. What has ended meanwhile stays until its time.
        self._expiries: list[tuple[datetime, str]] = []
        self._journal: Journal | None = None
        if journal is not None:
            self._load(Journal(journal))

    def find(self, verification_id: str) -> Verification | None:
        return self._verifications.get(verification_id)

    def find_by_reference(self, reference: str) -> Verification | None:
        return self.find(self._by_reference.get(reference, ""))

    def find_newest(self, number: str, method: VerificationMethod | None = None) -> Verification | None:
        """Return the number's latest verification, of one method or of any."""
        return self.find(self._newest.get((number, method), ""))

    def pop_expired(self, now: datetime) -> list[Verification]:
        """Return the open verifications whose time is over; each is returned once only."""
        expired = []
        while self._expiries and self._expiries[0][0] <= now:
            verification = self._verifications[heappop(self._expiries)[1]]
            if verification.is_open and verification.expires_at <= now:
                expired.append(verification)
        return expired

    def keep(self, verification: Verification) -> None:
        """Add a verification, or replace the one with its id."""
        known = self.find(verification.id)
        if verification.is_open and (known is None or known.expires_at != verification.expires_at):
            heappush(self._expiries, (verification.expires_at, verification.id))
        if known is None:
            self._newest[verification.number, None] = verification.id
            self._newest[verification.number, verification.method] = verification.id
            if verification.reference:
                self._by_reference[verification.reference] = verification.id
        self._verifications[verification.id] = verification
        self._write("verification", verification.id, verification)

    def deliver(self, message: Message) -> None:
        """Put a message into the inbox, or replace the one with its id."""
        self._messages[message.id] = message
        self._write("message", message.id, message)
        self._changes.tell()

    def message_of(self, verification_id: str) -> Message | None:
        """Return the message that carried a verification's code, if it is still in the inbox."""
        return next(
            (m for m in reversed(self._messages.values()) if m.verification_id == verification_id), None
        )

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the inbox, of one number or of all, newest first."""
        return [message for message in reversed(self._messages.values()) if to in {None, message.to}]

    def newest(self, limit: int, beginning: str) -> list[Message]:
        """Return up to `limit` messages to numbers that begin so, newest first."""
        found = (message for message in reversed(self._messages.values()) if message.to.startswith(beginning))
        return list(islice(found, limit))

    def empty_inbox(self) -> None:
        for identifier in self._messages:
            self._write("message", identifier, None)
        self._messages.clear()
        self._changes.tell()

    def count_start(self, number: str | None) -> None:
        self._count(starts=1, keys=(number,))

    def count_report(self, number: str | None, verification_id: str | None) -> None:
        self._count(reports=1, keys=(number, verification_id))

    @property
    def totals(self) -> Counts:
        return self._counts.get(_TOTAL, Counts())

    @property
    def counts_by_number(self) -> dict[str, Counts]:
        return {key: counts for key, counts in self._counts.items() if key.startswith("+")}

    @property
    def reports_by_verification(self) -> dict[str, int]:
        return {key: counts.reports for key, counts in self._counts.items() if key in self._verifications}

    def _count(self, *, keys: tuple[str | None, ...], starts: int = 0, reports: int = 0) -> None:
        for key in (_TOTAL, *keys):
            if key is None:
                continue
            counts = self._counts.get(key, Counts())
            self._counts[key] = Counts(starts=counts.starts + starts, reports=counts.reports + reports)
            self._write("counts", key, self._counts[key])

    def _write(self, kind: str, identifier: str, record: BaseModel | None) -> None:
        if self._journal is not None:
            self._journal.append(_entry(kind, identifier, record))

    def _load(self, journal: Journal) -> None:
        for entry in journal.read():
            try:
                self._take(entry)
            except ValidationError:
                continue  # of another version: a toy's old state must not keep it from starting
        journal.rewrite(self._entries())
        self._journal = journal

    def _take(self, entry: Entry) -> None:
        record = entry.record or ""
        match entry.kind:
            case "verification":
                self.keep(Verification.model_validate_json(record))
            case "message":
                self.deliver(Message.model_validate_json(record))
            case "counts":
                self._counts[entry.id] = Counts.model_validate_json(record)

    def _entries(self) -> list[Entry]:
        return [
            *(_entry("verification", key, record) for key, record in self._verifications.items()),
            *(_entry("message", key, record) for key, record in self._messages.items()),
            *(_entry("counts", key, record) for key, record in self._counts.items()),
        ]


def _entry(kind: str, identifier: str, record: BaseModel | None) -> Entry:
    return Entry(kind=kind, id=identifier, record=record.model_dump_json() if record else None)
