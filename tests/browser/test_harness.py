"""The browser tests' own guards: what they say they notice, they notice."""

import time

import pytest
from playwright.sync_api import Browser, Page

from browser.calls import log_in, register, verify
from browser.conftest import NewNumber, NoSeriousViolations
from browser.inbox import Inbox
from browser.screens import PATIENCE, Screens, opened_screens
from support.run_lifetime import leaves_nothing_when_killed
from support.site import Site

TROUBLES = {
    "console": ("/sandbox/", "console.error('oh')", "console error: oh"),
    "warning": ("/sandbox/", "console.warn('well')", "console warning: well"),
    "exception": ("/sandbox/", "setTimeout(() => { throw new Error('ouch') })", "exception: Error: ouch"),
    "missing file": ("/sandbox/", "fetch('/sandbox/nothing.js')", "answer 404: GET"),
    "another host": ("", "fetch('http://elsewhere.invalid/').catch(() => {})", "another host: GET http://el"),
}


@pytest.mark.parametrize(("path", "script", "line"), TROUBLES.values(), ids=TROUBLES)
def test_what_goes_wrong_in_a_page_fails_the_test(
    chromium: Browser, site: Site, path: str, script: str, line: str
) -> None:
    with pytest.raises(AssertionError, match=line):
        do_wrong(chromium, site, path, script)


def do_wrong(chromium: Browser, site: Site, path: str, script: str) -> None:
    with opened_screens(chromium, site, "trouble") as screens:
        page = screens.open(path)
        page.evaluate(f"() => {{ {script} }}")
        deadline = time.monotonic() + PATIENCE / 1000
        while not screens.watch.troubles and time.monotonic() < deadline:
            page.title()  # what was noticed is heard with the next answer


def test_what_was_allowed_and_what_the_api_refuses_fails_nothing(screens: Screens) -> None:
    page = screens.open("/sandbox/")
    screens.watch.allow("console error: oh")

    page.evaluate("console.error('oh')")
    status = page.evaluate("async () => (await fetch('/api/v1/me')).status")

    assert status == 401
    assert len(screens.watch._troubles) == 1


def test_barriers_are_found(page: Page, no_serious_violations: NoSeriousViolations) -> None:
    page.goto("/health")
    page.set_content("<html lang='en'><title>x</title><main><h1>x</h1><input></main></html>")

    with pytest.raises(AssertionError, match="critical label"):
        no_serious_violations(page)


def test_the_inbox_gives_each_code_once(site: Site, inbox: Inbox, new_number: NewNumber) -> None:
    number = new_number()

    registered = verify(site, register(site, number), inbox.next_code(number))
    logged_in = verify(site, log_in(site, number), inbox.next_code(number))

    assert registered["user"]["id"] == logged_in["user"]["id"]


def test_a_killed_run_leaves_no_service() -> None:
    leaves_nothing_when_killed("support.site", "started_site")
