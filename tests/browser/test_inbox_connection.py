"""The inbox page and time: a simulator that goes and comes back, connections and messages that grow old."""

import httpx
from playwright.sync_api import Page, expect

from browser.calls import register
from browser.conftest import NewNumber
from browser.inbox import messages_on
from browser.watch import Watch
from support.ports import free_port
from support.site import KEY, SECRET, Site, started_simulator

NUMBER = "+46701740699"
TOO_QUIET = 41_000  # milliseconds: longer than the page waits, and the server never stays silent so long


def test_the_page_goes_on_when_the_simulator_is_back(page: Page, watch: Watch) -> None:
    port = free_port()
    watch.allow_host(f"127.0.0.1:{port}")
    watch.allow("net::ERR_")  # Chromium says so for each try
    with started_simulator(port) as simulator:
        page.goto(simulator.address)
        expect(page.locator("#connection")).to_have_text("Live")
        start(simulator)
        expect(messages_on(page)).to_have_count(1)

    expect(page.locator("#connection")).to_contain_text("No answer")
    expect(page.get_by_role("status")).to_contain_text("Is it still running?")
    with started_simulator(port) as simulator:
        expect(page.locator("#connection")).to_have_text("Live")
        expect(messages_on(page)).to_have_count(0)  # it forgets: it has no journal
        start(simulator)
        expect(messages_on(page).locator(".to")).to_have_text([NUMBER])


def start(simulator: Site) -> None:
    """Ask for a code as an application does."""
    body = {"identity": {"type": "number", "endpoint": NUMBER}, "method": "sms"}
    url = f"{simulator.address}/verification/v1/verifications"
    answer = httpx.post(url, json=body, auth=(KEY, SECRET), trust_env=False)
    assert answer.is_success, answer.text


def test_a_connection_that_says_nothing_is_made_anew(page: Page) -> None:
    page.clock.install()
    page.goto("/sandbox/")
    expect(page.locator("#connection")).to_have_text("Live")

    with page.expect_request("**/stream"):
        page.clock.fast_forward(TOO_QUIET)

    expect(page.locator("#connection")).to_have_text("Live")


def test_messages_grow_older(site: Site, page: Page, new_number: NewNumber) -> None:
    register(site, new_number())
    page.clock.install()
    page.goto("/sandbox/")
    age = messages_on(page).first.locator(".age")
    expect(age).to_have_text("just now")

    page.clock.fast_forward("03:00:30")

    expect(age).to_have_text("3 hours ago")
