"""The rules around the refresh cookie: which header, which cookies, which bodies, and whose pages."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from api_surface import JSON_TYPE, code_of, everything_stored, operations

from conftest import NewService
from otp_auth.api import cookies
from otp_auth.api.openapi import openapi
from support.browser import COOKIE, COOKIE_MODE, Browser, granted, opened_browser, set_cookie
from support.service import API, Service, new_number

BODY_MODE: dict[str, str] = {}
REFRESH, LOGOUT = f"{API}/auth/token/refresh", f"{API}/auth/logout"
ORIGIN = "https://app.example.com"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(cors_origins=ORIGIN) as running:
        yield running


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    async with opened_browser(service) as opened:
        yield opened


async def lives(browser: Browser, access_token: str) -> bool:
    return (await browser.service.get("/me", access_token)).status_code == 200


class TestHeader:
    @pytest.mark.parametrize("value", ["cookie", "Cookie", "COOKIE"])
    async def test_capitals_in_the_header_do_not_matter(self, browser: Browser, value: str) -> None:
        await browser.register(new_number())

        assert set_cookie(await browser.refresh(mode={"x-token-transport": value}))["value"]

    @pytest.mark.parametrize("value", ["", "body", "cookies", "cookie, body", "true", "\xff", "c" * 5_000])
    async def test_anything_else_in_the_header_is_body_mode(self, browser: Browser, value: str) -> None:
        tokens = await browser.service.register(new_number())
        headers = [(b"X-Token-Transport", value.encode("latin-1"))]

        answer = await browser.http.post(
            REFRESH, json={"refresh_token": tokens["refresh_token"]}, headers=headers
        )

        assert granted(answer)["refresh_token"]
        assert "set-cookie" not in answer.headers


class TestNames:
    @pytest.mark.parametrize("before", ["\x85", "\xa0", "\x0b", "\x1c"])
    async def test_what_is_no_white_space_makes_another_name(self, browser: Browser, before: str) -> None:
        """A neighbouring site may set a cookie of such a name: its prefix is none to a browser."""
        await browser.register(new_number())
        tokens = await browser.service.register(new_number())
        cookie = f"{before}{COOKIE}={tokens['refresh_token']}".encode("latin-1")
        headers = [(b"X-Token-Transport", b"cookie"), (b"Cookie", cookie)]
        browser.http.cookies.clear()

        answer = await browser.http.post(REFRESH, headers=headers)

        assert code_of(answer) == "invalid_token"


class TestBodies:
    @pytest.mark.parametrize("mode", [BODY_MODE, COOKIE_MODE], ids=["body mode", "cookie mode"])
    @pytest.mark.parametrize("body", [b"", b"{}", b"null"], ids=repr)
    async def test_no_token_at_all_is_unauthorized(
        self, browser: Browser, mode: dict[str, str], body: bytes
    ) -> None:
        headers = mode | (JSON_TYPE if body else {})

        assert code_of(await browser.http.post(REFRESH, content=body, headers=headers)) == "invalid_token"

    @pytest.mark.parametrize("mode", [BODY_MODE, COOKIE_MODE], ids=["body mode", "cookie mode"])
    @pytest.mark.parametrize("with_cookie", [False, True], ids=["no cookie", "cookie"])
    @pytest.mark.parametrize(
        ("body", "kind", "code"),
        [
            pytest.param(b'{"refresh_token": 1}', JSON_TYPE, "validation_failed", id="type"),
            pytest.param(b'{"refresh_token": null}', JSON_TYPE, "validation_failed", id="null"),
            pytest.param(b'{"refresh_token": ""}', JSON_TYPE, "validation_failed", id="empty"),
            pytest.param(b'{"unknown": 1}', JSON_TYPE, "validation_failed", id="field"),
            pytest.param(b"{", JSON_TYPE, "malformed_request", id="JSON"),
            pytest.param(b"a" * 70_000, JSON_TYPE, "payload_too_large", id="size"),
            pytest.param(b"{}", {"Content-Type": "text/plain"}, "unsupported_media_type", id="media type"),
        ],
    )
    async def test_a_bad_body_spends_nothing(
        self,
        browser: Browser,
        mode: dict[str, str],
        with_cookie: bool,
        body: bytes,
        kind: dict[str, str],
        code: str,
    ) -> None:
        if with_cookie:
            await browser.register(new_number())

        answer = await browser.http.post(REFRESH, content=body, headers=mode | kind)

        assert code_of(answer) == code
        assert not with_cookie or (await browser.refresh()).status_code == 200


STRANGE: dict[str, Callable[[str], list[str]]] = {
    "two": lambda token: [f"{COOKIE}={token}; {COOKIE}={token}"],
    "two, one of them another's": lambda token: [f"{COOKIE}=x; {COOKIE}={token}"],
    "two headers": lambda token: [f"{COOKIE}={token}", f"{COOKIE}={token}"],
    "513 characters": lambda _: [f"{COOKIE}=" + "a" * 513],
    "16 kB": lambda _: [f"{COOKIE}=" + "a" * 16_000],
    "of bytes": lambda _: [f"{COOKIE}=\xff\xfe\x00"],
    "in quotes": lambda token: [f'{COOKIE}="{token}"'],
    "of another name": lambda token: [f"__Host-{COOKIE}={token}"],
    "of a longer name": lambda token: [f"x{COOKIE}={token}"],
    "in capitals": lambda token: [f"{COOKIE.upper()}={token}"],
    "empty": lambda _: [f"{COOKIE}="],
    "without =": lambda _: [COOKIE],
    "a thousand": lambda _: ["; ".join(f"{COOKIE}={number}" for number in range(1_000))],
    "nothing but separators": lambda _: [";=;;= ;"],
}

NO_COOKIE = {
    "of another name",
    "of a longer name",
    "in capitals",
    "empty",
    "without =",
    "nothing but separators",
}


class TestStrangeCookies:
    @pytest.mark.parametrize("name", STRANGE)
    @pytest.mark.parametrize("path", [REFRESH, LOGOUT])
    async def test_they_are_no_token(self, service: Service, name: str, path: str) -> None:
        token = (await service.register(new_number()))["refresh_token"]
        sent = [(b"cookie", value.encode("latin-1")) for value in STRANGE[name](token)]
        before = await everything_stored(service.database)

        answer = await service.http.post(path, headers=[*sent, (b"x-token-transport", b"cookie")])

        # A logout doesn't tell whether a token is known, nor does it have to be: the cookie is cleared.
        is_taken = path == LOGOUT and name not in NO_COOKIE
        assert (204 if is_taken else 401) == answer.status_code
        assert await everything_stored(service.database) == before

    @pytest.mark.parametrize(
        "spelling",
        ["a=b; {0}={1}; c=d", "{0}={1};", " {0} = {1} ", "a;{0}={1}"],
    )
    async def test_others_beside_it_do_not_matter(self, service: Service, spelling: str) -> None:
        token = (await service.register(new_number()))["refresh_token"]
        headers = COOKIE_MODE | {"Cookie": spelling.format(COOKIE, token)}

        assert (await service.http.post(REFRESH, headers=headers)).status_code == 200

    async def test_no_other_route_reads_it(self, browser: Browser) -> None:
        await browser.register(new_number())
        protected = [each for each in operations(browser.service.app) if each.credential]

        answers = {
            each.name: await browser.http.request(each.method, each.path, headers=COOKIE_MODE)
            for each in protected
            if each.name != "logOut"
        }

        assert {answer.status_code for answer in answers.values()} == {401}
        assert (await browser.refresh()).status_code == 200


FORMS = {
    "text/plain": b'{"refresh_token": "x", "a": "=b"}',
    "application/x-www-form-urlencoded": b"everywhere=true",
    "multipart/form-data; boundary=b": b"--b--",
}


class TestOtherSites:
    """What a page of another site can have a browser send: no header of its own, and these media types."""

    async def forge(self, browser: Browser) -> list[httpx.Response]:
        """Were SameSite not there, the cookie would come along."""
        foreign = {"Origin": "https://evil.example"}
        empty = [await browser.http.post(path, headers=foreign) for path in (REFRESH, LOGOUT)]
        return empty + [
            await browser.http.post(path, content=form, headers=foreign | {"Content-Type": kind})
            for path in (REFRESH, LOGOUT)
            for kind, form in FORMS.items()
        ]

    async def test_a_form_gets_nothing_and_changes_nothing(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())
        before = await everything_stored(browser.service.database)

        answers = await self.forge(browser)

        assert {answer.status_code for answer in answers} == {403, 415}
        assert not [answer for answer in answers if "access-control-allow-origin" in answer.headers]
        assert not [answer for answer in answers if "set-cookie" in answer.headers]
        assert await everything_stored(browser.service.database) == before
        assert await lives(browser, tokens["access_token"])

    async def test_without_the_rule_of_the_header_it_would(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens = await browser.register(new_number())
        monkeypatch.setattr(cookies, "_means_cookie", lambda _: True)

        statuses = [answer.status_code for answer in await self.forge(browser)]

        assert {200, 204} <= set(statuses)
        assert not await lives(browser, tokens["access_token"])

    @pytest.mark.parametrize("path", [REFRESH, LOGOUT, f"{API}/auth/otp/verify"])
    async def test_only_a_listed_origin_may_send_the_header(self, service: Service, path: str) -> None:
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,x-token-transport",
        }

        ours = await service.http.options(path, headers=asked | {"Origin": ORIGIN})
        foreign = await service.http.options(path, headers=asked | {"Origin": "https://evil.example"})

        assert (ours.status_code, foreign.status_code) == (200, 400)
        assert ours.headers["access-control-allow-origin"] == ORIGIN
        assert ours.headers["access-control-allow-credentials"] == "true"
        assert "access-control-allow-origin" not in foreign.headers

    async def test_a_listed_origin_can_read_the_answer(self, browser: Browser) -> None:
        await browser.register(new_number())

        answer = await browser.refresh(mode=COOKIE_MODE | {"Origin": ORIGIN})

        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "set-cookie" in answer.headers


class TestDocument:
    def test_the_header_is_documented_where_it_counts(self, service: Service) -> None:
        described = {
            each.name: [part for part in each.description.get("parameters", ()) if part["in"] == "header"]
            for each in operations(service.app)
        }
        with_header = {name: parts for name, parts in described.items() if parts}

        assert set(with_header) == {"logIn", "verifyCode", "refreshTokens", "logOut", "deleteMe"}
        for [part] in with_header.values():
            assert (part["name"], part["required"]) == ("X-Token-Transport", False)
            assert "cookie" in part["description"]

    def test_the_cookie_is_a_credential_of_refresh_and_logout(self, service: Service) -> None:
        document = openapi(service.app)
        scheme = document["components"]["securitySchemes"]["RefreshCookie"]
        security = {
            each.name: each.description["security"]
            for each in operations(service.app)
            if {"RefreshCookie": []} in each.description.get("security", ())
        }

        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", "__Host-refresh")
        assert security == {
            "refreshTokens": [{"RefreshCookie": []}, {}],
            "logOut": [{"AccessToken": []}, {"RefreshCookie": []}],
        }
