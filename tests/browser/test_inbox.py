"""The inbox page at /sandbox/: what a phone received, as it comes."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from browser.calls import latest_code, log_in, messages, register, verify
from browser.conftest import NewNumber
from browser.inbox import Inbox, messages_on
from browser.screens import Screens
from otp_auth.simulator.numbers import NUMBERS, Behaviour
from support.site import Site

INBOX = "/sandbox/"
REFUSED = "+46701740633"


def test_a_message_appears_by_itself(site: Site, page: Page, new_number: NewNumber) -> None:
    asked: list[str] = []
    page.goto(INBOX)
    expect(page.locator("#connection")).to_have_text("Live")
    page.on("request", lambda request: asked.append(request.url))
    number = new_number()

    register(site, number)

    message = messages_on(page).first
    expect(message.locator(".to")).to_have_text(number)
    expect(message.locator(".code")).to_have_text(latest_code(page, number))
    expect(message.locator(".method")).to_have_text("Text message")
    expect(message.locator(".status")).to_have_text("Delivered")
    expect(message.locator(".age")).to_have_text("just now")
    expect(message.locator(".exact")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    assert asked == []  # it was told


def test_every_tab_shows_it(site: Site, page: Page, new_number: NewNumber) -> None:
    tabs = [page, page.context.new_page(), page.context.new_page()]
    for tab in tabs:
        tab.goto(INBOX)
        expect(tab.locator("#connection")).to_have_text("Live")
    number = new_number()

    register(site, number)

    for tab in tabs:
        expect(messages_on(tab).first.locator(".to")).to_have_text(number)


@pytest.mark.parametrize(
    ("method", "words"), [("voice", "Phone call"), ("flashcall", "Flash call"), ("whatsapp", "WhatsApp")]
)
def test_the_method_is_shown(site: Site, page: Page, new_number: NewNumber, method: str, words: str) -> None:
    page.goto(INBOX)
    number = new_number()

    register(site, number, method)

    message = messages_on(page).filter(has_text=number)
    expect(message.locator(".method")).to_have_text(words)
    expect(message.locator(".code")).to_have_text(latest_code(page, number))


def test_what_does_not_arrive_is_shown_as_such(site: Site, page: Page) -> None:
    page.goto(f"{INBOX}?to={quote(REFUSED)}")

    register(site, REFUSED)

    expect(messages_on(page).first.locator(".status")).to_have_text("Not delivered")


def test_texts_are_never_markup(page: Page, new_number: NewNumber) -> None:
    number = new_number()
    page.route(
        "**/stream",
        lambda route: route.fulfill(
            body=stream(number, "<img src=x onerror=alert(1)>"), headers={"content-type": "text/event-stream"}
        ),
    )
    page.goto(INBOX)

    expect(messages_on(page).locator(".text")).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator("#messages img").count() == 0


def test_the_inbox_can_be_emptied(site: Site, page: Page, new_number: NewNumber) -> None:
    number = new_number()
    register(site, number)
    page.goto(INBOX)
    expect(messages_on(page).first).to_contain_text(number)

    page.get_by_role("button", name="Empty inbox").click()

    expect(messages_on(page)).to_have_count(0)
    expect(page.locator("#nothing")).to_contain_text("Nothing yet")
    expect(page.get_by_role("status")).to_have_text("The inbox is empty.")
    assert messages(page, number) == []


class TestCopying:
    def test_a_code_goes_to_the_clipboard(self, site: Site, page: Page, new_number: NewNumber) -> None:
        number = new_number()
        register(site, number)
        page.goto(INBOX)
        button = messages_on(page).first.get_by_role("button")
        code = messages_on(page).first.locator(".code").inner_text()
        expect(button).to_have_accessible_name(f"Copy the code {code}")

        button.click()

        expect(button).to_have_text("Copied")
        expect(button).to_be_focused()
        expect(page.get_by_role("status")).to_have_text(f"Copied the code {code}")
        assert page.evaluate("navigator.clipboard.readText()") == code
        expect(button).to_have_text("Copy")  # for the next time

    def test_a_number_goes_to_the_clipboard(self, page: Page) -> None:
        page.goto(INBOX)
        shown = page.locator("#numbers > li")
        expect(shown).to_have_count(len(NUMBERS))

        for item, built_in in zip(shown.all(), NUMBERS, strict=True):
            expect(item).to_contain_text(built_in.description)
            item.get_by_role("button", name=f"Copy {built_in.number}").click()
            expect(page.get_by_role("status")).to_contain_text(f"Copied {built_in.number}")
            assert page.evaluate("navigator.clipboard.readText()") == built_in.number

    @pytest.mark.parametrize(
        "refusal",
        [
            pytest.param("delete Navigator.prototype.clipboard", id="a page from afar without TLS"),
            pytest.param(
                "Clipboard.prototype.writeText = () => Promise.reject(new Error('no'))", id="refused"
            ),
        ],
    )
    def test_without_a_clipboard_the_text_is_selected(
        self, site: Site, page: Page, new_number: NewNumber, refusal: str
    ) -> None:
        page.add_init_script(refusal)
        register(site, new_number())
        page.goto(INBOX)
        button = messages_on(page).first.get_by_role("button")

        button.click()

        expect(button).to_have_text("Ctrl+C")
        expect(page.get_by_role("status")).to_contain_text("press Ctrl+C")
        code = messages_on(page).first.locator(".code").inner_text()
        assert page.evaluate("getSelection().toString()") == code


class TestFilter:
    def test_a_link_shows_one_number_only(self, site: Site, page: Page, new_number: NewNumber) -> None:
        one, other = new_number(), new_number()
        register(site, one)
        register(site, other)
        for plus in ("%2B", "+", "%20", "00"):  # of what people write for a plus
            page.goto(f"{INBOX}?to={plus}{one[1:]}")

            expect(messages_on(page).locator(".to")).to_have_text([one])
            expect(page.get_by_label("Only messages to this number")).to_have_value(one)

    def test_typing_narrows_and_is_kept_in_the_address(
        self, site: Site, page: Page, new_number: NewNumber
    ) -> None:
        one, other = new_number(), new_number()
        register(site, one)
        register(site, other)
        page.goto(INBOX)
        expect(messages_on(page).first).to_contain_text(other)

        page.get_by_label("Only messages to this number").fill(f" 00{one[1:3]} {one[3:]}")

        expect(messages_on(page).locator(".to")).to_have_text([one])
        expect(page).to_have_url(f"{site.inbox_address}?to={quote(one)}")
        page.reload()
        expect(messages_on(page).locator(".to")).to_have_text([one])
        page.get_by_role("button", name="Show all").click()
        expect(messages_on(page).first).to_contain_text(other)
        expect(page).to_have_url(site.inbox_address)

    def test_a_click_on_a_number_and_the_way_back(
        self, site: Site, page: Page, new_number: NewNumber
    ) -> None:
        one, other = new_number(), new_number()
        register(site, one)
        register(site, other)
        page.goto(INBOX)

        page.locator("#messages").get_by_role("link", name=one).click()

        expect(messages_on(page).locator(".to")).to_have_text([one])
        expect(page).to_have_url(f"{site.inbox_address}?to={quote(one)}")
        page.go_back()
        expect(messages_on(page).first).to_contain_text(other)
        expect(page.get_by_label("Only messages to this number")).to_have_value("")

    def test_it_says_why_nothing_comes(self, page: Page) -> None:
        (silent,) = [each for each in NUMBERS if each.behaviour is Behaviour.NEVER_DELIVERED]

        page.goto(f"{INBOX}?to={quote(silent.number)}")

        expect(page.locator("#nothing")).to_contain_text(f"Nothing to {silent.number}")
        expect(page.locator("#nothing")).to_contain_text(silent.description)


class TestForEverybody:
    def test_focus_stays_while_messages_come(self, site: Site, page: Page, new_number: NewNumber) -> None:
        number = new_number()
        pending = register(site, number)
        page.goto(INBOX)
        button = messages_on(page).first.get_by_role("button")
        name = button.get_attribute("aria-label")
        button.focus()
        verify(site, pending, latest_code(page, number))

        log_in(site, number)

        expect(messages_on(page).filter(has_text=number)).to_have_count(2)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == name

    def test_focus_is_not_lost_with_its_message(
        self, site: Site, screens: Screens, new_number: NewNumber
    ) -> None:
        register(site, new_number())
        page, other = screens.open(INBOX), screens.open(INBOX)
        messages_on(page).first.get_by_role("button").focus()

        other.get_by_role("button", name="Empty inbox").click()

        expect(page.get_by_role("heading", name="Messages")).to_be_focused()

    def test_news_is_spoken_and_what_was_there_is_not(
        self, site: Site, page: Page, new_number: NewNumber
    ) -> None:
        register(site, new_number())
        page.goto(INBOX)
        expect(messages_on(page).first).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("")
        number = new_number()

        register(site, number)

        spelt = " ".join(latest_code(page, number))
        expect(page.get_by_role("status")).to_have_text(f"New for {number}: code {spelt}")

    def test_the_keyboard_is_enough(self, site: Site, page: Page, new_number: NewNumber) -> None:
        number = new_number()
        register(site, number)
        page.goto(INBOX)
        expect(messages_on(page).first).to_contain_text(number)

        page.get_by_label("Only messages to this number").focus()
        page.keyboard.type(number)
        expect(messages_on(page)).to_have_count(1)
        for _ in range(4):  # Show all, Empty inbox, the number, Copy
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        code = latest_code(page, number)
        expect(page.get_by_role("status")).to_have_text(f"Copied the code {code}")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"

    def test_a_tab_that_nobody_sees_gives_its_connection_back(
        self, site: Site, page: Page, inbox: Inbox, new_number: NewNumber
    ) -> None:
        page.goto(INBOX)
        expect(page.locator("#connection")).to_have_text("Live")
        hide(page, "true")
        number = new_number()
        register(site, number)
        inbox.next_code(number)
        assert messages_on(page).filter(has_text=number).count() == 0

        hide(page, "false")

        expect(messages_on(page).filter(has_text=number)).to_have_count(1)


def hide(page: Page, hidden: str) -> None:
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))"
    )


def stream(number: str, text: str) -> str:
    message = (
        f'{{"id": "1", "verification_id": "2", "method": "sms", "to": "{number}", "code": "1", '
        f'"text": "{text}", "status": "delivered", "created_at": "2026-01-02T03:04:05Z"}}'
    )
    return f"event: messages\ndata: [{message}]\n\n"
