"""Cookie mode: the refresh token in a cookie, which counts beside its header and nowhere else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from api_surface import bearer, code_of, everything_stored, listening, problem_of
from sqlalchemy import func, select

from conftest import NewService
from otp_auth.audit.models import AuditEvent, EventName
from support.browser import COOKIE, COOKIE_MODE, Browser, granted, opened_browser, set_cookie
from support.service import API, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY_MODE: dict[str, str] = {}
REFRESH, LOGOUT = f"{API}/auth/token/refresh", f"{API}/auth/logout"
ORIGIN = "https://app.example.com"


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    async with opened_browser(service) as opened:
        yield opened


async def lives(browser: Browser, access_token: str) -> bool:
    return (await browser.service.get("/me", access_token)).status_code == 200


async def count(service: Service, name: EventName) -> int:
    async with service.database.read() as tx:
        found = select(func.count()).select_from(AuditEvent).where(AuditEvent.name == name.value)
        return await tx.scalar(found) or 0


class TestTheCookie:
    async def test_it_holds_the_token_and_the_body_does_not(self, browser: Browser) -> None:
        number = new_number()
        answer = await browser.verify(await browser.service.start_registration(number), number)

        body, cookie = granted(answer), set_cookie(answer)
        assert "refresh_token" not in body
        assert len(body["recovery_codes"]) == 10
        assert cookie == {
            "name": "refresh",
            "value": cookie["value"],
            "httponly": "True",
            "samesite": "strict",
            "path": "/",
            "max-age": str(body["refresh_expires_in"]),
        }
        assert cookie["value"] not in answer.text
        assert answer.headers["cache-control"] == "no-store"

    async def test_in_production_only_tls_and_only_this_host_get_it(self, new_service: NewService) -> None:
        async with new_service(environment="production") as service, opened_browser(service) as browser:
            number = new_number()
            first = await browser.verify(await service.start_registration(number), number)
            second = await browser.refresh()
            third = await browser.log_out()

        for answer in (first, second, third):
            cookie = set_cookie(answer)
            assert cookie["name"] == "__Host-refresh"
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == ("True", "True", "strict")
            assert cookie["path"] == "/"
            assert "domain" not in cookie
        assert set_cookie(second)["value"] != set_cookie(first)["value"]
        assert (set_cookie(third)["value"], set_cookie(third)["max-age"]) == ("", "0")

    async def test_it_ends_when_the_session_does(self, browser: Browser) -> None:
        with time_machine.travel(START, tick=False) as clock:
            await browser.register(new_number())
            for _ in range(4):
                clock.shift(timedelta(days=6, hours=23))
                answer = await browser.refresh()
            clock.shift(timedelta(days=2))
            last = await browser.refresh()

        assert set_cookie(answer)["max-age"] == str(2 * 86_400 + 4 * 3_600)
        assert set_cookie(last)["max-age"] == str(4 * 3_600)

    async def test_neither_token_nor_cookie_is_logged(self, browser: Browser) -> None:
        with listening() as log:
            await browser.register(new_number())
            first = browser.cookie
            await browser.refresh()
            await browser.log_out()

        assert first
        assert first not in log.text


class TestRefresh:
    async def test_the_cookie_is_spent_for_another(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())
        before = browser.cookie

        refreshed = granted(await browser.refresh())

        assert "refresh_token" not in refreshed
        assert refreshed["session_id"] == tokens["session_id"]
        assert browser.cookie not in {before, None}
        assert await lives(browser, refreshed["access_token"])
        assert granted(await browser.refresh({}))["session_id"] == tokens["session_id"]

    async def test_the_cookie_comes_before_the_body(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())
        other = await browser.service.register(new_number())

        refreshed = granted(await browser.refresh({"refresh_token": other["refresh_token"]}))

        assert refreshed["session_id"] == tokens["session_id"]

    async def test_without_a_cookie_the_body_moves_a_client_into_cookie_mode(self, browser: Browser) -> None:
        tokens = await browser.service.register(new_number())

        answer = await browser.refresh({"refresh_token": tokens["refresh_token"]})

        assert "refresh_token" not in granted(answer)
        assert set_cookie(answer)["value"] not in {"", tokens["refresh_token"]}
        assert granted(await browser.refresh())["session_id"] == tokens["session_id"]

    async def test_without_the_header_the_body_is_read_and_the_cookie_is_not(self, browser: Browser) -> None:
        await browser.register(new_number())
        other = await browser.service.register(new_number())
        before = browser.cookie

        answer = await browser.refresh({"refresh_token": other["refresh_token"]}, BODY_MODE)

        assert granted(answer)["session_id"] == other["session_id"]
        assert granted(answer)["refresh_token"]
        assert "set-cookie" not in answer.headers
        assert browser.cookie == before

    @pytest.mark.parametrize("body", [None, {}])
    async def test_a_cookie_without_its_header_is_refused_and_not_spent(
        self, browser: Browser, body: dict[str, str] | None
    ) -> None:
        await browser.register(new_number())
        before = await everything_stored(browser.service.database)

        answer = await browser.refresh(body, BODY_MODE)

        problem = problem_of(answer)
        assert (answer.status_code, problem["code"]) == (403, "not_allowed")
        assert "X-Token-Transport: cookie" in problem["detail"]
        assert await everything_stored(browser.service.database) == before
        assert "set-cookie" not in answer.headers

    async def test_a_refusal_never_clears_the_cookie(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())
        await browser.service.post("/auth/logout", token=tokens["access_token"])
        before = browser.cookie

        answer = await browser.refresh()

        assert code_of(answer) == "invalid_token"
        assert "set-cookie" not in answer.headers
        assert browser.cookie == before

    async def test_an_old_cookie_ends_its_session(self, browser: Browser) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await browser.register(new_number())
            stolen = browser.cookie or ""
            refreshed = granted(await browser.refresh())
            clock.shift(timedelta(seconds=10))
            browser.put(stolen)

            assert code_of(await browser.refresh()) == "invalid_token"
            assert not await lives(browser, refreshed["access_token"])
        assert await count(browser.service, EventName.REFRESH_REUSE) == 1
        assert tokens["session_id"] == refreshed["session_id"]


class TestLogout:
    async def test_the_cookie_is_enough_and_gone_afterwards(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())

        answer = await browser.log_out()

        cookie = set_cookie(answer)
        assert (answer.status_code, answer.content) == (204, b"")
        assert cookie == {
            "name": "refresh",
            "value": "",
            "httponly": "True",
            "samesite": "strict",
            "path": "/",
            "max-age": "0",
        }
        assert browser.cookie is None
        assert not await lives(browser, tokens["access_token"])
        assert await count(browser.service, EventName.LOGOUT) == 1

    @pytest.mark.parametrize("authorization", ["Bearer expired", "Basic YTpi", ""])
    async def test_a_useless_access_token_beside_it_does_not_matter(
        self, browser: Browser, authorization: str
    ) -> None:
        tokens = await browser.register(new_number())

        answer = await browser.log_out(mode=COOKIE_MODE | {"Authorization": authorization})

        assert answer.status_code == 204
        assert not await lives(browser, tokens["access_token"])

    async def test_an_access_token_beside_it_ends_its_own_session_too(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())
        other = await browser.service.register(new_number())

        await browser.log_out(token=other["access_token"])

        assert not await lives(browser, tokens["access_token"])
        assert not await lives(browser, other["access_token"])

    async def test_a_dead_cookie_does_not_hide_a_good_access_token(self, browser: Browser) -> None:
        number = new_number()
        tokens = await browser.service.register(number)
        elsewhere = await browser.service.log_in(number)
        browser.put("unknown")

        answer = await browser.log_out({"everywhere": True}, token=tokens["access_token"])

        assert set_cookie(answer)["max-age"] == "0"
        assert not await lives(browser, tokens["access_token"])
        assert not await lives(browser, elsewhere["access_token"])

    async def test_everywhere_works_too(self, browser: Browser) -> None:
        number = new_number()
        elsewhere = await browser.service.register(number)
        tokens = await browser.log_in(number)

        answer = await browser.log_out({"everywhere": True})

        assert answer.status_code == 204
        assert not await lives(browser, elsewhere["access_token"])
        assert not await lives(browser, tokens["access_token"])

    async def test_a_token_that_was_spent_just_now_is_good_enough(self, browser: Browser) -> None:
        await browser.register(new_number())
        before = browser.cookie or ""
        refreshed = granted(await browser.refresh())
        browser.put(before)

        assert (await browser.log_out()).status_code == 204
        assert not await lives(browser, refreshed["access_token"])

    @pytest.mark.parametrize("token", ["unknown", "over"])
    async def test_a_cookie_without_a_session_is_cleared_and_that_is_all(
        self, browser: Browser, token: str
    ) -> None:
        other = await browser.service.register(new_number())
        if token == "unknown":
            browser.put("unknown")
        else:
            tokens = await browser.register(new_number())
            await browser.service.post("/auth/logout", token=tokens["access_token"])
        before = await everything_stored(browser.service.database)

        answer = await browser.log_out({"everywhere": True})

        assert answer.status_code == 204
        assert set_cookie(answer)["max-age"] == "0"
        assert await everything_stored(browser.service.database) == before
        assert await lives(browser, other["access_token"])

    async def test_a_cookie_without_its_header_is_refused(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())

        answer = await browser.log_out(mode=BODY_MODE)

        assert code_of(answer) == "not_allowed"
        assert "set-cookie" not in answer.headers
        assert await lives(browser, tokens["access_token"])

    async def test_without_cookie_and_access_token_it_is_unauthorized(self, browser: Browser) -> None:
        answers = [await browser.log_out(), await browser.log_out(mode=BODY_MODE)]

        assert [code_of(answer) for answer in answers] == ["invalid_token"] * 2

    async def test_an_expired_access_token_without_the_header_is_unauthorized(self, browser: Browser) -> None:
        await browser.register(new_number())

        assert code_of(await browser.log_out(token="expired", mode=BODY_MODE)) == "invalid_token"

    @pytest.mark.parametrize("mode", [BODY_MODE, COOKIE_MODE], ids=["body mode", "cookie mode"])
    async def test_an_access_token_alone_does_as_ever(self, browser: Browser, mode: dict[str, str]) -> None:
        tokens = await browser.service.register(new_number())

        answer = await browser.log_out(token=tokens["access_token"], mode=mode)

        assert answer.status_code == 204
        assert "set-cookie" not in answer.headers
        assert not await lives(browser, tokens["access_token"])

    async def test_an_access_token_beside_two_cookies_counts(self, browser: Browser) -> None:
        tokens = await browser.service.register(new_number())
        headers = COOKIE_MODE | bearer(tokens["access_token"]) | {"Cookie": f"{COOKIE}=a; {COOKIE}=b"}

        assert (await browser.http.post(LOGOUT, headers=headers)).status_code == 204
        assert not await lives(browser, tokens["access_token"])

    async def test_a_bad_body_ends_nothing(self, browser: Browser) -> None:
        tokens = await browser.register(new_number())

        answer = await browser.log_out({"everywhere": "yes"})

        assert code_of(answer) == "validation_failed"
        assert await lives(browser, tokens["access_token"])
        assert browser.cookie

    async def test_the_header_is_missed_only_after_the_fields(self, browser: Browser) -> None:
        await browser.register(new_number())

        answer = await browser.log_out({"everywhere": "yes"}, mode=BODY_MODE)

        assert code_of(answer) == "validation_failed"
