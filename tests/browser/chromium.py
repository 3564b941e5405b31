"""The browser: a Chromium that is there already, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMED_BY = "OTP_AUTH_TEST_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Whatever a page asks for, nothing but this machine is reached. What it asked for is looked at besides.
NOBODY_ELSE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


@contextmanager
def launched_browser() -> Iterator[Browser]:
    """Run it until the block ends. Its driver ends with this process, and it with its driver."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_binary(),
            chromium_sandbox=os.geteuid() != 0,  # Chromium has none for root
            args=[NOBODY_ELSE],
        )
        try:
            yield browser
        finally:
            browser.close()


def _binary() -> str:
    named = os.environ.get(NAMED_BY)
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"no Chromium: ./dev test-browser installs one, or name one with {NAMED_BY}"
    return found
