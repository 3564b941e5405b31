"""What goes wrong in the pages of a test without anybody seeing it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# Chromium's own line about an answer: answers are judged by themselves.
_ABOUT_AN_ANSWER = "Failed to load resource: the server responded with a status of"
_WITHOUT_HOST = ("data", "blob", "about")
_REFUSALS = range(400, 500)


@dataclass
class Watch:
    """Notes what a test has to fail for, unless it said before that this may happen.

    That is: an error or a warning in the console, an exception that nobody caught, a request to another host,
    an answer that says failure. Only the API may refuse something (4xx): that is what pages have to show.
    """

    host: str
    _troubles: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)
    _hosts: set[str] = field(default_factory=set)

    def attach(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._exception)
        context.on("request", self._request)
        context.on("response", self._response)

    def allow(self, pattern: str) -> None:
        """From now on, and for what was before, don't fail for a line that this pattern is found in."""
        self._allowed.append(pattern)

    def allow_host(self, host: str) -> None:
        """Don't fail for requests to `host:port`."""
        self._hosts.add(host)

    @property
    def troubles(self) -> list[str]:
        return [line for line in self._troubles if not any(re.search(each, line) for each in self._allowed)]

    def assert_nothing_went_wrong(self) -> None:
        assert not self.troubles, "\n".join(self.troubles)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_ABOUT_AN_ANSWER):
            self._troubles.append(f"console {message.type}: {message.text}")

    def _exception(self, error: WebError) -> None:
        self._troubles.append(f"exception: {error.error.stack or error.error}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _WITHOUT_HOST and address.netloc not in {self.host, *self._hosts}:
            self._troubles.append(f"another host: {request.method} {request.url}")

    def _response(self, response: Response) -> None:
        is_refusal = response.status in _REFUSALS and urlsplit(response.url).path.startswith("/api/")
        if not response.ok and response.status >= _REFUSALS.start and not is_refusal:
            self._troubles.append(f"answer {response.status}: {response.request.method} {response.url}")
