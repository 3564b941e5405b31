"""Which passwords are refused: those that everybody tries first (SP 800-63B-4 3.1.1.2).

The whole password is compared, never a part of it, and there are no rules about kinds of characters.
The least length is judged where the field is read, and here where it is more than that.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from importlib import import_module
from itertools import chain
from typing import Self

from otp_auth import phone_numbers
from otp_auth.errors import AuthError
from otp_auth.settings import SHORTEST_PASSWORD_ALONE

SERVICE_NAMES = ("otp-auth",)
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
LONGEST_PASSWORD = 128

_MESSAGES = {
    "common": "This is a common password, word or name, which attackers try first. Choose another.",
    "repeated": "This password is one character over and over. Choose another.",
    "sequence": "This password is a plain run of letters, digits or keys. Choose another.",
    "context": "This password is your own name, number or address, or ours. Choose another.",
}


class WeakPasswordError(AuthError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "weak_password"
    title = "The password is too easy to guess"
    detail = "This password is too easy to guess. Choose another."

    @classmethod
    def example(cls) -> Self:
        return cls.of("common", "body.password")

    @classmethod
    def of(cls, rule: str, field: str) -> Self:
        """Say which rule the password in this field has broken."""
        message = _MESSAGES[rule]
        return cls(message, errors=[{"field": field, "rule": rule, "message": message}])


class PasswordTooShortError(AuthError):
    """Answered as the field error that it is."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "validation_failed"
    title = "Some fields are not valid"
    detail = "This password is too short. Choose a longer one."

    def __init__(self, shortest: int = SHORTEST_PASSWORD_ALONE, field: str = "body.password") -> None:
        message = f"Use at least {shortest} characters"
        super().__init__(errors=[{"field": field, "rule": "too_short", "message": message}])


def check_password(
    password: str, *, context: Iterable[str], field: str = "body.password", shortest: int = 0
) -> None:
    """Return if the password is neither too short nor an obvious one.

    `context` is what is known of the person: the phone number in E.164, the e-mail address, the display name.
    Raises PasswordTooShortError, WeakPasswordError.
    """
    if _length(password) < shortest:
        raise PasswordTooShortError(shortest, field)
    rule = _broken_rule(_fold(password), context)
    if rule is not None:
        raise WeakPasswordError.of(rule, field)


def may_stand_alone(password: str) -> bool:
    """Say whether it is long enough to be asked for without a second factor."""
    return _length(password) >= SHORTEST_PASSWORD_ALONE


def _length(password: str) -> int:
    """Code points as they are hashed: composed or not, a letter is one."""
    return len(unicodedata.normalize("NFC", password))


@cache
def common_passwords() -> frozenset[str]:
    """Read common passwords, words and names in small letters: some 100 ms once, best spent at start-up."""
    # By name: only the data is of use, the estimator around it is slow on long input. All lists: a password
    # that is also a name or a word stands only in that list.
    lists = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return frozenset(chain.from_iterable(lists.values()))


def _broken_rule(folded: str, context: Iterable[str]) -> str | None:
    unit = _repeated_unit(folded)
    if len(unit) == 1:
        return "repeated"
    if _is_run(folded) or _is_run(unit):
        return "sequence"
    if not common_passwords().isdisjoint((folded, unit)):
        return "common"
    names = set(_context_words(context))
    return "context" if not names.isdisjoint((_squash(folded), _squash(unit))) else None


def _repeated_unit(text: str) -> str:
    """Return the shortest text of which this one is a repetition: itself, mostly."""
    return text[: (text + text).find(text, 1)]


def _is_run(folded: str) -> bool:
    laps = 1 + LONGEST_PASSWORD // min(map(len, RUNS))
    endless = [run * (laps + 1) for run in RUNS]
    return any(folded in run or folded[::-1] in run for run in endless)


def _context_words(context: Iterable[str]) -> Iterator[str]:
    for word in (*SERVICE_NAMES, *context):
        yield from filter(None, map(_squash, (word, *word.split(), *_parts(word))))


def _parts(word: str) -> tuple[str, ...]:
    if "@" in word:
        return (word.rpartition("@")[0],)
    if not (word.startswith("+") and word[1:].isdecimal()):
        return ()
    national = phone_numbers.national_digits(word)
    return (national, f"0{national}", f"00{word[1:]}")


def _squash(text: str) -> str:
    """Leave out what people put between words."""
    return "".join(filter(str.isalnum, _fold(text)))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
