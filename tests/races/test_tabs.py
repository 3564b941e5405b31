"""Tabs of one browser share a cookie and never wait for each other: none of them is logged out."""

import asyncio
from datetime import UTC, datetime

import time_machine
from sqlalchemy import func, select
from test_codes_in_parallel import many

from conftest import NewService
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.sessions.models import RefreshToken
from support.browser import Browser, opened_browser
from support.service import Service, new_number

ROUNDS = 50
# One number logs in again and again.
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}


async def test_two_tabs_that_refresh_at_once_stay_in(service: Service) -> None:
    # The clock stands still: how fast this machine is must not decide.
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        async with opened_browser(service) as browser:
            tokens = await browser.register(new_number())

            seen = await many(2, lambda _: use_a_tab(browser))

    assert {(200, tokens["session_id"])} == {each for tab in seen for each in tab}
    assert [len(tab) for tab in seen] == [ROUNDS, ROUNDS]
    async with service.database.read() as tx:
        unspent = await tx.scalar(
            select(func.count()).select_from(RefreshToken).where(RefreshToken.spent_at.is_(None))
        )
        reuse = await tx.scalar(
            select(func.count())
            .select_from(AuditEvent)
            .where(AuditEvent.name == EventName.REFRESH_REUSE.value)
        )
    assert (unspent, reuse) == (1, 0)


async def use_a_tab(browser: Browser) -> list[tuple[int, str]]:
    answers = [await browser.refresh() for _ in range(ROUNDS)]
    return [(answer.status_code, answer.json().get("session_id")) for answer in answers]


async def test_after_logout_and_refresh_in_two_tabs_nothing_works(new_service: NewService) -> None:
    async with new_service(send=WIDE) as service, opened_browser(service) as browser:
        number = new_number()
        await browser.register(number)
        for _ in range(10):
            token = browser.cookie or ""
            left, *refreshed = await asyncio.gather(
                browser.log_out(), browser.refresh(), browser.refresh(), browser.refresh()
            )

            assert left.status_code == 204
            for answer in refreshed:
                if answer.status_code == 200:
                    seen = await service.get("/me", answer.json()["access_token"])
                    assert seen.status_code == 401
            browser.put(token)
            assert (await browser.refresh()).status_code == 401
            browser.http.cookies.clear()
            await browser.log_in(number)
