"""Screens that pages are looked at on, and pages on them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from browser.watch import Watch
from support.site import Site

Scheme = Literal["light", "dark"]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PATIENCE = 20_000  # milliseconds for what a page must come to
PICTURES = "OTP_AUTH_TEST_PICTURES"  # names a folder for pictures of the pages as tests left them


@dataclass
class Screens:
    """Opens pages, each in a context of its own: another person's browser, with empty storage."""

    browser: Browser
    site: Site
    watch: Watch
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, path: str = "", *, size: ViewportSize = DESKTOP, scheme: Scheme = "light") -> Page:
        """Return a page at this path of the site, or a blank one. More tabs: `page.context.new_page()`."""
        context = self.browser.new_context(
            base_url=self.site.address,
            viewport=size,
            color_scheme=scheme,
            has_touch=size == PHONE,
            reduced_motion="reduce",
            locale="en-GB",
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        self.watch.attach(context)
        page = context.new_page()
        if path:
            page.goto(path)
        return page


@contextmanager
def opened_screens(browser: Browser, site: Site, test: str) -> Iterator[Screens]:
    """Lend screens to a test, and fail where anything went wrong in any of their pages."""
    screens = Screens(browser, site, Watch(site.host))
    try:
        yield screens
        _take_pictures(screens, test)
    finally:
        for context in screens.contexts:
            context.close()
    screens.watch.assert_nothing_went_wrong()


def _take_pictures(screens: Screens, test: str) -> None:
    if folder := os.environ.get(PICTURES):
        name = re.sub(r"\W+", "-", test)
        pages = [page for context in screens.contexts for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=Path(folder) / f"{name}-{number}.png", full_page=True)
