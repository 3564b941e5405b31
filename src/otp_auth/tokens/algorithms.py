"""The signature algorithms on offer, and what their public keys look like as a JWK."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key

from otp_auth.settings import Algorithm

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

RSA_BITS = 3072
P256_BYTES = 32


def new_private_key(algorithm: Algorithm) -> PrivateKey:
    """Make a key; RSA takes up to a few seconds."""
    if algorithm == "RS256":
        return generate_rsa_key(public_exponent=65537, key_size=RSA_BITS)
    return generate_private_key(SECP256R1()) if algorithm == "ES256" else Ed25519PrivateKey.generate()


def algorithm_of(key: object) -> Algorithm | None:
    """Return the one algorithm a key may be used with; None for a key of another kind, curve or strength."""
    match key:
        case EllipticCurvePrivateKey(curve=SECP256R1()):
            return "ES256"
        case Ed25519PrivateKey():
            return "EdDSA"
        case RSAPrivateKey(key_size=bits) if bits >= RSA_BITS:
            return "RS256"
    return None


def public_jwk(key: PublicKey) -> dict[str, str]:
    """Return the members that name the key (RFC 7518 6, RFC 8037 2), and no private one."""
    if isinstance(key, Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes_raw())}
    if isinstance(key, RSAPublicKey):
        rsa = key.public_numbers()
        return {"e": _base64url_number(rsa.e), "kty": "RSA", "n": _base64url_number(rsa.n)}
    point = key.public_numbers()
    x, y = (_base64url(number.to_bytes(P256_BYTES)) for number in (point.x, point.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members, sorted, without spaces."""
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url_number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
