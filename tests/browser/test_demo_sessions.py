"""The demo app over time and tabs: access tokens that end, other tabs, trusted devices, step-ups."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from browser.calls import latest_code
from browser.conftest import NewNumber
from browser.demo_person import (
    DEMO,
    HASTY,
    begin_log_in,
    begin_sign_up,
    enter,
    expect_heading,
    follow,
    keep_codes,
    log_in,
    press,
    sign_out,
    sign_up,
    step_up,
)
from browser.inbox import Inbox
from browser.screens import Screens, opened_screens
from otp_auth.simulator.numbers import NUMBERS, Behaviour
from support.scale import FULL
from support.site import Site, started_site

TRANSPORTS = ("body", "cookie")
REFRESH = "/api/v1/auth/token/refresh"
SECONDS = 60 if FULL else 6
ACCESS_LIFETIME = 3  # of HASTY
# What the page itself does, again and again, with the page's own client.
WORK = """async (seconds) => {
    const { auth } = await import('/demo/service.js');
    const end = Date.now() + seconds * 1000;
    window.calls = 0;
    while (Date.now() < end) {
        await Promise.all([auth.getMe(), auth.listSessions()]);
        window.calls += 1;
    }
}"""


@pytest.fixture(scope="module")
def hasty_site() -> Iterator[Site]:
    with started_site(*HASTY) as site:
        yield site


@pytest.fixture
def hasty(chromium: Browser, hasty_site: Site, request: pytest.FixtureRequest) -> Iterator[Screens]:
    with opened_screens(chromium, hasty_site, request.node.name) as screens:
        yield screens


def use(page: Page, transport: str) -> None:
    """Have the demo keep its refresh token there."""
    page.goto(DEMO)
    expect_heading(page, "Log in")
    option = page.locator(f"input[value={transport}]")
    if not option.is_checked():
        with page.expect_event("load"):
            option.check()
    expect(page.locator(f"input[value={transport}]")).to_be_checked()


def test_another_code_once_the_countdown_has_ended(hasty: Screens, new_number: NewNumber) -> None:
    number = new_number()
    page, inbox = hasty.open(), Inbox(hasty.open())
    begin_sign_up(page, number)
    first = inbox.next_code(number)

    press(page, "Send a new text")  # waits until it may be pressed

    expect(page.get_by_role("status").filter(has_text="The code is on its way again.")).to_have_count(1)
    expect(page.get_by_text("You asked for another one at")).to_be_visible()
    assert len(inbox.next_code(number)) == len(first)
    enter(page, latest_code(page, number))
    expect_heading(page, "Recovery codes")


def test_the_number_of_a_missed_call_is_a_code_too(hasty: Screens) -> None:
    [number] = [each.number for each in NUMBERS if each.behaviour is Behaviour.VOICE_ONLY]
    page, inbox = hasty.open(), Inbox(hasty.open())
    begin_sign_up(page, number)

    press(page, "Ring me instead")
    expect(page.get_by_label("Number that called you")).to_be_focused()
    enter(page, inbox.next_code(number))
    press(page, "Continue")

    expect_heading(page, "Recovery codes")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_tabs_that_refresh_at_once_stay_signed_in(
    hasty: Screens, new_number: NewNumber, transport: str
) -> None:
    page = hasty.open()
    use(page, transport)
    sign_up(page, new_number())
    other = page.context.new_page()
    other.goto(f"{DEMO}#/sessions")
    expect(other.get_by_text("this one")).to_be_visible()
    refreshes: list[Request] = []
    page.context.on("request", lambda each: refreshes.append(each) if each.url.endswith(REFRESH) else None)

    began = time.monotonic()
    for tab in (page, other):
        tab.evaluate(f"(seconds) => {{ window.work = ({WORK})(seconds); }}", SECONDS)
    for tab in (page, other):
        tab.evaluate("() => window.work")  # throws what a call threw

    # One for both, each time: a tenth of its life before a token ends.
    most = (time.monotonic() - began) / (0.9 * ACCESS_LIFETIME) + 1
    assert SECONDS / ACCESS_LIFETIME - 1 <= len(refreshes) <= most
    for tab in (page, other):
        assert tab.evaluate("() => window.calls") > SECONDS
        follow(tab, "Activity")
        expect(tab.get_by_text("Your account was created")).to_be_visible()
        expect(tab.get_by_text("used twice")).to_have_count(0)
    follow(page, "Sessions")
    expect(page.get_by_text("this one")).to_have_count(1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_sign_out_shows_in_the_other_tab(hasty: Screens, new_number: NewNumber, transport: str) -> None:
    page = hasty.open()
    use(page, transport)
    sign_up(page, new_number())
    other = page.context.new_page()
    other.goto(f"{DEMO}#/security")
    expect_heading(other, "Security")

    sign_out(page)

    expect_heading(other, "Log in")
    expect(other.get_by_text("You are signed out.")).to_be_visible()
    other.go_back()
    expect(other.get_by_role("heading", level=1, name="Security")).to_have_count(0)


def test_a_login_shows_in_the_other_tab(hasty: Screens, new_number: NewNumber) -> None:
    page = hasty.open()
    other = page.context.new_page()
    other.goto(DEMO)
    expect_heading(other, "Log in")

    sign_up(page, new_number())

    expect_heading(other, "Profile")


def test_a_trusted_device_needs_no_code_and_a_step_up_for_what_matters(
    hasty: Screens, new_number: NewNumber
) -> None:
    number = new_number()
    page = hasty.open(f"{DEMO}#/sign-up")
    begin_sign_up(page, number)
    page.get_by_label("Trust this device").check()
    enter(page, latest_code(page, number))
    keep_codes(page)
    sign_out(page)
    begin_log_in(page, number)
    expect_heading(page, "Profile")  # no code in between

    follow(page, "Security")
    follow(page, "Make new recovery codes")
    press(page, "Make new codes")
    dialog = page.get_by_role("dialog", name="Confirm that it’s you")
    expect(dialog.locator("input.code")).to_be_focused()
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("alert")).to_have_text("Confirm that it’s you, then this goes through.")
    press(page, "Make new codes")
    step_up(page, number)

    expect(page.locator(".recovery-codes li")).to_have_count(10)


def test_a_reload_in_the_middle_of_a_step_up_goes_on(hasty: Screens, new_number: NewNumber) -> None:
    number = new_number()
    page = hasty.open(f"{DEMO}#/sign-up")
    begin_sign_up(page, number)
    page.get_by_label("Trust this device").check()
    enter(page, latest_code(page, number))
    keep_codes(page)
    sign_out(page)
    begin_log_in(page, number)
    expect_heading(page, "Profile")
    page.goto(f"{DEMO}#/authenticator")
    press(page, "Set up")
    expect(page.get_by_role("dialog").locator("input.code")).to_be_focused()

    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()
    step_up(page, number)

    expect(page.get_by_text("Thank you, it’s you")).to_be_visible()
    press(page, "Set up")
    expect(page.locator("img.qr")).to_be_visible()


def test_devices_are_listed_and_can_be_trusted_no_more(hasty: Screens, new_number: NewNumber) -> None:
    number = new_number()
    page = hasty.open(f"{DEMO}#/sign-up")
    begin_sign_up(page, number)
    page.get_by_label("Trust this device").check()
    enter(page, latest_code(page, number))
    follow(page, "I have kept them")
    follow(page, "Sessions")

    page.get_by_role("button", name=re.compile("^End trust in ")).click()
    expect(page.get_by_text("will be asked for a code again")).to_be_visible()
    sign_out(page)
    begin_log_in(page, number)

    expect_heading(page, "Enter the code")


def test_one_session_and_all_others_can_be_ended(hasty: Screens, new_number: NewNumber) -> None:
    number = new_number()
    page = hasty.open()
    sign_up(page, number)
    for _ in range(2):
        visitor = hasty.open()
        log_in(visitor, number)
    follow(page, "Sessions")
    others = page.get_by_role("button", name=re.compile("^End the session of"))
    expect(others).to_have_count(2)

    others.first.click()
    expect(others).to_have_count(1)
    press(page, "End all others")
    expect(page.get_by_text("All other sessions have ended.")).to_be_visible()

    expect(others).to_have_count(0)
    follow(visitor, "Security")
    expect_heading(visitor, "Log in")
