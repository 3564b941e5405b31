"""The inbox page of a simulator that stands alone, goes away and comes back."""

import httpx
from playwright.sync_api import Page, expect

from browser.inbox import messages_on
from browser.site import KEY, SECRET, Site, free_port, started_simulator
from browser.watch import Watch

NUMBER = "+46701740699"


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
