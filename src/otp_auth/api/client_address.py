"""Whose address a request counts for: the socket's, or what trusted proxies say of it."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastapi import Request

from otp_auth.settings import Network

Address = IPv4Address | IPv6Address
_V4_PREFIX, _V6_PREFIX = 24, 64  # one customer's worth of addresses


def client_address(request: Request) -> str:
    """Return the caller's address in its one canonical spelling, or "unknown"."""
    socket = _parse(request.client.host) if request.client else None
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    address = _walk(socket, forwarded, request.app.state.settings.trusted_proxies)
    return str(address) if address else "unknown"


def client_network(request: Request) -> str:
    """The network that limits are counted for: a /24, or a /64 of IPv6; or "unknown"."""
    address = client_address(request)
    if address == "unknown":
        return address
    prefix = _V4_PREFIX if ip_address(address).version == 4 else _V6_PREFIX  # noqa: PLR2004 - IP version
    return str(ip_network(f"{address}/{prefix}", strict=False))


def _walk(socket: Address | None, forwarded: str, proxies: Iterable[Network]) -> Address | None:
    """Go from the socket towards the client for as long as the next hop is one of ours."""
    networks = list(proxies)
    address = socket
    for hop in reversed([part for part in forwarded.split(",") if part.strip()]):
        if address is None or not _is_trusted(address, networks):
            break
        named = _parse(hop.strip())
        if named is None:
            break
        address = named
    return address


def _is_trusted(address: Address, networks: list[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _parse(text: str) -> Address | None:
    """Read an address, with the IPv4 inside an IPv6-mapped one unfolded and without the name of a zone."""
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
