"""The inbox page for every eye: on a phone and a desktop, light and dark."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from browser.calls import register
from browser.conftest import NoSeriousViolations
from browser.inbox import messages_on
from browser.screens import Scheme, Screens
from support.site import Site

NARROW: ViewportSize = {"width": 320, "height": 640}  # WCAG 2.2, 1.4.10 Reflow
WIDE: ViewportSize = {"width": 1920, "height": 1080}


@pytest.fixture(scope="module")
def full_inbox(site: Site, numbers: Iterator[str]) -> Iterator[None]:
    """Something of everything."""
    for method in ("sms", "voice", "flashcall", "whatsapp"):
        register(site, next(numbers), method)
    fault = {"on": "report", "kind": "status", "value": 500, "times": 1}
    httpx.put(f"{site.inbox_address}faults", json=fault, trust_env=False).raise_for_status()
    yield
    httpx.delete(f"{site.inbox_address}faults", trust_env=False).raise_for_status()


@pytest.mark.usefixtures("full_inbox")
def test_no_barriers(each_screen: Page, no_serious_violations: NoSeriousViolations) -> None:
    each_screen.goto("/sandbox/")
    expect(messages_on(each_screen).first).to_be_visible()
    expect(each_screen.locator("#warning")).to_be_visible()
    messages_on(each_screen).first.get_by_role("button").click()
    expect(messages_on(each_screen).first.get_by_role("button")).to_have_text("Copied")

    no_serious_violations(each_screen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barriers_where_nothing_is(
    screens: Screens, no_serious_violations: NoSeriousViolations, scheme: Scheme
) -> None:
    page = screens.open("/sandbox/?to=%2B46701740611", scheme=scheme)
    expect(page.locator("#nothing")).to_be_visible()

    no_serious_violations(page)


@pytest.mark.usefixtures("full_inbox")
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_nothing_stands_out_at_the_side(screens: Screens, size: ViewportSize) -> None:
    page = screens.open("/sandbox/?to=%2B46", size=size)
    expect(messages_on(page).first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
