"""Sinch's request signature: the same for our requests to Sinch and for Sinch's callbacks to us.

Sinch Verification API, "Application signed request": HMAC-SHA256 over verb, body digest, content type, time
and path.
"""

import base64
import hashlib
import hmac


def decode_secret(application_secret: str) -> bytes:
    """Return the signing key inside an application secret. Raises ValueError if it isn't base64."""
    try:
        return base64.b64decode(application_secret, validate=True)
    except ValueError:  # also what lies outside ASCII
        raise ValueError("the Sinch application secret is not base64: copy it from the dashboard") from None


def signature(key: bytes, *, verb: str, path: str, body: bytes, content_type: str, timestamp: str) -> str:
    """Sign one request.

    `key` is the decoded secret, `path` percent-decoded and without query, `body` and `content_type` exactly
    as they travel, `timestamp` the literal text of `x-timestamp`.
    """
    # MD5 because Sinch's protocol says so; what protects the body is the HMAC around it.
    digest = hashlib.md5(body, usedforsecurity=False).digest() if body else b""
    content_md5 = base64.b64encode(digest).decode()
    to_sign = "\n".join((verb.upper(), content_md5, content_type, f"x-timestamp:{timestamp}", path))
    return base64.b64encode(hmac.digest(key, to_sign.encode(), "sha256")).decode()
