"""The side panel of the demo app: what was asked and answered, without what is secret."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import NewNumber
from browser.demo_person import (
    DEMO,
    begin_sign_up,
    code_sent,
    enter,
    expect_heading,
    fill,
    follow,
    keep_codes,
    press,
    sign_out,
)
from support.service import PASSWORD

NASTY = """O'Hara "$(touch pwned)" `touch pwned` \\"""
TOKENS = re.compile(r'"(?:access_token|refresh_token|pending_token)": "(.*)"')


def open_entry(page: Page, text: str) -> str:
    entry = page.locator("#panel li").filter(has_text=text).first
    entry.locator("summary").click()
    return entry.locator("pre").all_inner_texts()[-1]


def test_requests_and_answers_show_without_secrets(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    begin_sign_up(page, number)
    code = code_sent(page, number)
    enter(page, code)
    expect_heading(page, "Recovery codes")
    recovery_codes = page.locator(".recovery-codes code").all_inner_texts()

    answers = [open_entry(page, "/auth/register"), open_entry(page, "/auth/otp/verify")]

    panel = page.locator("#panel").inner_text()
    assert number in panel
    assert "202" in panel
    kept = json.loads(page.evaluate("() => localStorage.getItem('otp-auth-demo')"))
    secrets = [
        PASSWORD,
        code,
        *(code[:6] for code in recovery_codes),
        kept["session"]["accessToken"],
        kept["session"]["refreshToken"],
    ]
    assert not [secret for secret in secrets if secret in panel]
    tokens = [token for answer in answers for token in TOKENS.findall(answer)]
    assert [len(token) for token in tokens] == [len("abcdef…")] * 3


def test_a_request_copied_as_curl_does_the_same(page: Page, new_number: NewNumber, tmp_path: Path) -> None:
    number = new_number()
    begin_sign_up(page, number)
    enter(page, code_sent(page, number))
    follow(page, "I have kept them")
    fill(page, display_name=NASTY)
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()

    open_entry(page, "PATCH")
    press(page, "Copy as curl")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("() => navigator.clipboard.readText()")
    token = json.loads(page.evaluate("() => localStorage.getItem('otp-auth-demo')"))["session"]["accessToken"]
    answer = in_a_shell(command, tmp_path, TOKEN=token)

    assert json.loads(answer)["display_name"] == NASTY
    assert list(tmp_path.iterdir()) == []


def test_secrets_of_a_copied_request_come_from_the_shell(
    page: Page, new_number: NewNumber, tmp_path: Path
) -> None:
    begin_sign_up(page, new_number())
    number = new_number()

    open_entry(page, "/auth/register")
    press(page, "Copy as curl")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("() => navigator.clipboard.readText()")
    assert PASSWORD not in command
    changed = re.sub(r"\+4670174\d{4}", number, command)
    answer = json.loads(in_a_shell(changed, tmp_path, PASSWORD=PASSWORD))

    assert answer["challenge"]["destination"] == f"•••••••• {number[-2:]}"


def in_a_shell(command: str, folder: Path, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", **variables}
    done = subprocess.run(  # noqa: S603 - what a person pastes
        ["/bin/sh", "-euc", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout


def test_the_panel_folds_and_stays_so(page: Page) -> None:
    page.goto(DEMO)
    expect(page.locator("#panel")).to_be_visible()

    press(page, "Requests")
    expect(page.locator("#panel")).to_be_hidden()
    page.reload()
    expect_heading(page, "Log in")

    expect(page.locator("#panel")).to_be_hidden()
    expect(page.get_by_role("button", name="Requests")).to_have_attribute("aria-expanded", "false")


def test_on_a_phone_the_panel_is_folded_at_first(phone: Page) -> None:
    phone.goto(DEMO)
    expect(phone.locator("#panel")).to_be_hidden()

    press(phone, "Requests")

    expect(phone.locator("#panel")).to_be_in_viewport()


@pytest.mark.parametrize("who", ["here", "in another tab"])
def test_who_comes_next_sees_nothing_of_who_left(page: Page, new_number: NewNumber, who: str) -> None:
    number = new_number()
    begin_sign_up(page, number)
    enter(page, code_sent(page, number))
    keep_codes(page)
    page.goto(f"{DEMO}#/sessions")
    expect_heading(page, "Sessions")
    open_entry(page, "/auth/register")
    expect(page.locator("#panel")).to_contain_text(number)

    if who == "here":
        sign_out(page)
    else:
        other = page.context.new_page()
        other.goto(DEMO)
        sign_out(other)
        expect_heading(page, "Log in")

    expect(page.locator("#panel")).not_to_contain_text(number)
    kept = page.evaluate("() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")
    assert number not in kept
