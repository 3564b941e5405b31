"""Forgeries of the outer form: segments, spelling, size. The signature is right wherever one can be."""

import json
import zlib

from support.forgery import Forgery, Mint, base64url, octets_of, read_octets

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LONGEST = 8192  # octets
SIGNATURE = 2  # the number of its segment


def _flattened(mint: Mint) -> str:
    """RFC 7515 7.2.2."""
    names = ("protected", "payload", "signature")
    return json.dumps(dict(zip(names, mint.segments, strict=True)))


def _general(mint: Mint) -> str:
    """RFC 7515 7.2.1."""
    protected, payload, signature = mint.segments
    signatures = [{"protected": protected, "signature": signature}]
    return json.dumps({"payload": payload, "signatures": signatures})


def _as_jwe(mint: Mint) -> str:
    header = base64url(json.dumps({"alg": "dir", "enc": "A256GCM", "typ": mint.header["typ"]}).encode())
    return f"{header}..{'A' * 16}.{mint.segments[1]}.{'A' * 22}"


def _nested(mint: Mint) -> str:
    return mint.forge({"cty": "JWT"}, mint.genuine.encode())


def _deflated(mint: Mint) -> str:
    packed = zlib.compress(octets_of(mint.claims, {}), wbits=-15)
    return mint.forge({"zip": "DEF"}, packed)


def _with_segment(mint: Mint, number: int, odd: str) -> str:
    """Put another segment in the place of one; signed anew, for the first two."""
    header, payload, signature = (odd if each == number else mint.segments[each] for each in range(3))
    return f"{header}.{payload}.{signature}" if number == SIGNATURE else mint.sign(header, payload)


def _part(number: int, odd: str) -> Forgery:
    return lambda mint: _with_segment(mint, number, odd)


def _unread_bits(number: int) -> Forgery:
    """A segment whose last letter holds bits that nobody reads, set. The octets are the same."""

    def forge(mint: Mint) -> str:
        octets = read_octets(mint.segments[number])
        if len(octets) % 3 == 0:
            octets += b" "  # as JSON may end
        segment = base64url(octets)
        return _with_segment(mint, number, segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) + 1])

    return forge


def _padded(number: int) -> Forgery:
    def forge(mint: Mint) -> str:
        segment = mint.segments[number]
        return _with_segment(mint, number, segment + "=" * (-len(segment) % 4 or 4))

    return forge


def _in_standard_alphabet(mint: Mint) -> str:
    claims = base64url(octets_of(mint.claims, {"x": "\u00bf\u00ff~~??>>"}) + b" ")
    while True:
        token = mint.sign(mint.segments[0], claims)
        if "-" in token and "_" in token:
            return token.replace("-", "+").replace("_", "/")


SEGMENTS: dict[str, Forgery] = {
    "one segment": lambda mint: mint.segments[0],
    "two segments": lambda mint: ".".join(mint.segments[:2]),
    "two segments and a dot": lambda mint: ".".join(mint.segments[:2]) + ".",
    "signature twice": lambda mint: f"{mint.genuine}.{mint.segments[2]}",
    "a fourth segment": lambda mint: f"{mint.genuine}.e30",
    "a segment before": lambda mint: f"e30.{mint.genuine}",
    "token twice": lambda mint: f"{mint.genuine}.{mint.genuine}",
    "token twice, after a comma": lambda mint: f"{mint.genuine},{mint.genuine}",
    "dot after": lambda mint: f"{mint.genuine}.",
    "dot before": lambda mint: f".{mint.genuine}",
    "dot doubled": lambda mint: mint.genuine.replace(".", "..", 1),
    "dots alone": lambda _: "..",
    "4,000 dots": lambda _: "." * 4_000,
    "header empty": _part(0, ""),
    "payload empty": _part(1, ""),
    "payload left away": lambda mint: f"{mint.segments[0]}..{mint.segments[2]}",
    "segments in another order": lambda mint: ".".join(reversed(mint.segments)),
    "cut in the middle": lambda mint: mint.genuine[: len(mint.genuine) // 2],
    "last letter cut": lambda mint: mint.genuine[:-1],
    "first letter cut": lambda mint: mint.genuine[1:],
    "five segments, as a JWE": _as_jwe,
    "five segments": lambda mint: f"{mint.genuine}.AAAA.AAAA",
    "JSON, flattened": _flattened,
    "JSON, general": _general,
    "nested": _nested,
    "deflated": _deflated,
}
SPELLINGS: dict[str, Forgery] = {
    **{f"unread bits in segment {number}": _unread_bits(number) for number in range(3)},
    **{f"padding in segment {number}": _padded(number) for number in range(3)},
    **{
        f"segment {number} of {len(odd)} letters": _part(number, odd)
        for number in range(3)
        for odd in ("A", "AAAAA")
    },
    "standard alphabet": _in_standard_alphabet,
    "percent-encoded": lambda mint: mint.genuine.replace(".", "%2E"),
    "space before": lambda mint: f" {mint.genuine}",
    "space after": lambda mint: f"{mint.genuine} ",
    "space inside": lambda mint: mint.genuine.replace(".", ". ", 1),
    "tab after": lambda mint: f"{mint.genuine}\t",
    "line break after": lambda mint: f"{mint.genuine}\n",
    "line break inside a signed segment": lambda mint: mint.sign(
        f"{mint.segments[0][:9]}\n{mint.segments[0][9:]}", mint.segments[1]
    ),
    "star inside a signed segment": lambda mint: mint.sign(mint.segments[0], f"{mint.segments[1]}*"),
    "NUL after": lambda mint: f"{mint.genuine}\0",
    "quotes around": lambda mint: f'"{mint.genuine}"',
    "scheme twice": lambda mint: f"Bearer {mint.genuine}",
    "parameter after": lambda mint: f'{mint.genuine}, realm="x"',
    "full-width dots": lambda mint: mint.genuine.replace(".", "\uff0e"),
    "full-width letter": lambda mint: mint.genuine.replace("e", "\uff45", 1),
    "in other letters": lambda mint: mint.genuine.swapcase(),
}
SIZES: dict[str, Forgery] = {
    "padded above 8 kB": lambda mint: mint.forge(claims={"padding": "x" * 6_000}),
    "kid of 10 kB": lambda mint: mint.forge({"kid": "k" * 10_000}),
    "unknown member of 10 kB": lambda mint: mint.forge({"x": "k" * 10_000}),
    "signature of 10 kB": lambda mint: mint.with_signature(read_octets(mint.segments[2]) + b"\0" * 10_000),
    "a letter above 8 kB": lambda mint: f"{mint.genuine}{'A' * (LONGEST + 1 - len(mint.genuine))}",
    "1 MB of letters": lambda _: "a" * 1_000_000,
    "1 MB of dots": lambda _: "." * 1_000_000,
}
SHAPES: dict[str, Forgery] = SEGMENTS | SPELLINGS | SIZES
