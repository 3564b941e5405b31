import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from otp_auth.settings import Algorithm
from otp_auth.tokens.errors import InvalidTokenError
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import KeySet, generate_key, load_keys
from otp_auth.tokens.opaque import digest, new_opaque_token

ISSUER = "https://auth.example.com"
AUDIENCE = "https://api.example.com"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
USER, SESSION, CHALLENGE = uuid4(), uuid4(), uuid4()
Headers = dict[str, Any]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeySet:
    directory = tmp_path_factory.mktemp("keys")
    generate_key(directory)
    generate_key(directory, "EdDSA")
    return load_keys(directory)


@pytest.fixture
def tokens(keys: KeySet) -> Tokens:
    return _tokens(keys)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def _tokens(keys: KeySet) -> Tokens:
    lifetime = timedelta(minutes=10)
    return Tokens(keys, issuer=ISSUER, audience=AUDIENCE, client_id="first-party", access_lifetime=lifetime)


def _issue_access(tokens: Tokens) -> str:
    return tokens.issue_access(
        user_id=USER,
        session_id=SESSION,
        auth_time=NOW - timedelta(seconds=5),
        amr=["pwd", "sms", "mfa"],
        acr="aal2",
    )


def _issue_pending(tokens: Tokens) -> str:
    return tokens.issue_pending(challenge_id=CHALLENGE, expires_at=NOW + timedelta(minutes=5))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _read_segment(segment: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=="))
    return value


def _claims_of(token: str) -> dict[str, Any]:
    return _read_segment(token.split(".")[1])


def _headers_of(token: str) -> Headers:
    return _read_segment(token.split(".", maxsplit=1)[0])


def _signed(keys: KeySet, header: bytes, payload: bytes) -> str:
    """A token with a right signature over whatever is in it."""
    key = keys.signing
    signing_input = f"{_base64url(header)}.{_base64url(payload)}"
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    return f"{signing_input}.{_base64url(algorithm.sign(signing_input.encode(), key.private_key))}"


def _resigned(
    tokens: Tokens,
    *,
    headers: Headers | None = None,
    claims: dict[str, Any] | None = None,
    kind: str = "access",
) -> str:
    """A good token with members changed (None: left out), signed anew."""
    token = _issue_access(tokens) if kind == "access" else _issue_pending(tokens)
    parts = (_headers_of(token) | (headers or {}), _claims_of(token) | (claims or {}))
    header, payload = (
        json.dumps({name: value for name, value in part.items() if value is not None}).encode()
        for part in parts
    )
    return _signed(tokens.keys, header, payload)


def _refused(read: Callable[[str], object], token: str) -> None:
    with pytest.raises(InvalidTokenError) as refusal:
        read(token)
    assert refusal.value.detail == InvalidTokenError.detail  # no hint what was wrong
    assert refusal.value.members == {}


def test_an_access_token_says_what_rfc_9068_asks_for(tokens: Tokens, keys: KeySet) -> None:
    token = _issue_access(tokens)
    claims = _claims_of(token)

    assert _headers_of(token) == {"typ": "at+jwt", "alg": "ES256", "kid": keys.signing.kid}
    assert UUID(claims.pop("jti")).version == 4
    assert claims == {
        "iss": ISSUER,
        "sub": str(USER),
        "aud": AUDIENCE,
        "exp": int(NOW.timestamp()) + 600,
        "iat": int(NOW.timestamp()),
        "client_id": "first-party",
        "sid": str(SESSION),
        "auth_time": int(NOW.timestamp()) - 5,
        "amr": ["pwd", "sms", "mfa"],
        "acr": "aal2",
    }


def test_a_pending_token_names_a_challenge_and_nobody(tokens: Tokens) -> None:
    token = _issue_pending(tokens)
    claims = _claims_of(token)

    assert _headers_of(token)["typ"] == "pending+jwt"
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": f"{ISSUER}/otp",
        "exp": int(NOW.timestamp()) + 300,
        "iat": int(NOW.timestamp()),
        "challenge_id": str(CHALLENGE),
    }


def test_what_was_issued_can_be_read(tokens: Tokens) -> None:
    access = tokens.read_access(_issue_access(tokens))
    pending = tokens.read_pending(_issue_pending(tokens))

    assert (access.user_id, access.session_id, access.acr) == (USER, SESSION, "aal2")
    assert (access.amr, access.client_id) == (("pwd", "sms", "mfa"), "first-party")
    assert access.auth_time == NOW - timedelta(seconds=5)
    assert access.expires_at == NOW + timedelta(minutes=10)
    assert (pending.challenge_id, pending.expires_at) == (CHALLENGE, NOW + timedelta(minutes=5))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_every_algorithm(tmp_path: Path, algorithm: Algorithm) -> None:
    generate_key(tmp_path, algorithm)
    tokens = _tokens(load_keys(tmp_path))
    token = _issue_access(tokens)

    assert tokens.read_access(token).user_id == USER
    assert tokens.read_pending(_issue_pending(tokens)).challenge_id == CHALLENGE
    jwk = jwt.PyJWK(tokens.keys.jwks()["keys"][0])
    assert jwt.decode(token, jwk, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER)["sub"] == str(
        USER
    )


def test_ids_of_tokens_are_unique(tokens: Tokens) -> None:
    assert _claims_of(_issue_access(tokens))["jti"] != _claims_of(_issue_access(tokens))["jti"]


def test_keys_may_be_replaced_while_running(tokens: Tokens, tmp_path: Path) -> None:
    old = _issue_access(tokens)
    generate_key(tmp_path)
    tokens.keys = load_keys(tmp_path)

    _refused(tokens.read_access, old)
    assert tokens.read_access(_issue_access(tokens))


def test_one_kind_never_passes_for_the_other(tokens: Tokens) -> None:
    _refused(tokens.read_pending, _issue_access(tokens))
    _refused(tokens.read_access, _issue_pending(tokens))


def test_the_audience_of_a_kind_is_checked_beside_its_typ(tokens: Tokens) -> None:
    _refused(tokens.read_access, _resigned(tokens, kind="pending", headers={"typ": "at+jwt"}))
    _refused(tokens.read_pending, _resigned(tokens, headers={"typ": "pending+jwt"}))
    both = {"challenge_id": str(CHALLENGE)}
    _refused(tokens.read_pending, _resigned(tokens, headers={"typ": "pending+jwt"}, claims=both))


HEADERS = {
    "no algorithm": {"alg": "none"},
    "no algorithm, in capitals": {"alg": "NONE"},
    "algorithm of another key": {"alg": "EdDSA"},
    "algorithm of another family": {"alg": "HS256"},
    "algorithm as a list": {"alg": ["ES256"]},
    "algorithm missing": {"alg": None},
    "kid missing": {"kid": None},
    "kid unknown": {"kid": "unknown"},
    "kid as a path": {"kid": "../../../../dev/null"},
    "kid as SQL": {"kid": "' OR 1=1 --"},
    "kid with NUL": {"kid": "a\0b"},
    "kid of 4 kB": {"kid": "k" * 4000},
    "kid as a number": {"kid": 7},
    "kid as a list": {"kid": ["a"]},
    "kid as an object": {"kid": {"a": 1}},
    "typ missing": {"typ": None},
    "typ of any JWT": {"typ": "JWT"},
    "typ in capitals": {"typ": "AT+JWT"},
    "typ in its long form": {"typ": "application/at+jwt"},
    "typ as a list": {"typ": ["at+jwt"]},
    "crit": {"crit": ["exp"]},
    "crit empty": {"crit": []},
    "crit with b64": {"crit": ["b64"], "b64": False},
    "b64": {"b64": False},
    "b64 as always": {"b64": True},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_not_ours_is_refused(tokens: Tokens, headers: Headers) -> None:
    _refused(tokens.read_access, _resigned(tokens, headers=headers))


CLAIMS = {
    "other issuer": {"iss": "https://evil.example.com"},
    "issuer that contains ours": {"iss": f"{ISSUER}.evil.example.com"},
    "issuer that ours contains": {"iss": "https://auth"},
    "issuer as a list": {"iss": [ISSUER]},
    "other audience": {"aud": "https://other.example.com"},
    "audience of pending tokens": {"aud": f"{ISSUER}/otp"},
    "audience as a list": {"aud": [AUDIENCE]},
    "audience among others": {"aud": [AUDIENCE, "https://other.example.com"]},
    "expired": {"exp": int(NOW.timestamp()) - 5},
    "expired long ago": {"exp": 0},
    "negative end": {"exp": -1},
    "end as text": {"exp": str(int(NOW.timestamp()) + 600)},
    "end as truth": {"exp": True},
    "end with a fraction": {"exp": NOW.timestamp() + 600.5},
    "end beyond the calendar": {"exp": 10**18},
    "end of 400 digits": {"exp": 10**400},
    "begun in the future": {"iat": int(NOW.timestamp()) + 6},
    "begin as text": {"iat": "0"},
    "begin as truth": {"iat": True},
    "not before the future": {"nbf": int(NOW.timestamp()) + 6},
    "user that is no id": {"sub": "ada"},
    "user in another spelling": {"sub": f"urn:uuid:{USER}"},
    "user in capitals": {"sub": "ABCDEFAB-CDEF-4BCD-8BCD-ABCDEFABCDEF"},
    "user as a number": {"sub": 7},
    "session that is no id": {"sid": "a\0b"},
    "token id that is no id": {"jti": ""},
    "client as a number": {"client_id": 1},
    "client empty": {"client_id": ""},
    "methods as text": {"amr": "pwd"},
    "methods as numbers": {"amr": [1]},
    "level as a list": {"acr": ["aal2"]},
    "login time as truth": {"auth_time": True},
}
NEEDED = ("iss", "aud", "exp", "iat", "jti", "sub", "client_id", "sid", "auth_time", "amr", "acr")


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_claims_that_are_not_ours_are_refused(tokens: Tokens, claims: dict[str, Any]) -> None:
    _refused(tokens.read_access, _resigned(tokens, claims=claims))


@pytest.mark.parametrize("name", NEEDED)
def test_every_claim_is_needed(tokens: Tokens, name: str) -> None:
    _refused(tokens.read_access, _resigned(tokens, claims={name: None}))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti", "challenge_id"])
def test_every_claim_of_a_pending_token_is_needed(tokens: Tokens, name: str) -> None:
    _refused(tokens.read_pending, _resigned(tokens, kind="pending", claims={name: None}))


def test_leeway_is_for_access_tokens_alone(tokens: Tokens, clock: time_machine.Traveller) -> None:
    access, pending = _issue_access(tokens), _issue_pending(tokens)

    clock.move_to(NOW + timedelta(minutes=5) - timedelta(seconds=1))
    assert tokens.read_pending(pending)
    clock.move_to(NOW + timedelta(minutes=5))
    _refused(tokens.read_pending, pending)
    clock.move_to(NOW + timedelta(minutes=10, seconds=4))
    assert tokens.read_access(access)
    clock.move_to(NOW + timedelta(minutes=10, seconds=5))
    _refused(tokens.read_access, access)


def test_a_slow_clock_of_another_machine_is_borne(tokens: Tokens, clock: time_machine.Traveller) -> None:
    access, pending = _issue_access(tokens), _issue_pending(tokens)
    clock.move_to(NOW - timedelta(seconds=5))

    assert tokens.read_access(access)
    assert tokens.read_pending(pending)


def test_an_unsigned_token_is_refused(tokens: Tokens) -> None:
    header, payload, signature = _issue_access(tokens).split(".")
    unsigned = _base64url(json.dumps(_headers_of(f"{header}..") | {"alg": "none"}).encode())

    for token in (f"{unsigned}.{payload}.", f"{unsigned}.{payload}.{signature}", f"{header}.{payload}."):
        _refused(tokens.read_access, token)


def test_the_public_key_is_no_secret_for_hmac(tokens: Tokens, keys: KeySet) -> None:
    public_key = keys.verifying[keys.signing.kid].public_key
    pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = _issue_access(tokens)
    for algorithm in ("HS256", "ES256"):
        header = _base64url(json.dumps(_headers_of(good) | {"alg": algorithm}).encode())
        signing_input = f"{header}.{good.split('.')[1]}"
        signature = hmac.new(pem, signing_input.encode(), hashlib.sha256).digest()
        _refused(tokens.read_access, f"{signing_input}.{_base64url(signature)}")


def _signed_by_a_stranger(tokens: Tokens, curve: ec.EllipticCurve, headers: Headers) -> str:
    stranger = ec.generate_private_key(curve)
    good = _issue_access(tokens)
    header = _base64url(json.dumps(_headers_of(good) | headers).encode())
    signing_input = f"{header}.{good.split('.')[1]}"
    algorithm = jwt.get_algorithm_by_name("ES256" if curve.key_size == 256 else "ES384")
    return f"{signing_input}.{_base64url(algorithm.sign(signing_input.encode(), stranger))}"


STRANGERS = {
    "our kid": {},
    "embedded key": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    "address of keys": {"jku": "https://evil.example.com/jwks.json"},
    "address of a certificate": {"x5u": "https://evil.example.com/cert.pem"},
    "certificate": {"x5c": ["MIIB"]},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=["P-256", "P-384"])
def test_a_key_of_somebody_else_is_refused(tokens: Tokens, curve: ec.EllipticCurve, headers: Headers) -> None:
    _refused(tokens.read_access, _signed_by_a_stranger(tokens, curve, headers))


def test_addresses_in_the_header_are_not_read(tokens: Tokens) -> None:
    assert tokens.read_access(
        _resigned(tokens, headers={"jku": "https://evil.example.com", "x5u": 1, "jwk": 2})
    )


def test_the_signature_of_another_key_of_ours_is_refused(tokens: Tokens, keys: KeySet) -> None:
    other = next(kid for kid in keys.verifying if kid != keys.signing.kid)

    _refused(tokens.read_access, _resigned(tokens, headers={"kid": other}))
    _refused(tokens.read_access, _resigned(tokens, headers={"kid": other, "alg": "EdDSA"}))


def test_duplicate_members_are_refused(tokens: Tokens, keys: KeySet) -> None:
    good = _issue_access(tokens)
    header, payload = (json.dumps(part).encode() for part in (_headers_of(good), _claims_of(good)))
    assert tokens.read_access(_signed(keys, header, payload))

    _refused(tokens.read_access, _signed(keys, b'{"typ":"at+jwt",' + header[1:], payload))
    _refused(
        tokens.read_access, _signed(keys, header, b'{"sub":"' + str(USER).encode() + b'",' + payload[1:])
    )
    _refused(tokens.read_access, _signed(keys, header, payload[:-1] + b',"x":{"a":1,"a":1}}'))


def test_json_that_is_none_is_refused(tokens: Tokens, keys: KeySet) -> None:
    good = _issue_access(tokens)
    header, payload = (json.dumps(part).encode() for part in (_headers_of(good), _claims_of(good)))
    odd = (
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff",
        b"[" * 3000,
        b'{"a":' * 900,
        b'{"a":NaN}',
        b"1" * 5000,
    )
    for octets in odd:
        _refused(tokens.read_access, _signed(keys, octets, payload))
        _refused(tokens.read_access, _signed(keys, header, octets))
    _refused(tokens.read_access, _signed(keys, header, payload[:-1] + b',"x":Infinity}'))


def test_other_numbers_of_segments_are_refused(tokens: Tokens) -> None:
    good = _issue_access(tokens)
    header, payload, signature = good.split(".")
    odd = (
        f"{header}.{payload}",
        f"{good}.{signature}",
        f"{good}.a.b",
        f"{good}.",
        f".{good}",
        header,
        "..",
        "",
    )
    for token in odd:
        _refused(tokens.read_access, token)


def test_another_spelling_of_a_token_is_refused(tokens: Tokens) -> None:
    good = _issue_access(tokens)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    unread_bits = good[:-1] + alphabet[alphabet.index(good[-1]) + 1]  # 64 octets leave four bits over
    odd = (f"{good}=", f"{good}==", f" {good}", f"{good}\n", f"{good}\0", good.replace(".", "\u3002"))
    for token in (
        *odd,
        good.replace("e", "\uff45", 1),
        f"{good}\ud800",
        f"{good[:50]}\n{good[50:]}",
        unread_bits,
    ):
        _refused(tokens.read_access, token)


@pytest.mark.parametrize("segment", ["A", "AAAAA", "-", "_"])
def test_lengths_that_base64_does_not_have_are_refused(tokens: Tokens, segment: str) -> None:
    header, payload, signature = _issue_access(tokens).split(".")
    for token in (
        f"{segment}.{payload}.{signature}",
        f"{header}.{segment}.{signature}",
        f"{header}.{payload}.{segment}",
    ):
        _refused(tokens.read_access, token)


def test_big_tokens_are_refused(tokens: Tokens) -> None:
    assert tokens.read_access(_resigned(tokens, claims={"padding": "x" * 5000}))
    _refused(tokens.read_access, _resigned(tokens, claims={"padding": "x" * 6000}))
    _refused(tokens.read_access, "a" * 10_000_000)
    _refused(tokens.read_access, "." * 10_000_000)


def test_a_changed_payload_is_refused(tokens: Tokens) -> None:
    header, payload, signature = _issue_access(tokens).split(".")
    changed = _base64url(json.dumps(_read_segment(payload) | {"sub": str(uuid4())}).encode())

    _refused(tokens.read_access, f"{header}.{changed}.{signature}")


def test_opaque_tokens_are_random_and_kept_as_a_digest() -> None:
    one, other = new_opaque_token(), new_opaque_token()

    assert one != other
    assert len(base64.urlsafe_b64decode(one + "=")) == 32
    assert digest(one) == hashlib.sha256(one.encode()).hexdigest()
    assert len(digest("\ud800\0\u00e9")) == 64
