"""Where a session is used from: enough to recognise one's own, too little to follow anybody."""

import re
from dataclasses import dataclass

LONGEST_USER_AGENT = 400  # more of it is not read
UNKNOWN_DEVICE = "Unknown device"

# In this order: browsers name their ancestors too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}(?:/[0-9][0-9.]{0,19})?")


@dataclass(frozen=True)
class Client:
    """Who makes a request, as far as a session remembers."""

    network: str | None  # IPv4 /24 or IPv6 /64
    device: str


def device_of(user_agent: str) -> str:
    """A label for people, such as "Firefox on Windows"; a program is called by its first product name."""
    read = user_agent[:LONGEST_USER_AGENT]
    browser = next((name for mark, name in _BROWSERS if mark in read), None)
    system = next((name for mark, name in _SYSTEMS if mark in read), None)
    if browser:
        return f"{browser} on {system}" if system else browser
    product = _PRODUCT.match(read)
    return product[0] if product else system or UNKNOWN_DEVICE
