"""Signing up and logging in at the demo app, with the codes that the inbox page shows."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from browser.calls import latest_code
from browser.conftest import NewNumber
from browser.demo_person import (
    DEMO,
    FLEETING,
    NAME,
    WRONG,
    begin_log_in,
    begin_sign_up,
    enter,
    expect_heading,
    fill,
    follow,
    keep_codes,
    log_in,
    press,
    sign_out,
    sign_up,
)
from browser.inbox import Inbox
from browser.screens import opened_screens
from otp_auth.api.problems import all_refusals
from otp_auth.simulator.numbers import NUMBERS, Behaviour
from support.service import PASSWORD
from support.site import started_site

NUMBER_OF = {built_in.behaviour: built_in.number for built_in in NUMBERS}


def test_sign_up_and_log_in_with_the_code_on_the_inbox_page(
    page: Page, inbox: Inbox, new_number: NewNumber
) -> None:
    number = new_number()

    begin_sign_up(page, number)
    expect(page.locator("input.code")).to_be_focused()
    expect(page.get_by_label("Trust this device")).to_have_accessible_description(
        re.compile("OTP_AUTH_TRUSTED_DEVICES__ENABLED=true")
    )
    expect(page.get_by_text("by text message")).to_contain_text(f"•••••••• {number[-2:]}")
    enter(page, inbox.next_code(number))
    expect_heading(page, "Recovery codes")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    follow(page, "I have kept them")
    expect(page.locator(".facts-list")).to_contain_text(number)
    sign_out(page)
    begin_log_in(page, number)
    enter(page, inbox.next_code(number))

    expect_heading(page, "Profile")
    expect(page.locator(".who")).to_have_text(NAME)


def test_recovery_codes_are_not_left_without_a_word(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    page.goto(DEMO)
    begin_sign_up(page, number)
    enter(page, latest_code(page, number))
    codes = page.locator(".recovery-codes code")
    expect(codes).to_have_count(10)
    shown, asked = codes.all_inner_texts(), []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    with page.expect_event("dialog"):
        page.evaluate("() => history.back()")
    follow(page, "Security")
    press(page, "Sign out")
    page.get_by_label("In a cookie").click()
    expect(page.get_by_label("In this page’s storage")).to_be_checked()
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)

    assert asked == ["confirm", "confirm", "confirm", "confirm", "beforeunload"]
    assert codes.all_inner_texts() == shown
    page.remove_listener("dialog", stay)
    page.once("dialog", lambda dialog: dialog.accept())
    follow(page, "Security")
    expect_heading(page, "Security")


def test_the_inbox_beside_the_field_is_that_of_the_number(page: Page, new_number: NewNumber) -> None:
    number, other = new_number(), new_number()
    page.request.post("/api/v1/auth/register", data={"phone_number": other, "password": PASSWORD})
    begin_sign_up(page, number)

    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the inbox").click()
    code = opened.value.locator("#messages .code").first.inner_text()
    enter(page, code)

    expect_heading(page, "Recovery codes")


def test_a_wrong_code_says_so_at_its_field_until_none_is_left(page: Page, new_number: NewNumber) -> None:
    begin_sign_up(page, new_number())
    field = page.locator("input.code")

    enter(page, WRONG)
    expect(page.locator(".error:visible")).to_have_text("That isn’t the code. 2 tries are left.")
    described = (field.get_attribute("aria-describedby") or "").split()
    assert page.locator(".error:visible").get_attribute("id") in described
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    enter(page, "000001")
    expect(page.locator(".error:visible")).to_have_text("That isn’t the code. One try is left.")
    enter(page, "000002")

    expect_heading(page, "This code has ended")
    follow(page, "Sign up again")
    expect(page.locator("[name=phone_number]")).not_to_be_empty()


def test_a_code_that_is_too_short_costs_no_try(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    begin_sign_up(page, number)
    code, field = latest_code(page, number), page.locator("input.code")
    enter(page, code[:-1])

    field.press("Enter")
    expect(page.locator(".error:visible")).to_have_text("6 digits, please.")
    press(page, "Continue")
    expect(field).to_be_focused()

    expect(page.locator(".facts")).to_contain_text("3 tries are left")
    expect(page.locator("#panel li").filter(has_text="/auth/otp/verify")).to_have_count(0)
    field.press("End")
    enter(page, code[-1])
    expect_heading(page, "Recovery codes")


def test_a_pasted_code_may_have_spaces_and_sends_itself(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    begin_sign_up(page, number)
    code = latest_code(page, number)
    page.evaluate("text => navigator.clipboard.writeText(text)", f" {code[:3]} {code[3:]} ")

    page.locator("input.code").press("Control+V")

    expect_heading(page, "Recovery codes")


def test_whom_no_text_reaches_is_called_instead(page: Page, inbox: Inbox) -> None:
    number = NUMBER_OF[Behaviour.VOICE_ONLY]
    begin_sign_up(page, number)
    expect(page.locator("[data-delivery=failed]")).to_contain_text("didn’t get through. Choose another way.")
    expect(page.get_by_role("button", name="Send a new text")).to_have_count(0)
    expect(page.locator("input.code")).to_have_count(0)
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    expect(page.locator(".facts")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    press(page, "Call me instead")
    expect(page.get_by_text("by phone call")).to_be_visible()
    enter(page, inbox.next_code(number))

    expect_heading(page, "Recovery codes")


def test_what_the_operator_refuses_shows_by_itself(page: Page) -> None:
    begin_sign_up(page, NUMBER_OF[Behaviour.REFUSED_BY_OPERATOR])

    expect(page.locator("[data-delivery=failed]")).to_contain_text("didn’t get through")
    expect(page.get_by_role("button", name="Send a new text")).to_be_enabled()


def test_an_expired_code_has_a_way_on(chromium: Browser) -> None:
    with (
        started_site(*FLEETING) as site,
        opened_screens(chromium, site, "expired") as screens,
    ):
        page = screens.open()
        begin_sign_up(page, "+46701740605")
        expect_heading(page, "This code has ended")

        follow(page, "Sign up again")
        expect(page.locator("[name=phone_number]")).to_have_value("+46701740605")
        expect(page.locator("[name=password]")).to_be_empty()


def test_a_reload_in_the_middle_of_a_login_goes_on(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    begin_sign_up(page, number)
    enter(page, WRONG)
    expect(page.locator(".error:visible")).to_be_visible()

    page.reload()

    expect_heading(page, "Confirm your phone")
    expect(page.locator(".facts")).to_contain_text("2 tries are left")
    expect(page.locator(".countdown")).to_contain_text("in 0:")
    enter(page, latest_code(page, number))
    expect_heading(page, "Recovery codes")
    page.reload()
    expect(page.get_by_text("Recovery codes are shown once")).to_be_visible()


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_countdowns_are_right_where_the_clock_is_wrong(
    page: Page, new_number: NewNumber, hours: int
) -> None:
    number = new_number()
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=hours))
    begin_sign_up(page, number)

    expect(page.locator(".facts")).to_contain_text("Time left: 4:")
    expect(page.locator(".countdown")).to_contain_text("in 0:")
    enter(page, latest_code(page, number))
    keep_codes(page)
    sign_out(page)
    begin_log_in(page, number)
    press(page, "Use a recovery code")

    expect(page.locator(".facts")).to_contain_text("Time left: 9:")


def test_the_page_can_be_skipped_to(page: Page) -> None:
    page.goto(DEMO)
    expect_heading(page, "Log in")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.locator("[name=identifier]")).to_be_focused()


def test_the_back_button_leads_to_the_form_and_never_into_a_used_code(
    page: Page, new_number: NewNumber
) -> None:
    number = new_number()
    page.goto(DEMO)
    follow(page, "Create an account")
    fill(page, phone_number=number, password=PASSWORD)
    press(page, "Create account")
    expect_heading(page, "Confirm your phone")

    page.go_back()
    expect_heading(page, "Create an account")
    expect(page.locator("[name=phone_number]")).to_have_value(number)
    page.go_forward()
    expect_heading(page, "Confirm your phone")
    page.go_back()
    page.go_back()
    expect_heading(page, "Log in")
    follow(page, "Enter it")
    enter(page, latest_code(page, number))
    keep_codes(page)
    page.go_back()
    expect_heading(page, "Recovery codes")
    page.go_back()

    expect_heading(page, "Profile")
    page.get_by_role("link", name="Security").click()
    page.get_by_role("link", name="Sessions").click()
    expect_heading(page, "Sessions")
    page.go_back()
    expect_heading(page, "Security")


def test_empty_fields_are_named_and_the_first_gets_the_focus(page: Page) -> None:
    page.goto(DEMO)

    press(page, "Log in")

    expect(page.locator(".error:visible")).to_have_text(["Fill this in.", "Fill this in."])
    expect(page.locator("[name=identifier]")).to_be_focused()


REFUSED = [
    ({"phone_number": "12", "password": PASSWORD}, "phone_number", "with + and the country code"),
    ({"phone_number": "+46 1", "password": PASSWORD}, "phone_number", "with + and the country code"),
    ({"phone_number": "+46701740606", "password": "short"}, "password", "use at least 8 characters"),
    ({"phone_number": "+46701740606", "password": "password1"}, "password", "easy to guess"),
]


def test_a_refused_field_is_marked(page: Page) -> None:
    page.goto(f"{DEMO}#/sign-up")
    for fields, name, words in REFUSED:
        fill(page, **fields)

        press(page, "Create account")

        expect(page.locator(".error:visible")).to_contain_text(words)
        expect(page.locator(f"[name={name}]")).to_be_focused()


def test_a_wrong_password_is_said_above_the_form(page: Page, new_number: NewNumber) -> None:
    page.goto(DEMO)

    begin_log_in(page, new_number())

    expect(page.get_by_role("alert")).to_contain_text("Login and password don’t belong together")


def test_a_taken_number_leads_to_the_login(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    sign_up(page, number)
    sign_out(page)
    begin_sign_up(page, number)
    enter(page, latest_code(page, number))

    expect_heading(page, "There is an account already")
    follow(page, "Log in")
    expect(page.locator("[name=identifier]")).to_have_value(number)
    log_in(page, number)


def test_there_is_a_sentence_for_each_refusal(page: Page) -> None:
    page.goto(DEMO)

    codes = page.evaluate("async () => (await import('/demo/refusals.js')).CODES")

    assert set(codes) == set(all_refusals())
