"""Compact JWS (RFC 7515): signed with the active key, read with the caution of RFC 8725."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from otp_auth.tokens.errors import InvalidTokenError
from otp_auth.tokens.keys import KeySet, VerifyingKey

LONGEST_TOKEN = 8192  # bytes
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Extensions that change how a token is read; we know none.
REFUSED_MEMBERS = frozenset({"crit", "b64"})

_JWS = jwt.PyJWS()


def sign(keys: KeySet, kind: str, claims: Mapping[str, Any]) -> str:
    """Return a token of this kind (its `typ`)."""
    signing = keys.signing
    headers = {"typ": kind, "kid": signing.kid}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, signing.private_key, signing.algorithm, headers)


def read_signed(keys: KeySet, kind: str, token: str) -> tuple[VerifyingKey, dict[str, Any]]:
    """Return which key of ours signed a token of this kind, and its claims. Raises InvalidTokenError."""
    if len(token) > LONGEST_TOKEN or not COMPACT.fullmatch(token):
        raise InvalidTokenError
    header, payload, signature = map(_decode, token.split("."))
    key = _select_key(keys, kind, _read_object(header))
    verifier = jwt.get_algorithm_by_name(key.algorithm)
    signing_input = token.rpartition(".")[0].encode()
    if not verifier.verify(signing_input, key.public_key, signature):
        raise InvalidTokenError
    return key, _read_object(payload)


def _select_key(keys: KeySet, kind: str, header: dict[str, Any]) -> VerifyingKey:
    """Look the key up in memory; where a header says else to find one (`jku`, `jwk`, `x5u`) is not read."""
    kid = header.get("kid")
    key = keys.verifying.get(kid) if isinstance(kid, str) else None
    if key is None or header.get("alg") != key.algorithm or header.get("typ") != kind:
        raise InvalidTokenError
    if not REFUSED_MEMBERS.isdisjoint(header) or not key.holds(datetime.now(UTC)):
        raise InvalidTokenError
    return key


def _decode(segment: str) -> bytes:
    try:
        octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise InvalidTokenError from None
    # Bits that nobody reads would make two spellings of one token.
    if base64.urlsafe_b64encode(octets).rstrip(b"=") != segment.encode():
        raise InvalidTokenError
    return octets


def _read_object(octets: bytes) -> dict[str, Any]:
    try:
        value = json.loads(octets.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidTokenError from None
    if not isinstance(value, dict):
        raise InvalidTokenError
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidTokenError
    return members


def _refuse(_constant: str) -> None:
    raise InvalidTokenError
