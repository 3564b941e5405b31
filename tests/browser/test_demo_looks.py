"""Each screen of the demo app: axe-core finds nothing serious, and nothing stands out at the side at 320 px.

On a phone in the dark, and on a desktop in the light.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from browser.calls import latest_code
from browser.conftest import NewNumber, NoSeriousViolations
from browser.demo_person import (
    DEMO,
    WRONG,
    begin_sign_up,
    code_sent,
    enter,
    expect_heading,
    follow,
    keep_codes,
    press,
    prove_phone,
    sign_out,
    sign_up,
)
from browser.inbox import Inbox
from browser.screens import DESKTOP, PHONE, Scheme, Screens

NARROW = 320
WIDTH = """() => Math.max(
    document.documentElement.scrollWidth,
    ...Array.from(document.querySelectorAll('dialog[open]'), (each) =>
        each.getBoundingClientRect().left + Math.max(each.offsetWidth, each.scrollWidth)),
)"""
HEIGHTS = """(button) => {
    const { lineHeight } = getComputedStyle(button);
    const range = document.createRange();
    range.selectNodeContents(button);
    return { inside: range.getBoundingClientRect().height, line: parseFloat(lineHeight) };
}"""
ASK_FOR_STEP_UP = "() => { import('/demo/step-up-dialog.js').then((dialog) => dialog.askForStepUp()); }"


@dataclass(frozen=True)
class Eye:
    """Looks at one screen after the other."""

    page: Page
    no_serious_violations: NoSeriousViolations

    def look(self) -> None:
        self.no_serious_violations(self.page)
        with self._narrow():
            assert self.page.evaluate(WIDTH) <= NARROW

    @contextmanager
    def _narrow(self) -> Iterator[None]:
        usual = self.page.viewport_size or DESKTOP
        self.page.set_viewport_size({"width": NARROW, "height": usual["height"]})
        yield
        self.page.set_viewport_size(usual)


@pytest.fixture(params=["phone-dark", "desktop-light"])
def eye(screens: Screens, no_serious_violations: NoSeriousViolations, request: pytest.FixtureRequest) -> Eye:
    size, scheme = PHONE if request.param.startswith("phone") else DESKTOP, _scheme(request.param)
    return Eye(screens.open(DEMO, size=size, scheme=scheme), no_serious_violations)


def _scheme(name: str) -> Scheme:
    return "dark" if name.endswith("dark") else "light"


def test_the_way_in(eye: Eye, new_number: NewNumber) -> None:
    page, number = eye.page, new_number()
    expect_heading(page, "Log in")
    eye.look()
    press(page, "Log in")  # errors at both fields
    eye.look()
    follow(page, "Forgot your password?")
    expect_heading(page, "Forgot your password?")
    eye.look()
    page.goto(f"{DEMO}#/sign-up")
    expect_heading(page, "Create an account")
    eye.look()
    begin_sign_up(page, number)
    eye.look()
    enter(page, WRONG)
    expect(page.locator(".error:visible")).to_be_visible()
    page.locator("summary").first.click() if page.locator("#panel").is_visible() else press(page, "Requests")
    eye.look()
    enter(page, "000001")
    expect(page.locator(".error:visible")).to_contain_text("One try is left")
    enter(page, "000002")
    expect_heading(page, "This code has ended")
    eye.look()


def test_the_account(eye: Eye, new_number: NewNumber) -> None:
    page, number = eye.page, new_number()
    begin_sign_up(page, number)
    enter(page, latest_code(page, number))
    expect_heading(page, "Recovery codes")
    eye.look()
    keep_codes(page)
    follow(page, "Security")
    expect(page.get_by_role("link", name="Make new recovery codes")).to_be_visible()
    eye.look()
    follow(page, "Change password")
    expect_heading(page, "Change password")
    eye.look()
    follow(page, "Security")
    follow(page, "Set up authenticator app")
    press(page, "Set up")
    expect(page.locator("img.qr")).to_be_visible()
    eye.look()
    for name in ("Profile", "Sessions", "Activity", "Your data"):
        follow(page, name)
        expect_heading(page, name)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        eye.look()
    follow(page, "Profile")
    follow(page, "Change phone number")
    expect_heading(page, "Change phone number")
    eye.look()
    look_at_step_up(eye, number)
    sign_out(page)
    eye.look()


def test_the_account_bar_stands_in_one_row_on_a_phone(phone: Page, new_number: NewNumber) -> None:
    sign_up(phone, new_number())

    tops = phone.locator("nav li").evaluate_all("all => all.map((each) => each.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    assert phone.locator("nav ul").evaluate("list => list.scrollWidth <= list.clientWidth")
    button = phone.locator("#panel-switch").evaluate(HEIGHTS)
    assert button["inside"] < 2 * button["line"]


def test_a_new_password(eye: Eye, inbox: Inbox, new_number: NewNumber) -> None:
    page, number = eye.page, new_number()
    sign_up(page, number)
    inbox.next_code(number)
    sign_out(page)
    prove_phone(page, inbox, number)
    eye.look()


def look_at_step_up(eye: Eye, number: str) -> None:
    eye.page.evaluate(ASK_FOR_STEP_UP)
    code_sent(eye.page, number, "dialog")
    dialog = eye.page.get_by_role("dialog", name="Confirm that it’s you")
    expect(dialog.locator("input.code")).to_be_visible()
    eye.look()
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()
