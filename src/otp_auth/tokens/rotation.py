"""Changes of the key that signs: planned, so that nothing is refused, and in an emergency, so that all is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from otp_auth.settings import Algorithm
from otp_auth.tokens.errors import DamagedKeysError, UnknownKeyError
from otp_auth.tokens.key_files import (
    KeyEntry,
    KeyState,
    Manifest,
    delete_private_keys,
    list_keys,
    load_private_key,
    locked,
    write_manifest,
)
from otp_auth.tokens.keys import active_key, add_key, generate_key
from otp_auth.tokens.timing import LEEWAY, PICK_UP, SETTLE

Entries = tuple[KeyEntry, ...]
Wait = Callable[[float], None]


@dataclass(frozen=True)
class Rotation:
    """What a planned change came to."""

    signing: KeyEntry
    retired: KeyEntry
    coming: KeyEntry
    pruned: Entries
    published_for: timedelta  # the key that signs now, before it did


@dataclass(frozen=True)
class Retirement:
    """What an emergency came to."""

    was_dead: bool
    signing: KeyEntry | None = None  # what took the place of an active key
    coming: str | None = None  # the kid of a new next key


def overlap(access_lifetime: timedelta, pending_lifetime: timedelta) -> timedelta:
    """How long a retired key holds: for as long as the last token that it may sign."""
    return max(access_lifetime, pending_lifetime) + PICK_UP + LEEWAY


def rotate(directory: Path, algorithm: Algorithm, overlap: timedelta, wait: Wait = time.sleep) -> Rotation:
    """Let the next key sign, the active one only hold for the overlap, and publish another next one.

    A key that was only just published is waited for, a few seconds: another worker would refuse its tokens.
    Raises NoSigningKeysError and DamagedKeysError.
    """
    with locked(directory):
        entries = list_keys(directory)
        active = active_key(directory, entries)
        entries, coming = _with_next(directory, entries, algorithm)
        load_private_key(directory, coming)  # what can't be read must not sign
        wait(_seconds_to_settle(coming))
        following = add_key(directory, algorithm, KeyState.NEXT)
        now = datetime.now(UTC)  # after making the key, which may take seconds
        retired = _retire(active, now, now + overlap)
        signing = _activate(coming)
        pruned = tuple(entry for entry in entries if not entry.holds(now))
        changed = {active: retired, coming: signing}
        kept = (changed.get(entry, entry) for entry in entries if entry not in pruned)
        write_manifest(directory, Manifest(keys=(*kept, following)))
        delete_private_keys(directory, pruned)
    return Rotation(signing, retired, following, pruned, now - coming.created_at)


def retire(directory: Path, kid: str, algorithm: Algorithm) -> Retirement:
    """Refuse at once what this key signed, and delete it. The next key takes the place of an active one.

    A key that is dead already stays so. Raises UnknownKeyError and DamagedKeysError.
    """
    with locked(directory):
        entries = list_keys(directory)
        named = _named(directory, entries, kid)
        now = datetime.now(UTC)
        if not named.holds(now):
            return Retirement(was_dead=True)
        changed, signing = {named: _retire(named, now, now)}, None
        if named.state is KeyState.ACTIVE:
            entries, coming = _with_sound_next(directory, entries, algorithm)
            signing = changed[coming] = _activate(coming)
        write_manifest(directory, Manifest(keys=tuple(changed.get(entry, entry) for entry in entries)))
        delete_private_keys(directory, (named,))
    if named.state is KeyState.RETIRED:
        return Retirement(was_dead=False)
    # Only now: a key may take seconds to make, and the emergency doesn't wait for it.
    return Retirement(was_dead=False, signing=signing, coming=generate_key(directory, algorithm))


def _named(directory: Path, entries: Entries, kid: str) -> KeyEntry:
    for entry in entries:
        if entry.kid == kid:
            return entry
    raise UnknownKeyError(f"No key in {directory} has the id {kid}: see `otp-auth keys list`.")


def _with_next(directory: Path, entries: Entries, algorithm: Algorithm) -> tuple[Entries, KeyEntry]:
    """Return the entries with a next one, which is made and published where there is none."""
    for entry in entries:
        if entry.state is KeyState.NEXT:
            return entries, entry
    made = add_key(directory, algorithm, KeyState.NEXT)
    write_manifest(directory, Manifest(keys=(*entries, made)))
    return (*entries, made), made


def _with_sound_next(directory: Path, entries: Entries, algorithm: Algorithm) -> tuple[Entries, KeyEntry]:
    """The same; one that can't be read is replaced, for an emergency can't wait for a backup."""
    entries, waiting = _with_next(directory, entries, algorithm)
    try:
        load_private_key(directory, waiting)
    except DamagedKeysError:
        sound = tuple(entry for entry in entries if entry != waiting)
        return _with_next(directory, sound, algorithm)
    return entries, waiting


def _activate(entry: KeyEntry) -> KeyEntry:
    return entry.model_copy(update={"state": KeyState.ACTIVE})


def _retire(entry: KeyEntry, at: datetime, holds_until: datetime) -> KeyEntry:
    changes = {"state": KeyState.RETIRED, "retired_at": at, "holds_until": holds_until}
    return entry.model_copy(update=changes)


def _seconds_to_settle(entry: KeyEntry) -> float:
    left = entry.created_at + SETTLE - datetime.now(UTC)
    return min(max(left, timedelta(0)), SETTLE).total_seconds()
