"""The inbox page, as the person with the phone reads it."""

from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.sync_api import Page, expect


@dataclass
class Inbox:
    """Reads codes off the page, each of them once."""

    page: Page
    _read: Counter[str] = field(default_factory=Counter)

    def next_code(self, number: str) -> str:
        """Wait for a message to this number that wasn't read before, and return its code."""
        self._read[number] += 1
        self.page.goto(f"/sandbox/?{urlencode({'to': number})}")
        messages = self.page.locator("#messages > li").filter(has_text=number)
        expect(messages).to_have_count(self._read[number])
        return messages.first.locator(".code").inner_text()
