"""What browser tests share: a started service, a browser, pages that are watched, the inbox, axe-core."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from browser.barriers import Axe, installed_axe
from browser.chromium import launched_browser
from browser.inbox import Inbox
from browser.screens import DESKTOP, PATIENCE, PHONE, Scheme, Screens, opened_screens
from browser.watch import Watch
from otp_auth.simulator.numbers import NUMBERS
from support.site import Site, started_site

expect.set_options(timeout=PATIENCE)
NewNumber = Callable[[], str]
NoSeriousViolations = Callable[[Page], None]
OPEN_ON: dict[str, tuple[ViewportSize, Scheme]] = {
    "phone-light": (PHONE, "light"),
    "phone-dark": (PHONE, "dark"),
    "desktop-light": (DESKTOP, "light"),
    "desktop-dark": (DESKTOP, "dark"),
}


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The service, started for all tests together: each uses numbers of its own (`new_number`)."""
    with started_site() as started:
        yield started


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with launched_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Axe:
    return installed_axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="session")
def numbers() -> Iterator[str]:
    """Swedish mobile numbers without a behaviour of their own."""
    special = {built_in.number for built_in in NUMBERS}
    return (number for n in count(1_741_000) if (number := f"+4670{n}") not in special)


@pytest.fixture
def new_number(numbers: Iterator[str]) -> NewNumber:
    """Return a number that no other test uses."""
    return lambda: next(numbers)


@pytest.fixture
def screens(chromium: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Screens]:
    """Opens pages: `screens.open("/sandbox/", size=PHONE, scheme="dark")`. Each is another person's browser.

    The test fails if anything goes wrong in any of them without showing: see `Watch`.
    """
    with opened_screens(chromium, site, request.node.name) as screens:
        yield screens


@pytest.fixture
def watch(screens: Screens) -> Watch:
    """To say what may go wrong: `watch.allow("net::ERR_CONNECTION_REFUSED")`."""
    return screens.watch


@pytest.fixture
def page(screens: Screens) -> Page:
    """A blank page on a desktop, light."""
    return screens.open()


@pytest.fixture
def phone(screens: Screens) -> Page:
    """A blank page on a phone, light."""
    return screens.open(size=PHONE)


@pytest.fixture(params=OPEN_ON)
def each_screen(screens: Screens, request: pytest.FixtureRequest) -> Page:
    """A blank page: the test runs on phone and desktop, light and dark."""
    size, scheme = OPEN_ON[request.param]
    return screens.open(size=size, scheme=scheme)


@pytest.fixture
def inbox(screens: Screens) -> Inbox:
    """The inbox page in a browser of its own: `inbox.next_code(number)`."""
    return Inbox(screens.open())


@pytest.fixture
def no_serious_violations(axe: Axe) -> NoSeriousViolations:
    """Fails a test for what axe-core finds serious or critical: `no_serious_violations(page)`."""
    return axe.assert_no_serious_violation
