"""The demo app in cookie mode, and what a page of another origin gets out of that cookie: nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Cookie, Page, expect

from browser.conftest import NewNumber
from browser.demo_person import DEMO, expect_heading, log_in, sign_out, sign_up
from browser.watch import Watch
from support.site import Site

REFRESH = "/api/v1/auth/token/refresh"
# What its author can try: with the header (needs a preflight), without it, and as a form would.
TRIES: dict[str, dict[str, Any]] = {
    "with the header": {"headers": {"X-Token-Transport": "cookie"}},
    "with a body": {"headers": {"Content-Type": "application/json"}, "body": "{}"},
    "unnoticed": {"mode": "no-cors"},
    "as a form": {"mode": "no-cors", "headers": {"Content-Type": "text/plain"}, "body": "{}"},
}
TRY = """async ([url, options]) => {
    try {
        const answer = await fetch(url, { method: 'POST', credentials: 'include', ...options });
        return { type: answer.type, status: answer.status, text: await answer.text() };
    } catch (error) {
        return { type: 'refused' };
    }
}"""


class _Hostile(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = b"<!doctype html><title>Win a prize</title><h1>Win a prize</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hostile_origin() -> Iterator[str]:
    """Return the host of a page on another port: another origin, but for cookies the same site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def cookie_page(page: Page) -> Page:
    """The demo, with its switch at the cookie."""
    page.goto(DEMO)
    expect_heading(page, "Log in")
    with page.expect_event("load"):
        page.get_by_role("radio", name="In a cookie").check()
    expect(page.get_by_role("radio", name="In a cookie")).to_be_checked()
    return page


def refresh_cookie(page: Page) -> Cookie:
    [cookie] = [each for each in page.context.cookies() if each["name"] == "refresh"]
    return cookie


def test_no_script_sees_the_refresh_token(cookie_page: Page, new_number: NewNumber) -> None:
    page, number = cookie_page, new_number()

    sign_up(page, number)

    cookie = refresh_cookie(page)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("() => document.cookie") == ""
    kept = page.evaluate("() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert number in kept
    assert cookie["value"] not in kept
    page.reload()
    expect_heading(page, "Profile")
    page.evaluate("async () => (await import('/demo/service.js')).auth.refreshTokens()")
    assert refresh_cookie(page)["value"] != cookie["value"]
    sign_out(page)
    assert "refresh" not in [each["name"] for each in page.context.cookies()]
    log_in(page, number)


def test_the_switch_signs_out_and_is_the_same_in_all_tabs(page: Page, new_number: NewNumber) -> None:
    sign_up(page, new_number())
    other = page.context.new_page()
    other.goto(f"{DEMO}#/security")
    expect_heading(other, "Security")

    page.get_by_role("radio", name="In a cookie").check()

    for tab in (page, other):
        expect_heading(tab, "Log in")
        expect(tab.get_by_role("radio", name="In a cookie")).to_be_checked()


def test_a_hostile_origin_gets_nothing_and_ends_nothing(
    cookie_page: Page, new_number: NewNumber, site: Site, watch: Watch
) -> None:
    page = cookie_page
    sign_up(page, new_number())
    cookie = refresh_cookie(page)["value"]
    watch.allow("blocked by CORS policy")
    watch.allow("net::ERR_FAILED")
    with hostile_origin() as host:
        watch.allow_host(host)
        hostile = page.context.new_page()
        hostile.goto(f"http://{host}/")
        sent = page.context.cookies(f"{site.address}{REFRESH}")
        assert cookie in [each["value"] for each in sent]  # it is sent along: what keeps it is the service

        for options in TRIES.values():
            answer = hostile.evaluate(TRY, [f"{site.address}{REFRESH}", options])
            assert answer.get("text", "") == "", options  # nothing that could be read
            assert answer["type"] == ("opaque" if "mode" in options else "refused"), options

    assert refresh_cookie(page)["value"] == cookie
    page.evaluate("async () => (await import('/demo/service.js')).auth.refreshTokens()")
    page.reload()
    expect_heading(page, "Profile")


def test_a_page_elsewhere_cannot_frame_the_demo(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("frame-ancestors")
    with hostile_origin() as host:
        watch.allow_host(host)
        page.goto(f"http://{host}/")
        page.evaluate(
            """url => new Promise((done) => {
                const frame = document.createElement('iframe');
                frame.onload = done;
                frame.src = url;
                document.body.append(frame);
            })""",
            f"{site.address}{DEMO}",
        )

        assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
