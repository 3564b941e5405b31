"""The account's pages of the demo app: authenticator app, phone, password, data."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from browser.conftest import NewNumber
from browser.demo_person import (
    CLIENT,
    DEMO,
    NAME,
    WRONG,
    begin_log_in,
    code_sent,
    enter,
    expect_heading,
    fill,
    follow,
    log_in,
    press,
    prove_phone,
    sign_out,
    sign_up,
)
from browser.inbox import Inbox
from support.authenticator import App
from support.service import PASSWORD

NEW_PASSWORD = "Gentle-Copper-Meadow-31"


def add_app(page: Page) -> App:
    """Set an authenticator app up that is asked for at each login. The present code is spent."""
    app = App(begin_app(page).replace(" ", ""))
    page.get_by_label("Ask for it at each login").check()
    fill(page, code=app.code())
    press(page, "Turn on")
    expect(page.get_by_text("Your authenticator app is on.")).to_be_visible()
    return app


def begin_app(page: Page) -> str:
    """Ask for an authenticator app, and return its key as it is shown: to be confirmed yet."""
    follow(page, "Security")
    follow(page, "Set up authenticator app")
    press(page, "Set up")
    expect(page.get_by_alt_text("QR code for your authenticator app")).to_be_visible()
    return page.locator(".key code").inner_text()


def test_an_authenticator_app_is_set_up_and_logs_in(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    sign_up(page, number)
    app = add_app(page)
    follow(page, "Activity")
    added = page.locator(".rows li").filter(has_text="A factor was added").first
    expect(added).to_contain_text("authenticator app")
    sign_out(page)

    begin_log_in(page, number)
    expect(page.get_by_label("Code of the app")).to_be_focused()
    enter(page, app.wrong_code())
    expect(page.locator(".error:visible")).to_contain_text("That isn’t the code.")
    enter(page, app.code(steps=1))

    expect_heading(page, "Profile")
    follow(page, "Security")
    expect(page.get_by_role("button", name="Remove authenticator app")).to_be_visible()


def test_a_reload_in_the_middle_of_an_apps_set_up_goes_on(page: Page, new_number: NewNumber) -> None:
    sign_up(page, new_number())
    key = begin_app(page)

    page.reload()
    expect(page.locator(".key code")).to_have_text(key)
    expect(page.get_by_alt_text("QR code for your authenticator app")).to_be_visible()
    fill(page, code=App(key.replace(" ", "")).code())
    press(page, "Turn on")

    expect(page.get_by_text("Your authenticator app is on.")).to_be_visible()
    assert page.evaluate("() => sessionStorage.getItem('otp-auth-demo.enrolment')") is None


def test_the_key_of_an_app_is_gone_once_its_page_was_left(page: Page, new_number: NewNumber) -> None:
    sign_up(page, new_number())
    key = begin_app(page)

    follow(page, "Security")
    expect(page.get_by_role("link", name="Set up authenticator app")).to_be_visible()
    assert key.replace(" ", "") not in page.evaluate("() => JSON.stringify(sessionStorage)")
    follow(page, "Set up authenticator app")

    expect(page.get_by_role("button", name="Set up")).to_be_visible()
    expect(page.locator(".key")).to_have_count(0)


def test_whoever_has_left_the_app_at_home_asks_for_a_text(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    sign_up(page, number)
    add_app(page)
    sign_out(page)
    begin_log_in(page, number)
    expect_heading(page, "Enter the code")

    press(page, "Text me a code")
    enter(page, code_sent(page, number))

    expect_heading(page, "Profile")


def test_a_recovery_code_logs_in_once(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    [code, *_] = sign_up(page, number)
    sign_out(page)
    begin_log_in(page, number)
    press(page, "Use a recovery code")
    fill(page, code=code.lower().replace("-", " "))
    press(page, "Continue")
    expect_heading(page, "Profile")
    sign_out(page)

    begin_log_in(page, number)
    press(page, "Use a recovery code")
    fill(page, code=code)
    press(page, "Continue")

    expect(page.locator(".error:visible")).to_contain_text("That isn’t the code.")


def test_the_phone_changes_once_the_new_one_has_answered(page: Page, new_number: NewNumber) -> None:
    old, new = new_number(), new_number()
    sign_up(page, old)
    follow(page, "Change phone number")
    fill(page, phone_number=new)
    press(page, "Send a code")
    expect_heading(page, "Confirm your new number")
    page.reload()
    expect_heading(page, "Confirm your new number")
    enter(page, WRONG)
    expect(page.locator(".error:visible")).to_be_visible()
    page.goto(f"{DEMO}#/account")
    expect(page.locator(".facts-list")).to_contain_text(old)
    page.goto(f"{DEMO}#/code")
    enter(page, code_sent(page, new))

    expect(page.get_by_text("Your phone number is changed.")).to_be_visible()
    expect(page.locator(".facts-list")).to_contain_text(new)


def test_the_password_changes_with_the_present_one(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    sign_up(page, number)
    follow(page, "Security")
    follow(page, "Change password")
    fill(page, current_password="Another-Wooden-Gate-77", new_password=NEW_PASSWORD)
    press(page, "Change password")
    expect(page.locator(".error:visible")).to_have_text("That isn’t your present password. Try again.")
    expect(page.locator("[name=current_password]")).to_be_focused()
    follow(page, "Activity")
    expect(page.get_by_role("heading", name="A wrong present password was entered")).to_be_visible()
    expect(page.get_by_role("heading", name="A login failed")).to_have_count(0)
    page.go_back()

    fill(page, current_password=PASSWORD, new_password=NEW_PASSWORD)
    press(page, "Change password")
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    sign_out(page)

    log_in(page, number, NEW_PASSWORD)


def test_a_forgotten_password_is_replaced_with_a_second_proof(
    page: Page, inbox: Inbox, new_number: NewNumber
) -> None:
    number = new_number()
    [code, *_] = sign_up(page, number)
    inbox.next_code(number)
    sign_out(page)
    prove_phone(page, inbox, number)
    page.reload()
    expect_heading(page, "Choose a new password")
    fill(page, new_password=NEW_PASSWORD, code=code)
    press(page, "Set password")

    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    log_in(page, number, NEW_PASSWORD)


def test_a_new_password_by_the_phone_alone_waits_and_can_be_stopped(
    page: Page, inbox: Inbox, new_number: NewNumber
) -> None:
    number = new_number()
    sign_up(page, number)
    inbox.next_code(number)
    sign_out(page)
    prove_phone(page, inbox, number)
    fill(page, new_password=NEW_PASSWORD)
    press(page, "Set password")
    expect(page.get_by_text("Your new password counts from")).to_be_visible()

    log_in(page, number)
    expect(page.get_by_text("A new password was set by phone.")).to_be_visible()
    press(page, "Stop the new password")

    expect(page.get_by_text("Stopped: your password stays as it is.")).to_be_visible()
    expect(page.get_by_text("A new password was set by phone.")).to_have_count(0)


def test_the_profile_is_saved_and_a_taken_address_is_named(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    sign_up(page, number)
    fill(page, display_name="Ada", email=f"ada{number[-3:]}@example.com")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.locator(".who")).to_have_text("Ada")
    sign_out(page)
    sign_up(page, new_number())

    fill(page, email=f"ada{number[-3:]}@example.com")
    press(page, "Save")

    expect(page.locator(".error:visible")).to_contain_text("Somebody else logs in with this address.")


def test_codes_from_an_app_that_is_gone_meanwhile_are_not_blamed_on_the_address(
    page: Page, new_number: NewNumber
) -> None:
    sign_up(page, new_number())
    add_app(page)
    follow(page, "Profile")
    expect(page.get_by_label("Codes come by")).to_have_value("totp")
    page.evaluate(f"async () => {{ {CLIENT} await auth.removeTotp(); }}")

    fill(page, email="ada.without.app@example.com")
    press(page, "Save")

    expect(page.get_by_text("you have no authenticator app any more")).to_be_visible()
    expect(page.get_by_label("Codes come by")).to_have_value("sms")


def test_the_data_come_as_a_file_and_the_account_goes(
    page: Page, new_number: NewNumber, tmp_path: Path
) -> None:
    number = new_number()
    sign_up(page, number)
    follow(page, "Your data")
    with page.expect_download() as download:
        press(page, "Download my data")
    download.value.save_as(tmp_path / "data.json")
    assert json.loads((tmp_path / "data.json").read_text())["user"]["display_name"] == NAME

    fill(page, word="no")
    press(page, "Delete my account")
    expect(page.locator(".error:visible")).to_contain_text("Type the word")
    fill(page, word="delete")
    press(page, "Delete my account")

    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    begin_log_in(page, number)
    expect(page.get_by_role("alert")).to_contain_text("Login and password don’t belong together")


def test_recovery_codes_can_be_kept(page: Page, new_number: NewNumber, tmp_path: Path) -> None:
    sign_up(page, new_number())
    follow(page, "Security")
    follow(page, "Make new recovery codes")
    expect(page.get_by_text("the old ones are void then")).to_be_visible()
    press(page, "Make new codes")
    expect(page.get_by_text("The codes from before are void.")).to_be_visible()
    codes = page.locator(".recovery-codes code").all_inner_texts()

    press(page, "Copy")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    with page.expect_download() as download:
        press(page, "Download")
    download.value.save_as(tmp_path / "codes.txt")

    assert len(codes) == 10
    assert page.evaluate("() => navigator.clipboard.readText()").split() == codes
    assert (tmp_path / "codes.txt").read_text().split() == codes
