"""What `otp-auth doctor` has to say, one line each."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing, and no reason against serving people
    UNSAFE = "unsafe"


@dataclass(frozen=True)
class Finding:
    level: Level
    words: str

    def __str__(self) -> str:
        return f"{self.level:<{len(Level.UNSAFE)}}  {self.words}"


def ok(words: str) -> Finding:
    return Finding(Level.OK, words)


def note(words: str) -> Finding:
    return Finding(Level.NOTE, words)


def unsafe(words: str) -> Finding:
    return Finding(Level.UNSAFE, words)


def judged(words: str, *, is_safe: bool) -> Finding:
    return ok(words) if is_safe else unsafe(words)
