"""The whole page of the TypeScript client's README, as somebody has it who copied it."""

import pytest
from playwright.sync_api import Page, expect

from browser.calls import latest_code
from browser.conftest import NewNumber
from browser.demo_person import WRONG
from support.documents import ADDRESS, ROOT, block
from support.service import PASSWORD
from support.site import Site

HERE = "/my-page/"
CLIENT = ROOT / "src/otp_auth/demo/otp-auth-client.js"


@pytest.fixture
def mine(page: Page) -> Page:
    """The page, served from the service's own origin."""
    written = block("clients/typescript/README.md", "html")
    address = ADDRESS.replace("127.0.0.1", "localhost")
    assert written.count(f'"{address}"') == 1
    body = written.replace(f'"{address}"', "location.origin")
    page.route(f"**{HERE}", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.route(f"**{HERE}otp-auth-client.js", lambda route: route.fulfill(path=CLIENT))
    page.goto(HERE)
    return page


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()


def begin(page: Page, number: str, button: str) -> None:
    page.get_by_label("Phone number").fill(number)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_label("Code")).to_be_visible()


def test_it_registers_logs_out_and_in(mine: Page, new_number: NewNumber) -> None:
    number = new_number()
    begin(mine, number, "Register")
    enter(mine, "123")
    expect(mine.locator("#news")).to_have_text("The code has 6 digits.")
    enter(mine, WRONG)
    expect(mine.locator("#news")).to_have_text("Not the code. 2 tries left.")
    mine.reload()
    enter(mine, latest_code(mine, number))
    expect(mine.locator("#recovery")).to_contain_text("-")
    assert len(mine.locator("#recovery").inner_text().split()) == 10
    mine.get_by_role("button", name="I have kept them").click()
    expect(mine.locator("#me")).to_have_text(f"You are {number}.")
    mine.reload()
    expect(mine.locator("#me")).to_have_text(f"You are {number}.")

    mine.get_by_role("button", name="Log out").click()
    begin(mine, number, "Log in")
    enter(mine, latest_code(mine, number))

    expect(mine.locator("#me")).to_have_text(f"You are {number}.")


def test_a_call_helps_where_no_text_arrives(mine: Page, site: Site, new_number: NewNumber) -> None:
    number = new_number()
    no_route = {"on": "start", "kind": "status", "value": 42201, "times": 1}
    assert mine.request.put(f"{site.inbox_address}faults", data=no_route).ok
    begin(mine, number, "Register")

    mine.get_by_role("button", name="Call me").click()
    expect(mine.get_by_role("button", name="Call me")).to_be_hidden()
    enter(mine, latest_code(mine, number))

    expect(mine.get_by_role("button", name="I have kept them")).to_be_visible()
