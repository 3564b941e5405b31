"""Changes on disk, a JSON line each, so that a killed simulator goes on where it was. The last line wins."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

_MODE = 0o600  # codes and phone numbers are inside


class Entry(BaseModel, frozen=True):
    """One change: the record of that kind and id is now this (None: gone)."""

    kind: str
    id: str
    record: str | None  # JSON


class Journal:
    """One file, written by one process. Opened for each line: a killed process leaves nothing unwritten."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Entry]:
        """Return what is still true, oldest record first. A line cut short counts as not written."""
        if not self._path.exists():
            return []
        latest: dict[tuple[str, str], Entry] = {}
        for line in self._path.read_bytes().split(b"\n"):
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError:
                continue
            latest[entry.kind, entry.id] = entry
        return [entry for entry in latest.values() if entry.record is not None]

    def append(self, entry: Entry) -> None:
        self._write(self._path, [entry], os.O_APPEND)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the whole file; a kill in between leaves the old one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        self._write(fresh, entries, os.O_EXCL)
        fresh.replace(self._path)

    def _write(self, path: Path, entries: Iterable[Entry], flag: int) -> None:
        lines = b"".join(json.dumps(entry.model_dump()).encode() + b"\n" for entry in entries)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, _MODE), "wb") as file:
            file.write(lines)
