"""The demo app as it is served: its files, its guard, and nobody but `dev` has it."""

import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from importlib.resources.abc import Traversable

import httpx
import pytest

from otp_auth.demo.app import CLIENT, PAGE, create_demo
from support.service import Service

IMPORT = re.compile(r'^import .*? from "(\.[^"]+)";$', re.MULTILINE)
MARKUP = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style=")
LONGEST = 350


@pytest.fixture
async def demo() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_demo())
    async with httpx.AsyncClient(transport=transport, base_url="http://demo.invalid") as client:
        yield client


def scripts() -> list[tuple[str, Traversable]]:
    folders = {"": PAGE, "screens/": PAGE / "screens"}
    return [
        (prefix + file.name, file)
        for prefix, folder in folders.items()
        for file in folder.iterdir()
        if file.name.endswith(".js")
    ]


async def test_the_page_is_guarded(demo: httpx.AsyncClient) -> None:
    page = await demo.get("/")

    assert page.status_code == HTTPStatus.OK
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    for banned in ("style=", "<style", "onclick", "http://", "https://"):
        assert banned not in page.text
    assert page.text.count("<script") == page.text.count('<script type="module" src="main.js"') == 1


async def test_every_module_that_is_imported_is_served(demo: httpx.AsyncClient) -> None:
    for name, file in scripts():
        base = httpx.URL("http://demo.invalid").join(name)
        for imported in IMPORT.findall(file.read_text(encoding="utf-8")):
            answer = await demo.get(base.join(imported))
            assert answer.status_code == HTTPStatus.OK, (name, imported)
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_client_is_served(demo: httpx.AsyncClient) -> None:
    answer = await demo.get("/otp-auth-client.js")

    assert answer.content == CLIENT.read_bytes()


@pytest.mark.parametrize(
    "path", ["/app.py", "/../app.py", "/%2e%2e/app.py", "/screens/", "/screens", "/no.js"]
)
async def test_nothing_else_is_served(demo: httpx.AsyncClient, path: str) -> None:
    assert (await demo.get(path)).status_code == HTTPStatus.NOT_FOUND


def test_modules_are_short_and_make_no_markup_of_data() -> None:
    assert len(scripts()) > 20
    for name, file in scripts():
        text = file.read_text(encoding="utf-8")
        assert len(text.splitlines()) < LONGEST, name
        assert not [banned for banned in MARKUP if banned in text], name


async def test_the_service_alone_has_no_demo(service: Service) -> None:
    for path in ("/demo", "/demo/", "/demo/main.js"):
        assert (await service.http.get(path)).status_code == HTTPStatus.NOT_FOUND
