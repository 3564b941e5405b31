"""Whose address a request counts for."""

from types import SimpleNamespace

import pytest
from fastapi import Request

from otp_auth.api.client_address import client_address, client_network
from otp_auth.settings import Settings, load_settings

PROXIES = "10.0.0.0/8,192.0.2.1,fd00::/8"
Forwarded = list[str]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(trusted_proxies=PROXIES)


def _request(
    settings: Settings, socket: str | None, forwarded: Forwarded, *others: tuple[str, str]
) -> Request:
    headers = [("x-forwarded-for", value) for value in forwarded] + list(others)
    return Request(
        {
            "type": "http",
            "app": SimpleNamespace(state=SimpleNamespace(settings=settings)),
            "client": (socket, 40_000) if socket is not None else None,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        }
    )


@pytest.mark.parametrize(
    ("socket", "forwarded", "address"),
    [
        pytest.param("203.0.113.9", [], "203.0.113.9", id="no proxy"),
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="stranger who forwards"),
        pytest.param("203.0.113.9", ["10.0.0.1"], "203.0.113.9", id="stranger who names a proxy"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="proxy that says nothing"),
        pytest.param("10.0.0.1", [""], "10.0.0.1", id="proxy that says nothing, in a header"),
        pytest.param("10.0.0.1", ["198.51.100.1"], "198.51.100.1", id="one proxy"),
        pytest.param("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1", id="two proxies"),
        pytest.param("10.0.0.1", ["198.51.100.1", "10.0.0.2"], "198.51.100.1", id="two headers"),
        pytest.param("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1", id="made up by the client"),
        pytest.param(
            "10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1", id="made up, two proxies"
        ),
        pytest.param(
            "10.0.0.1", ["10.9.9.9, 198.51.100.1"], "198.51.100.1", id="proxy made up by the client"
        ),
        pytest.param("10.0.0.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1", id="header made up"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="only proxies"),
        pytest.param("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1", id="nonsense beside the proxy"),
        pytest.param("10.0.0.1", ["nonsense, 198.51.100.1"], "198.51.100.1", id="nonsense of the client"),
        pytest.param("10.0.0.1", [" ,, 198.51.100.1 ,"], "198.51.100.1", id="empty parts"),
        pytest.param("10.0.0.1", ["198.51.100.1\xff"], "10.0.0.1", id="bytes"),
        pytest.param("10.0.0.1", ["\x0a" * 9_000], "10.0.0.1", id="9 kB"),
        pytest.param("10.0.0.1", ["1," * 5_000], "10.0.0.1", id="5,000 parts"),
        pytest.param("192.0.2.1", ["198.51.100.1"], "198.51.100.1", id="proxy listed alone"),
        pytest.param("192.0.2.2", ["198.51.100.1"], "192.0.2.2", id="neighbour of that proxy"),
        pytest.param("fd00::1", ["2001:db8::1"], "2001:db8::1", id="IPv6 proxy"),
        pytest.param("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1", id="proxy mapped into IPv6"),
        pytest.param("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1", id="client mapped into IPv6"),
        pytest.param("10.0.0.1", ["::FFFF:C633:6401"], "198.51.100.1", id="mapped, in hex"),
        pytest.param("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1", id="brackets"),
        pytest.param("10.0.0.1", ["2001:0DB8:0:0:0:0:0:0001"], "2001:db8::1", id="long spelling"),
        pytest.param("10.0.0.1", ["fe80::1%eth0"], "fe80::1", id="zone"),
        pytest.param("fe80::1%eth0", [], "fe80::1", id="zone of the socket"),
        pytest.param("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1", id="brackets and a port"),
        pytest.param("10.0.0.1", ["198.51.100.1:40000"], "198.51.100.1", id="port"),
        pytest.param("10.0.0.1", ["6.6.6.6, 198.51.100.1:40000, 10.0.0.2:80"], "198.51.100.1", id="ports"),
        pytest.param("10.0.0.1", ["[::ffff:198.51.100.1]:443"], "198.51.100.1", id="mapped, with a port"),
        pytest.param("10.0.0.1", ["198.51.100.1:"], "10.0.0.1", id="port left out"),
        pytest.param("10.0.0.1", ["198.51.100.1:80:80"], "10.0.0.1", id="two ports"),
        pytest.param("10.0.0.1", ["198.51.100.1:http"], "10.0.0.1", id="port in words"),
        pytest.param("10.0.0.1", ["[[2001:db8::1]]"], "10.0.0.1", id="brackets in brackets"),
        pytest.param("10.0.0.1", ["[2001:db8::1"], "10.0.0.1", id="half a bracket"),
        pytest.param("10.0.0.1", ["[198.51.100.1]x"], "10.0.0.1", id="letters after brackets"),
        pytest.param("10.0.0.1", ["[]"], "10.0.0.1", id="empty brackets"),
        pytest.param("10.0.0.1", ["2001:db8::1:443"], "2001:db8::1:443", id="no port without brackets"),
        pytest.param("10.0.0.1", ["198.51.100.1%eth0"], "10.0.0.1", id="zone of IPv4"),
        pytest.param("10.0.0.1", ["fe80::1%"], "10.0.0.1", id="empty zone"),
        pytest.param("10.0.0.1", ["::ffff:198.51.100.1%eth0"], "198.51.100.1", id="mapped, with a zone"),
        pytest.param("10.0.0.1", ["0:0:0:0:0:FFFF:C633:6401"], "198.51.100.1", id="mapped, in long hex"),
        pytest.param("10.0.0.1", ["::ffff:0198.51.100.1"], "10.0.0.1", id="mapped, with a leading zero"),
        pytest.param("10.0.0.1", ["2002:c633:6401::1"], "2002:c633:6401::1", id="6to4 stays IPv6"),
        pytest.param("10.0.0.1", ["64:ff9b::c633:6401"], "64:ff9b::c633:6401", id="NAT64 stays IPv6"),
        pytest.param("10.0.0.1", ["::198.51.100.1"], "::c633:6401", id="compatible stays IPv6"),
        pytest.param("10.0.0.1", ["0xc6.0x33.0x64.0x01"], "10.0.0.1", id="hex IPv4"),
        pytest.param("10.0.0.1", ["198.51.100.1/32"], "10.0.0.1", id="network"),
        pytest.param("10.0.0.1", ["198.51.100.001"], "10.0.0.1", id="leading zeros"),
        pytest.param("10.0.0.1", ["unknown"], "10.0.0.1", id="a proxy that doesn't know"),
        pytest.param("10.0.0.1", ['for="198.51.100.1"'], "10.0.0.1", id="spelling of Forwarded"),
        pytest.param("10.0.0.1", ["6.6.6.6;198.51.100.1"], "10.0.0.1", id="other separator"),
        pytest.param("10.0.0.1", ["6.6.6.6 198.51.100.1"], "10.0.0.1", id="no separator"),
        pytest.param("10.0.0.1", ["\t198.51.100.1 \t"], "198.51.100.1", id="spaces around"),
        pytest.param("10.0.0.1", ["198.51.100.1,\r\n 198.51.100.2"], "10.0.0.1", id="folded line"),
        pytest.param("10.0.0.1", ["198.51.100.1\xa0"], "10.0.0.1", id="a space that is none in HTTP"),
        pytest.param("10.0.0.1", ["6.6.6.6, "], "6.6.6.6", id="empty at the end"),
        pytest.param("10.0.0.1", ["", "6.6.6.6", "198.51.100.1", ""], "198.51.100.1", id="four headers"),
        pytest.param("10.0.0.1", ["6.6.6.6," * 800 + "198.51.100.1"], "198.51.100.1", id="800 hops made up"),
        pytest.param("10.0.0.1", ["198.51.100.1" + ",10.0.0.2" * 800], "198.51.100.1", id="800 proxies"),
        pytest.param("10.0.0.1", ["198.51.100.1," + "," * 9_000], "198.51.100.1", id="9,000 empty parts"),
        pytest.param("10.0.0.1", ["010.0.0.1"], "10.0.0.1", id="octal"),
        pytest.param("10.0.0.1", ["3232235521"], "10.0.0.1", id="whole number"),
        pytest.param(
            "10.0.0.1", ["\u0661\u0660.0.0.2".encode().decode("latin-1")], "10.0.0.1", id="other digits"
        ),
        pytest.param("", [], None, id="socket without an address"),
        pytest.param(None, ["198.51.100.1"], None, id="no socket"),
    ],
)
def test_the_address_is_what_the_last_trusted_hop_says(
    settings: Settings, socket: str | None, forwarded: Forwarded, address: str
) -> None:
    assert client_address(_request(settings, socket, forwarded)) == address


@pytest.mark.parametrize(
    "name", ["forwarded", "x-real-ip", "client-ip", "true-client-ip", "cf-connecting-ip"]
)
def test_no_other_header_is_read(settings: Settings, name: str) -> None:
    request = _request(settings, "10.0.0.1", [], (name, "198.51.100.1"))

    assert client_address(request) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        pytest.param("203.0.113.9", "203.0.113.0/24", id="IPv4"),
        pytest.param("203.0.113.255", "203.0.113.0/24", id="its neighbour"),
        pytest.param("203.0.114.9", "203.0.114.0/24", id="next network"),
        pytest.param("::ffff:203.0.113.9", "203.0.113.0/24", id="mapped into IPv6"),
        pytest.param("::ffff:cb00:7109", "203.0.113.0/24", id="mapped, in hex"),
        pytest.param("2001:db8:0:1::9", "2001:db8:0:1::/64", id="IPv6"),
        pytest.param("2001:DB8:0:1:FFFF:ffff:0:1", "2001:db8:0:1::/64", id="its neighbour, in capitals"),
        pytest.param("2001:db8:0:2::9", "2001:db8:0:2::/64", id="next IPv6 network"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="zone"),
        pytest.param("fe80::1%eth1", "fe80::/64", id="another zone"),
        pytest.param("2002:cb00:7109::9", "2002:cb00:7109::/64", id="6to4"),
        pytest.param("", None, id="none"),
    ],
)
def test_limits_are_kept_by_network(settings: Settings, address: str, key: str | None) -> None:
    assert client_network(_request(settings, address, [])) == key
    if address:
        assert client_network(_request(settings, "10.0.0.1", [address])) == key


def test_without_proxies_nobody_is_believed() -> None:
    request = _request(load_settings(), "127.0.0.1", ["198.51.100.1"])

    assert client_address(request) == "127.0.0.1"


@pytest.mark.parametrize(
    "spelling",
    [
        "2001:db8:0:1::9",
        "2001:DB8:0:1::9",
        "2001:0db8:0000:0001:0000:0000:0000:0009",
        "2001:db8:0:1:0:0:0.0.0.9",
        "[2001:db8:0:1::9]",
        "[2001:db8:0:1::9]:40000",
        "2001:db8:0:1::9%eth0",
        "2001:db8:0:1:ffff::9",
    ],
)
def test_spellings_share_one_key(settings: Settings, spelling: str) -> None:
    assert client_network(_request(settings, "10.0.0.1", [spelling])) == "2001:db8:0:1::/64"


@pytest.mark.parametrize(
    ("forwarded", "others"),
    [
        pytest.param(
            [f"10.9.{number}.1" for number in range(3)], [], id="proxies of ours, named by the client"
        ),
        pytest.param([], [("x-real-ip", "6.6.6.6"), ("forwarded", "for=6.6.6.6")], id="other headers"),
        pytest.param(["::1"], [("x-forwarded-for", "127.0.0.1")], id="this machine"),
    ],
)
def test_a_stranger_says_nothing_of_himself(
    settings: Settings, forwarded: Forwarded, others: list[tuple[str, str]]
) -> None:
    assert client_address(_request(settings, "203.0.113.9", forwarded, *others)) == "203.0.113.9"
