"""Forgeries of the payload as text, signed with our own key: members twice, odd numbers, no object."""

import json

from forged_headers import NO_OBJECTS

from support.forgery import Forgery, Mint


def _text(mint: Mint) -> bytes:
    return json.dumps(mint.claims, separators=(",", ":")).encode()


def _octets(octets: bytes) -> Forgery:
    return lambda mint: mint.forge(claims=octets)


def with_members(before: bytes = b"", after: bytes = b"") -> Forgery:
    """The whole genuine payload, and members again before or after it."""
    return lambda mint: mint.forge(
        claims=b"{"
        + (before + b"," if before else b"")
        + _text(mint)[1:-1]
        + (b"," + after if after else b"")
        + b"}"
    )


def _in_place_of_exp(number: bytes) -> Forgery:
    """For numbers that Python wouldn't write."""
    return lambda mint: mint.forge(
        claims=_text(mint).replace(f'"exp":{mint.claims["exp"]}'.encode(), b'"exp":' + number)
    )


TWICE: dict[str, Forgery] = {
    "two exp, the first over": with_members(before=b'"exp":1'),
    "two exp, the last in 2100": with_members(after=b'"exp":4102444800'),
    "two exp, one escaped": with_members(before=rb'"\u0065xp":1'),
    "two iss": with_members(before=b'"iss":"https://evil.example.com"'),
    "two aud": with_members(before=b'"aud":"https://evil.example.com"'),
    "two unknown claims": with_members(after=b'"x":1,"x":2'),
    "two in a nested claim": with_members(after=b'"x":{"a":1,"a":2}'),
}
PAYLOADS: dict[str, Forgery] = {
    **TWICE,
    "NaN beside good claims": with_members(after=b'"x":NaN'),
    "Infinity beside good claims": with_members(after=b'"x":[-Infinity]'),
    "exp NaN": _in_place_of_exp(b"NaN"),
    "exp Infinity": _in_place_of_exp(b"Infinity"),
    "exp 1e999": _in_place_of_exp(b"1e999"),
    "exp 4e9": _in_place_of_exp(b"4e9"),
    "exp in hex": _in_place_of_exp(b"0xFFFFFFFF"),
    "exp of 5,000 digits": _in_place_of_exp(b"9" * 5_000),
    **{f"payload: {name}": _octets(octets) for name, octets in NO_OBJECTS.items()},
    "payload in a list": lambda mint: mint.forge(claims=b"[" + _text(mint) + b"]"),
    "payload in UTF-16": lambda mint: mint.forge(claims=_text(mint).decode().encode("utf-16-le")),
    "payload after a byte order mark": lambda mint: mint.forge(claims=b"\xef\xbb\xbf" + _text(mint)),
}
