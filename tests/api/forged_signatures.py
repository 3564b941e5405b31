"""Forgeries by whoever doesn't have our key: no signature, another key's, another algorithm's, odd octets."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from otp_auth.tokens.algorithms import public_jwk, thumbprint
from support.forgery import (
    GONE,
    Forgery,
    Json,
    Mint,
    base64url,
    hmac_signer,
    octets_of,
    public_key_as,
    read_octets,
    strange_key,
    stranger,
)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
HALF = 32  # octets of r, and of s
NONES = ("none", "None", "NONE", "nOnE")
SECRETS = ("PEM", "PEM without its last line break", "DER", "JWK", "JWK, tight", "JWKS", "kid", "nothing")
HMACS = ("HS256", "HS384", "HS512")
OTHER_ALGORITHMS = ("RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA")


def _unsigned(alg: str) -> Forgery:
    return lambda mint: mint.forge({"alg": alg}, by=lambda _: b"")


def _none_with_our_signature(alg: str) -> Forgery:
    return lambda mint: mint.forge({"alg": alg})


def _none_with_the_old_signature(alg: str) -> Forgery:
    return lambda mint: mint.forge({"alg": alg}, by=lambda _: read_octets(mint.segments[2]))


def _hmac(algorithm: str, form: str, alg: str | None = None) -> Forgery:
    return lambda mint: mint.forge(
        {"alg": alg or algorithm}, by=hmac_signer(algorithm, public_key_as(mint, form))
    )


def _by_stranger(algorithm: str, header: Json) -> Forgery:
    return lambda mint: mint.forge(header, by=stranger(algorithm))


def _by_next_key(mint: Mint) -> str:
    """Signed by us, and said to be signed by the other key of ours."""
    return mint.forge({"kid": mint.other_kid, "alg": mint.keys.verifying[mint.other_kid].algorithm})


@cache
def _jwk() -> Json:
    jwk = public_jwk(strange_key("ES256").public_key())
    return {**jwk, "kid": thumbprint(jwk), "alg": "ES256", "use": "sig"}


@cache
def _certificate() -> str:
    """The forger's certificate of itself, as `x5c` holds it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "auth.example.com")])
    key, now = strange_key("ES256"), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    lines = builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode().split("\n")
    return "".join(lines[1:-2])


def _brings_key(mint: Mint) -> dict[str, Json]:
    """Headers that bring the forger's key along, or say where to fetch it."""
    return {
        "embedded jwk": {"jwk": _jwk()},
        "jku": {"jku": f"{mint.address}/jwks.json"},
        "x5u": {"x5u": f"{mint.address}/certificate.pem"},
        "x5c": {"x5c": [_certificate()]},
    }


def _with_key(way: str, kid: object) -> Forgery:
    """Signed by the forger; `kid` is a value, GONE, or None for ours."""
    named = {} if kid is None else {"kid": kid}
    return lambda mint: mint.forge(_brings_key(mint)[way] | named, by=stranger("ES256"))


def _numbers(mint: Mint) -> tuple[int, int]:
    signature = read_octets(mint.segments[2])
    return int.from_bytes(signature[:HALF]), int.from_bytes(signature[HALF:])


def _raw(r: int, s: int) -> bytes:
    return r.to_bytes(HALF) + s.to_bytes(HALF)


def twin(mint: Mint) -> str:
    """The genuine token with the other signature that ECDSA has for it: s is -s (mod n)."""
    r, s = _numbers(mint)
    return mint.with_signature(_raw(r, ORDER - s))


OCTETS: dict[str, Forgery] = {
    "signature empty": lambda mint: mint.with_signature(b""),
    "signature of one octet": lambda mint: mint.with_signature(b"\0"),
    "signature of zeros": lambda mint: mint.with_signature(_raw(0, 0)),  # CVE-2022-21449
    "signature of ones": lambda mint: mint.with_signature(b"\xff" * 2 * HALF),
    "r is 0": lambda mint: mint.with_signature(_raw(0, _numbers(mint)[1])),
    "s is 0": lambda mint: mint.with_signature(_raw(_numbers(mint)[0], 0)),
    "r is the order": lambda mint: mint.with_signature(_raw(ORDER, _numbers(mint)[1])),
    "s is the order": lambda mint: mint.with_signature(_raw(_numbers(mint)[0], ORDER)),
    "r and s are the order": lambda mint: mint.with_signature(_raw(ORDER, ORDER)),
    "r and s are 1": lambda mint: mint.with_signature(_raw(1, 1)),
    "r and s swapped": lambda mint: mint.with_signature(_raw(*reversed(_numbers(mint)))),
    "signature in DER": lambda mint: mint.with_signature(encode_dss_signature(*_numbers(mint))),
    "signature as hex": lambda mint: f"{mint.genuine.rpartition('.')[0]}.{_raw(*_numbers(mint)).hex()}",
    "signature short of an octet": lambda mint: mint.with_signature(_raw(*_numbers(mint))[:-1]),
    "signature cut in half": lambda mint: mint.with_signature(_raw(*_numbers(mint))[:HALF]),
    "signature with an octet more": lambda mint: mint.with_signature(_raw(*_numbers(mint)) + b"\0"),
    "signature with an octet before": lambda mint: mint.with_signature(b"\0" + _raw(*_numbers(mint))),
    "signature with one bit flipped": lambda mint: mint.with_signature(
        _raw(_numbers(mint)[0] ^ 1, _numbers(mint)[1])
    ),
    "signature of another token": lambda mint: (
        f"{mint.genuine.rpartition('.')[0]}.{mint.of_somebody_else.rpartition('.')[2]}"
    ),
    "signature over the payload alone": lambda mint: mint.with_signature(
        mint.ours(mint.segments[1].encode())
    ),
    "payload changed under its signature": lambda mint: ".".join(
        (mint.segments[0], base64url(octets_of(mint.claims, {"acr": "aal3"})), mint.segments[2])
    ),
    "header changed under its signature": lambda mint: ".".join(
        (base64url(octets_of(mint.header, {"x": 1})), *mint.segments[1:])
    ),
}

SIGNATURES: dict[str, Forgery] = {
    **{f"{alg}, without signature": _unsigned(alg) for alg in NONES},
    **{f"{alg}, with our signature": _none_with_our_signature(alg) for alg in NONES},
    **{f"{alg}, with the old signature": _none_with_the_old_signature(alg) for alg in NONES},
    **{
        f"{algorithm}, keyed with the public key: {form}": _hmac(algorithm, form)
        for algorithm in HMACS
        for form in SECRETS
    },
    "ES256, but an HMAC with the public key": _hmac("HS256", "PEM", alg="ES256"),
    **{f"{alg}, by a key of that kind": _by_stranger(alg, {"alg": alg}) for alg in OTHER_ALGORITHMS},
    **{f"ES256, but by a key for {alg}": _by_stranger(alg, {}) for alg in OTHER_ALGORITHMS},
    "by another key of that curve": _by_stranger("ES256", {}),
    "said to be of the next key": _by_next_key,
    "said to be of the next key, ES256": lambda mint: mint.forge({"kid": mint.other_kid}),
    **{
        f"{way}, {whose}": _with_key(way, kid)
        for way in ("embedded jwk", "jku", "x5u", "x5c")
        for whose, kid in {"our kid": None, "no kid": GONE, "its own kid": "forged"}.items()
    },
    **OCTETS,
}
