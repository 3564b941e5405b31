"""The page to try the service from: complete in itself, and without a script of its own inside."""

from html.parser import HTMLParser

import pytest
from api_surface import code_of

from conftest import NewService
from support.service import Service


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


class _Page(HTMLParser):
    """What a page loads, and what is written into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag
        self.loaded += [address for name in ("src", "href") if (address := given.get(name))]
        self.inline += [name for name in given if name.startswith("on") or name == "style"]

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)


def _policy(text: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in text.split(";"))}


async def test_the_page_loads_from_here_alone(service: Service) -> None:
    page = await service.http.get("/docs")

    contents = _Page(page.text)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert contents.loaded.pop(0) == "data:,"  # no icon: a browser would ask for one
    assert len(contents.loaded) == 3
    assert all(address.startswith("/docs/") for address in contents.loaded)
    assert contents.inline == []
    assert "//" not in page.text


async def test_the_policy_allows_no_script_but_ours(service: Service) -> None:
    policy = _policy((await service.http.get("/docs")).headers["content-security-policy"])

    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert not [source for sources in policy.values() for source in sources if "http" in source]


async def test_all_that_the_page_loads_is_there(service: Service) -> None:
    contents = _Page((await service.http.get("/docs")).text)
    loaded = [address for address in contents.loaded if address.startswith("/")]

    answers = {address: await service.http.get(address) for address in loaded}

    assert {answer.status_code for answer in answers.values()} == {200}
    kinds = {address: answer.headers["content-type"].partition(";")[0] for address, answer in answers.items()}
    assert kinds == {
        "/docs/assets/swagger-ui.css": "text/css",
        "/docs/assets/swagger-ui-bundle.js": "text/javascript",
        "/docs/start.js": "text/javascript",
    }


async def test_the_script_shows_the_document_of_this_service(service: Service) -> None:
    script = await service.http.get("/docs/start.js")
    document = await service.http.get("/openapi.json")

    assert '"/openapi.json"' in script.text
    assert "http" not in script.text
    assert document.json()["openapi"].startswith("3.")


async def test_an_asset_that_is_missing_is_a_problem_like_any_other(service: Service) -> None:
    answers = [
        await service.http.get(f"/docs/assets/{name}")
        for name in ("nothing.js", "..%2f..%2f__init__.py", "%2e%2e/__init__.py")
    ]

    assert {code_of(answer) for answer in answers} == {"not_found"}


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/assets/swagger-ui.css", "/openapi.json"])
async def test_production_shows_nothing_unless_told(new_service: NewService, path: str) -> None:
    async with new_service(environment="production") as closed:
        hidden = await closed.http.get(path)
    async with new_service(environment="production", docs=True) as opened:
        shown = await opened.http.get(path)

    assert [hidden.status_code, shown.status_code] == [404, 200]
