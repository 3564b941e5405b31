"""The certificates that every HTTPS client of this process trusts."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS context, which verifies. Reading the certificates takes 20 ms of a processor."""
    return httpx.create_ssl_context(trust_env=False)
