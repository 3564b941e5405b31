"""Which names a development server answers to.

A page of the web can let its own name lead to this machine, and a browser then takes our answers for that
page's. Only the name in the request tells, and no page can claim one of ours.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


def answering_to(app: ASGIApp, host: str, *addresses: str) -> ASGIApp:
    """Refuse requests by other names than this machine's, `host`, and those of the addresses.

    Who listens on every address of the machine can't know its names: then all are taken.
    """
    address = _address(host)
    if address and address.is_unspecified:
        return app
    named = filter(None, (urlsplit(address).hostname for address in addresses))
    names = [*THIS_MACHINE, *map(_in_brackets, (host, *named))]
    return TrustedHostMiddleware(app, allowed_hosts=names, www_redirect=False)


def is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
