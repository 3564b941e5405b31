"""The page to try the API does what the quick start says: the walk by hand.

Its markup is Swagger UI's, and has barriers (contrast, buttons in a button) that aren't ours to mend.
"""

import json

from playwright.sync_api import Locator, Page, expect

from browser.calls import latest_code
from browser.conftest import NewNumber
from support.service import PASSWORD, Json


def test_the_walk_by_hand(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    page.goto("/docs")

    pending = execute(page, "register", {"phone_number": number, "password": PASSWORD})
    authorize(page, "PendingToken", pending["pending_token"])
    tokens = execute(page, "verifyCode", {"code": latest_code(page, number)})
    authorize(page, "AccessToken", tokens["access_token"])

    assert execute(page, "getMe")["phone_number"] == number


def test_authorize_asks_for_what_a_person_can_paste(page: Page) -> None:
    page.goto("/docs")

    page.get_by_role("button", name="Authorize", exact=True).click()

    schemes = page.locator(".auth-container h4 code")
    expect(schemes).to_have_text(["PendingToken", "AccessToken", "ResetToken", "ServiceClient"])
    # The first token of the walk has the focus.
    expect(scheme(page, "PendingToken").get_by_role("textbox")).to_be_focused()


def execute(page: Page, name: str, body: Json | None = None) -> Json:
    """Open an operation, press Execute and return the good answer."""
    heading = page.locator(f".opblock-summary-operation-id:text-is('{name}')")
    operation = page.locator(".opblock").filter(has=heading)
    operation.locator(".opblock-summary-control").click()
    if body is not None:
        operation.locator("textarea").fill(json.dumps(body))
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("20")
    content: Json = json.loads(answer.locator(".response-col_description pre").first.inner_text())
    return content


def authorize(page: Page, name: str, token: str) -> None:
    page.get_by_role("button", name="Authorize", exact=True).click()
    form = scheme(page, name)
    form.get_by_role("textbox").fill(token)
    form.get_by_role("button", name="Apply credentials").click()
    form.get_by_role("button", name="Close").click()


def scheme(page: Page, name: str) -> Locator:
    return page.locator(".auth-container").filter(has=page.locator(f"h4 code:text-is('{name}')"))
