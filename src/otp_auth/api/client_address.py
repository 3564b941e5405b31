"""Whose address a request counts for: the socket's, or what trusted proxies say of it.

Of all headers only `X-Forwarded-For` is read, and of it only what proxies of ours have added.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastapi import Request

from otp_auth.settings import Network

Address = IPv4Address | IPv6Address
_V4_PREFIX, _V6_PREFIX = 24, 64  # one customer's worth of addresses
_V6_GROUPS = 4  # in a /64
_MASK = "•••"
# Some proxies add the client's port; of IPv6 it can only be told apart behind brackets (RFC 3986 3.2.2).
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]{7,15}):[0-9]{1,5}|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?")
_SPACES = " \t"  # what may stand around an element (RFC 9110 5.6.3); anything else is part of it


def client_address(request: Request) -> str | None:
    """Return the caller's address in its one canonical spelling; None when the server doesn't know it."""
    socket = _parse(request.client.host) if request.client else None
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    address = _walk(socket, forwarded, request.app.state.settings.trusted_proxies)
    return str(address) if address else None


def client_network(request: Request) -> str | None:
    """The network that limits are counted for: a /24, or a /64 of IPv6; None when it isn't known."""
    address = client_address(request)
    if address is None:
        return None
    prefix = _V4_PREFIX if ip_address(address).version == 4 else _V6_PREFIX  # noqa: PLR2004 - IP version
    return str(ip_network(f"{address}/{prefix}", strict=False))


def masked_address(network: str | None) -> str | None:
    """Write a network for a person: `203.0.113.•••`, `2001:db8:1:2:•••`. None when it isn't known."""
    if network is None:
        return None
    address = ip_network(network).network_address
    if isinstance(address, IPv4Address):
        return f"{str(address).rpartition('.')[0]}.{_MASK}"
    groups = address.exploded.split(":")[:_V6_GROUPS]
    return ":".join([*(f"{int(group, 16):x}" for group in groups), _MASK])


def _walk(socket: Address | None, forwarded: str, proxies: Iterable[Network]) -> Address | None:
    """Go from the socket towards the client for as long as the next hop is one of ours."""
    networks = list(proxies)
    address = socket
    hops = (part.strip(_SPACES) for part in reversed(forwarded.split(",")))
    for hop in filter(None, hops):  # empty elements mean nothing (RFC 9110 5.6.1)
        if address is None or not _is_trusted(address, networks):
            break
        named = _parse(hop)
        if named is None:
            break
        address = named
    return address


def _is_trusted(address: Address, networks: list[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _parse(text: str) -> Address | None:
    """Read an address, with the IPv4 inside an IPv6-mapped one unfolded, without port and without zone."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(with_port["v4"] or with_port["v6"] if with_port else text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # its number has no zone
