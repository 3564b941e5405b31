"""Forgeries of the header, signed with our own key: only what is wrong in the header can refuse them."""

import json
from collections.abc import Callable

from support.forgery import GONE, Forgery, Json, Mint

ODD_KIDS: dict[str, object] = {
    "missing": GONE,
    "null": None,
    "unknown": "u" * 43,
    "number": 7,
    "true": True,
    "list": ["a"],
    "object": {"kid": "a"},
    "empty": "",
    "path of a file": "/etc/passwd",
    "path upwards": "../../../../../../etc/passwd",
    "path upwards, Windows": "..\\..\\..\\windows\\win.ini",
    "path to nothing": "/dev/null",
    "path of the manifest": "../keys/keys.json",
    "file address": "file:///etc/passwd",
    "web address": "https://evil.example.com/jwks.json",
    "NUL": "a\0b",
    "SQL": "' UNION SELECT 'secret' --",
    "command": "|/usr/bin/id",
    "4 kB": "k" * 4_000,
    "lone surrogate": "\ud800",
    "other digits": "\uff11" * 43,
}
# By what is made of our own kid.
NEAR_KIDS: dict[str, Callable[[str], object]] = {
    "in a list": lambda kid: [kid],
    "after a folder": lambda kid: f"./{kid}",
    "after an upward path": lambda kid: f"../keys/{kid}",
    "with the file's ending": lambda kid: f"{kid}.pem",
    "with NUL": lambda kid: f"{kid}\0",
    "with NUL and a path": lambda kid: f"{kid}\0/../../etc/passwd",
    "with a space": lambda kid: f"{kid} ",
    "with a line break": lambda kid: f"{kid}\n",
    "in other letters": lambda kid: kid.swapcase(),
    "short of a letter": lambda kid: kid[:-1],
}
MEMBERS: dict[str, Json] = {
    "alg missing": {"alg": GONE},
    "alg null": {"alg": None},
    "alg empty": {"alg": ""},
    "alg a list": {"alg": ["ES256"]},
    "alg a number": {"alg": 256},
    "alg in small letters": {"alg": "es256"},
    "alg with a space": {"alg": "ES256 "},
    "alg of the curve's other name": {"alg": "ES256K"},
    "alg of a longer curve": {"alg": "ES384"},
    "alg by its new name": {"alg": "ESP256"},
    "typ missing": {"typ": GONE},
    "typ null": {"typ": None},
    "typ empty": {"typ": ""},
    "typ of any JWT": {"typ": "JWT"},
    "typ of an ID token": {"typ": "id_token"},
    "typ of a logout token": {"typ": "logout+jwt"},
    "crit unknown": {"crit": ["http://example.com/x"], "http://example.com/x": True},
    "crit empty": {"crit": []},
    "crit null": {"crit": None},
    "crit of a claim": {"crit": ["exp"], "exp": 1},
    "crit of b64": {"crit": ["b64"], "b64": False},
    "crit as text": {"crit": "b64"},
    "b64 false": {"b64": False},
    "b64 true": {"b64": True},
}
# By what is made of our own typ.
NEAR_TYPS: dict[str, Callable[[str], object]] = {
    "in capitals": str.upper,
    "in its long form": lambda typ: f"application/{typ}",
    "with a parameter": lambda typ: f"{typ};charset=utf-8",
    "with a space": lambda typ: f"{typ} ",
    "in a list": lambda typ: [typ],
    "cut": lambda typ: typ.partition("+")[0],
    "among others": lambda typ: f"{typ},JWT",
}
# In place of a JSON object.
NO_OBJECTS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "number": b"7",
    "text": b'"text"',
    "list": b"[]",
    "list of pairs": b'[["alg","ES256"],["typ","at+jwt"]]',
    "space": b" ",
    "cut off": b'{"a":',
    "single quotes": b"{'a':1}",
    "comma too many": b'{"a":1,}',
    "two objects": b"{}{}",
    "bad UTF-8": b'{"a":"\xff\xfe"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "line break inside a text": b'{"a":"\n"}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "number of 5,000 digits": b'{"a":' + b"9" * 5_000 + b"}",
    "lists nested 5,000 deep": b"[" * 5_000,
    "objects nested 900 deep": b'{"a":' * 900,
}


def _member(changes: Json) -> Forgery:
    return lambda mint: mint.forge(changes)


def _near_kid(name: str) -> Forgery:
    return lambda mint: mint.forge({"kid": NEAR_KIDS[name](mint.header["kid"])})


def _near_typ(name: str) -> Forgery:
    return lambda mint: mint.forge({"typ": NEAR_TYPS[name](mint.header["typ"])})


def _octets(octets: bytes) -> Forgery:
    return lambda mint: mint.forge(octets)


def _text(mint: Mint) -> bytes:
    return json.dumps(mint.header, separators=(",", ":")).encode()


def _with_members(before: bytes = b"", after: bytes = b"") -> Forgery:
    """The whole genuine header, and members again before or after it."""
    return lambda mint: mint.forge(
        b"{"
        + (before + b"," if before else b"")
        + _text(mint)[1:-1]
        + (b"," + after if after else b"")
        + b"}"
    )


TWICE: dict[str, Forgery] = {
    "two alg, none first": _with_members(before=b'"alg":"none"'),
    "two alg, none last": _with_members(after=b'"alg":"none"'),
    "two alg, the same": _with_members(after=b'"alg":"ES256"'),
    "two alg, one escaped": _with_members(before=rb'"\u0061lg":"none"'),
    "two kid": _with_members(before=b'"kid":"forged"'),
    "two typ": _with_members(before=b'"typ":"JWT"'),
    "two unknown members": _with_members(after=b'"x":1,"x":2'),
    "two in a nested member": _with_members(after=b'"x":{"a":1,"a":2}'),
}
HEADERS: dict[str, Forgery] = {
    **{f"kid: {name}": _member({"kid": kid}) for name, kid in ODD_KIDS.items()},
    **{f"our kid {name}": _near_kid(name) for name in NEAR_KIDS},
    **{name: _member(changes) for name, changes in MEMBERS.items()},
    **{f"our typ {name}": _near_typ(name) for name in NEAR_TYPS},
    **TWICE,
    **{f"header: {name}": _octets(octets) for name, octets in NO_OBJECTS.items()},
    "NaN beside good members": _with_members(after=b'"x":NaN'),
    "header in UTF-16": lambda mint: mint.forge(_text(mint).decode().encode("utf-16-le")),
    "header after a byte order mark": lambda mint: mint.forge(b"\xef\xbb\xbf" + _text(mint)),
    "header in a list": lambda mint: mint.forge(b"[" + _text(mint) + b"]"),
    "header as text": lambda mint: mint.forge(json.dumps(_text(mint).decode()).encode()),
}
