"""Two applications of ours on one database, and a receiver that is down at first."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import time_machine
from listening_application import SECRET, listening_application

from conftest import NewService
from support.service import new_number
from support.simulator import PATIENCE

COUNT = 6


async def test_each_event_arrives_once_when_the_receiver_is_back(new_service: NewService) -> None:
    async with listening_application() as application:
        events = {"url": application.url, "secret": SECRET}
        application.status = 503
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            async with new_service(events=events) as one, new_service(events=events) as two:
                accounts = [
                    await service.register(new_number()) for service in (one, two) for _ in range(COUNT // 2)
                ]
                for _ in range(COUNT):
                    await application.next_refused()
                application.status = 204
                clock.shift(timedelta(minutes=1))
                taken = [await application.next() for _ in range(COUNT)]

    assert Counter(each.body["user_id"] for each in taken) == Counter(
        account["user"]["id"] for account in accounts
    )
    assert {each.headers["webhook-id"] for each in application.refused} == set(application.ids)
    assert all(each.is_signed() for each in taken)


async def test_what_one_left_when_it_was_stopped_the_other_sends(new_service: NewService) -> None:
    async with listening_application() as application:
        events = {"url": application.url, "secret": SECRET}
        application.go_on.clear()
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            async with new_service(events=events) as one:
                account = await one.register(new_number())
                async with asyncio.timeout(PATIENCE):
                    await application.asked.wait()
            application.go_on.set()  # the first one is gone, and never heard of it
            clock.shift(timedelta(minutes=1))
            async with new_service(events=events):
                arrived = [await application.next() for _ in range(2)]

    assert {each.body["user_id"] for each in arrived} == {account["user"]["id"]}
    assert len({each.headers["webhook-id"] for each in arrived}) == 1
