"""What an application asks the service for, beside the pages that are looked at."""

import httpx
from playwright.sync_api import Page

from support.service import PASSWORD, Json
from support.site import Site


def register(site: Site, number: str, method: str = "sms") -> Json:
    """Register; a code goes to the number. Return Pending."""
    form = {"phone_number": number, "password": PASSWORD, "method": method}
    return call(site, "POST", "/api/v1/auth/register", form)


def log_in(site: Site, number: str) -> Json:
    """Log in; a code goes to the number. Return Pending."""
    return call(site, "POST", "/api/v1/auth/login", {"identifier": number, "password": PASSWORD})


def verify(site: Site, pending: Json, code: str) -> Json:
    """Return what a right code earns."""
    return call(site, "POST", "/api/v1/auth/otp/verify", {"code": code}, pending["pending_token"])


def messages(page: Page, number: str) -> list[Json]:
    """Return what the simulator sent to a number, newest first, asked from where the page comes from."""
    answer = page.request.get("/sandbox/messages", params={"to": number}, fail_on_status_code=True)
    found: list[Json] = answer.json()
    return found


def latest_code(page: Page, number: str) -> str:
    """Return the newest code that this phone has got."""
    code: str = messages(page, number)[0]["code"]
    return code


def faults(site: Site) -> list[Json]:
    """Return what goes wrong in the simulator now."""
    found: list[Json] = httpx.get(f"{site.inbox_address}faults", trust_env=False).raise_for_status().json()
    return found


def call(site: Site, verb: str, path: str, body: Json, token: str = "") -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.request(verb, f"{site.address}{path}", json=body, headers=headers, trust_env=False)
    assert answer.is_success, answer.text
    content: Json = answer.json()
    return content
