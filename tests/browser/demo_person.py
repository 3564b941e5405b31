"""A person at the demo app: what they type and press, and where that brings them."""

import re

from playwright.sync_api import Page, expect

from browser.calls import latest_code
from browser.inbox import Inbox
from support.service import PASSWORD

DEMO = "/demo/"
NAME = "Ada Lovelace"
WRONG = "000000"
CLIENT = "const { auth } = await import('/demo/service.js');"
# Access tokens that end quickly, resends at once, devices that are trusted: for what takes long otherwise.
HASTY = (
    "OTP_AUTH_TOKENS__ACCESS_LIFETIME=3",
    "OTP_AUTH_SEND__RESEND_GAP=2",
    "OTP_AUTH_TRUSTED_DEVICES__ENABLED=true",
    "OTP_AUTH_RATE_LIMITS__ENABLED=false",
)
FLEETING = ("OTP_AUTH_CHALLENGE__LIFETIME=3",)


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"main [name={name}]").fill(value)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def expect_heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1, name=text, exact=True)).to_be_visible()


def begin_sign_up(page: Page, number: str) -> None:
    """Fill the form and send it: the code's page comes."""
    page.goto(f"{DEMO}#/sign-up")
    fill(page, phone_number=number, password=PASSWORD, display_name=NAME)
    press(page, "Create account")
    expect_heading(page, "Confirm your phone")


def sign_up(page: Page, number: str) -> list[str]:
    """Become somebody with this number, and return the recovery codes.

    By the page's own client, for tests of what comes after: forms and codes have theirs.
    """
    if DEMO not in page.url:
        page.goto(DEMO)
    expect_heading(page, "Log in")
    body = {"phone_number": number, "password": PASSWORD, "display_name": NAME}
    page.evaluate(f"async (body) => {{ {CLIENT} await auth.register(body); }}", body)
    verify = f"async (code) => {{ {CLIENT} return (await auth.verifyCode({{ code }})).recovery_codes; }}"
    codes: list[str] = page.evaluate(verify, latest_code(page, number))
    expect_heading(page, "Profile")
    return codes


def begin_log_in(page: Page, identifier: str, password: str = PASSWORD) -> None:
    if not page.url.endswith("#/log-in"):
        page.goto(f"{DEMO}#/log-in")
    fill(page, identifier=identifier, password=password)
    press(page, "Log in")


def log_in(page: Page, number: str, password: str = PASSWORD) -> None:
    begin_log_in(page, number, password)
    expect_heading(page, "Enter the code")
    enter(page, code_sent(page, number))
    expect_heading(page, "Profile")


def code_sent(page: Page, number: str, place: str = "main") -> str:
    """See that a code was sent, or ask for one as soon as the page lets one; and read it."""
    lead = page.locator(f"{place} [data-delivery]")
    expect(lead).to_have_attribute("data-delivery", re.compile(".+"))
    if lead.get_attribute("data-delivery") == "not_sent":
        page.locator(place).get_by_role("button", name="Send a new text").click()
    expect(lead).to_have_attribute("data-delivery", re.compile("^(sent|delivered)$"))
    return latest_code(page, number)


def keep_codes(page: Page) -> None:
    """Leave the sheet of recovery codes the way that is meant."""
    expect_heading(page, "Recovery codes")
    follow(page, "I have kept them")
    expect_heading(page, "Profile")


def step_up(page: Page, number: str) -> None:
    """Do the step-up in its dialog."""
    code = code_sent(page, number, "dialog")
    page.locator("dialog input.code").press_sequentially(code)


def prove_phone(page: Page, inbox: Inbox, number: str) -> None:
    """Go the way of a forgotten password, until a new one may be set."""
    follow(page, "Forgot your password?")
    expect_heading(page, "Forgot your password?")
    fill(page, identifier=number)
    press(page, "Send me a code")
    expect(page.get_by_text("If there is such an account, a code is on its way")).to_be_visible()
    enter(page, inbox.next_code(number))
    expect_heading(page, "Choose a new password")


def enter(page: Page, code: str) -> None:
    """Type a code that sends itself once it is complete."""
    page.locator("input.code").press_sequentially(code)


def sign_out(page: Page) -> None:
    press(page, "Sign out")
    expect_heading(page, "Log in")
