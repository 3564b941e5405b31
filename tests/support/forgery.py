"""Forged tokens: made of a genuine one, with one thing wrong each.

Where the fault isn't the signature, the forger has our own private key: so nothing but the guard that is
meant can refuse the token.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from otp_auth.tokens.keys import KeySet

Json = dict[str, Any]
Signer = Callable[[bytes], bytes]

CURVES = {
    "ES256": ec.SECP256R1(),
    "ES256K": ec.SECP256K1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
GONE = object()  # in place of a member: leave it out


@dataclass(frozen=True)
class Mint:
    """What a forger has at hand: genuine tokens, all public keys, and for most faults our private key."""

    genuine: str
    of_other_kind: str  # a pending token for an access token, and the other way round
    of_somebody_else: str
    keys: KeySet  # two of them, for different algorithms
    address: str  # of a server that answers with the forger's keys, and must never be asked

    @cached_property
    def segments(self) -> tuple[str, str, str]:
        header, payload, signature = self.genuine.split(".")
        return header, payload, signature

    @cached_property
    def header(self) -> Json:
        return read_segment(self.segments[0])

    @cached_property
    def claims(self) -> Json:
        return read_segment(self.segments[1])

    @property
    def other_kid(self) -> str:
        """The id of the key of ours that doesn't sign."""
        return next(kid for kid in self.keys.verifying if kid != self.keys.signing.kid)

    def ours(self, signing_input: bytes) -> bytes:
        """Sign with our own key."""
        return signer(self.keys.signing.algorithm, self.keys.signing.private_key)(signing_input)

    def forge(
        self, header: Json | bytes | None = None, claims: Json | bytes | None = None, by: Signer | None = None
    ) -> str:
        """Return the genuine token with members changed, or octets in place of a part, signed anew."""
        return self.sign(
            base64url(octets_of(self.header, header)), base64url(octets_of(self.claims, claims)), by
        )

    def sign(self, header: str, payload: str, by: Signer | None = None) -> str:
        """Sign two segments as they stand, with our own key if nobody else is named."""
        signing_input = f"{header}.{payload}"
        return f"{signing_input}.{base64url((by or self.ours)(signing_input.encode()))}"

    def with_signature(self, signature: bytes) -> str:
        """Return the genuine token with other octets for a signature."""
        return f"{self.genuine.rpartition('.')[0]}.{base64url(signature)}"


Forgery = Callable[[Mint], str]


def octets_of(genuine: Json, part: Json | bytes | None) -> bytes:
    if isinstance(part, bytes):
        return part
    changed = {name: value for name, value in (genuine | (part or {})).items() if value is not GONE}
    return json.dumps(changed, separators=(",", ":")).encode()


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def read_octets(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "==")


def read_segment(segment: str) -> Json:
    value: Json = json.loads(read_octets(segment))
    return value


def signer(algorithm: str, key: Any) -> Signer:
    """Return what signs as a JWS of this algorithm. The key is of the kind that PyJWT wants for it."""
    return lambda signing_input: jwt.get_algorithm_by_name(algorithm).sign(signing_input, key)


def stranger(algorithm: str) -> Signer:
    """Return what signs with the forger's own key for this algorithm."""
    return signer(algorithm, strange_key(algorithm))


@cache
def strange_key(algorithm: str) -> Any:
    """The forger's private key for an algorithm."""
    if algorithm in {"RS256", "PS256"}:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[algorithm])


def hmac_signer(algorithm: str, secret: bytes) -> Signer:
    """By hand: PyJWT won't take a public key for a secret."""
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    return lambda signing_input: hmac.new(secret, signing_input, digest).digest()


def public_key_as(mint: Mint, form: str) -> bytes:
    """What an attacker may take for the secret of an HMAC: the public key in one of its spellings."""
    kid = mint.keys.signing.kid
    key = mint.keys.verifying[kid]
    pem = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "PEM": pem,
        "PEM without its last line break": pem.rstrip(),
        "DER": key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(key.jwk()).encode(),
        "JWK, tight": json.dumps(key.jwk(), separators=(",", ":")).encode(),
        "JWKS": json.dumps(mint.keys.jwks()).encode(),
        "kid": kid.encode(),
        "nothing": b"",
    }[form]
