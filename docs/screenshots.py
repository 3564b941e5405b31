# ruff: noqa: INP001 - a script, not a package
"""Takes the README's pictures: `./dev run python docs/screenshots.py`, where `./dev test-browser` works."""

import sys
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests"))  # what starts the service and the browser for the tests

from browser.calls import register  # noqa: E402
from browser.chromium import launched_browser  # noqa: E402
from browser.demo_person import begin_sign_up, follow, sign_up  # noqa: E402
from browser.inbox import messages_on  # noqa: E402
from browser.screens import DESKTOP, PHONE, Screens, opened_screens  # noqa: E402
from support.site import Site, started_site  # noqa: E402

FOLDER = ROOT / "docs" / "images"
LARGEST = 150_000  # bytes


def main() -> None:
    with started_site() as site, launched_browser() as browser, opened_screens(browser, site, "") as screens:
        FOLDER.mkdir(exist_ok=True)
        take_inbox(site, screens)
        take_demo(screens)


def take_inbox(site: Site, screens: Screens) -> None:
    """One message of each kind and one that didn't arrive; on the phone a fault is on."""
    register(site, "+46701740633")
    for number, method in (("612", "voice"), ("617", "flashcall"), ("605", "sms")):
        register(site, f"+46701740{number}", method)
    save(inbox(screens.open("/sandbox/", size=DESKTOP)), "inbox")
    fault = {"on": "report", "kind": "status", "value": 503, "times": 2}
    httpx.put(f"{site.inbox_address}faults", json=fault, trust_env=False).raise_for_status()
    save(inbox(screens.open("/sandbox/", size=PHONE, scheme="dark")), "inbox-phone")


def inbox(page: Page) -> Page:
    expect(messages_on(page)).to_have_count(4)
    expect(messages_on(page).locator(".status.sent")).to_have_count(0)
    return page


def take_demo(screens: Screens) -> None:
    """A code that is waited for, beside its requests; on the phone the account's security."""
    page = screens.open("/demo/", size=DESKTOP)
    page.locator("#panel").wait_for()
    begin_sign_up(page, "+46701740618")
    expect(page.locator("[data-delivery=delivered]")).to_be_visible()
    page.locator("#panel summary").last.click()
    save(page, "demo")
    page = screens.open("/demo/", size=PHONE, scheme="dark")
    sign_up(page, "+46701740619")
    follow(page, "Security")
    expect(page.get_by_role("link", name="Make new recovery codes")).to_be_visible()
    save(page, "demo-phone")


def save(page: Page, name: str) -> None:
    """Save what is seen without scrolling."""
    path = FOLDER / f"{name}.png"
    size = len(page.screenshot(path=path, animations="disabled"))
    if size > LARGEST:
        sys.exit(f"{path} has {size} bytes: too many for a README")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size} bytes\n")


if __name__ == "__main__":
    main()
