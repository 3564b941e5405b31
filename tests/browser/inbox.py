"""The inbox page, as the person with the phone reads it."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page


@dataclass
class Inbox:
    """Reads codes off the page, each of them once."""

    page: Page
    _read: set[str] = field(default_factory=set)

    def next_code(self, number: str) -> str:
        """Wait for a message to this number that came after those read before, and return its code."""
        self.page.goto(f"/sandbox/?{urlencode({'to': number})}")
        unread = "".join(f':not([data-message="{each}"])' for each in self._read)
        newest = messages_on(self.page).first.and_(self.page.locator(f"li{unread}"))
        self._read.add(newest.get_attribute("data-message") or "")
        return newest.locator(".code").inner_text()


def messages_on(page: Page) -> Locator:
    """Return the messages that the page shows, newest first."""
    return page.locator("#messages > li")
