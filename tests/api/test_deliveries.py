"""Delivery is a fact: told by events, asked for where none come, and it opens the next channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from sqlalchemy import event, select

from conftest import NewService
from otp_auth import main
from otp_auth.challenges import following
from otp_auth.challenges.following import follow_due
from otp_auth.challenges.models import Challenge
from otp_auth.sinch.client import NotFound
from otp_auth.sinch.outcomes import Unavailable
from otp_auth.sinch.schemas import VerificationState
from support.service import Json, Service, new_number, with_callbacks

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def follow(service: Service) -> int:
    return await follow_due(main._new_following(service.database, service.app.state.sinch, service.settings))


async def show(service: Service, pending: Json) -> Json:
    answer = await service.get("/auth/otp", pending["pending_token"])
    assert answer.status_code == 200, answer.text
    challenge: Json = answer.json()["challenge"]
    return challenge


async def send(service: Service, pending: Json, method: str) -> Any:
    return await service.post("/auth/otp/send", {"method": method}, pending["pending_token"])


@asynccontextmanager
async def sinch_says(service: Service, outcome: object) -> AsyncIterator[list[str]]:
    """Let each status be this one; yields what was asked for."""
    asked: list[str] = []

    async def say(what: str) -> object:
        asked.append(what)
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.app.state.sinch, "status_by_id", say)
        patch.setattr(service.app.state.sinch, "status_by_reference", say)
        yield asked


async def test_a_receipt_is_told_at_once(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service):
        pending = await service.start_registration(number)
        await service.simulator.delivered(to=number)

        assert (await show(service, pending))["delivery"] == "delivered"


async def test_a_message_that_never_arrives_opens_the_next_channel(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service), service.simulator.fault("start", "undelivered"):
        pending = await service.start_registration(number)
        await service.simulator.delivered(to=number)
        shown = await show(service, pending)

    assert (shown["delivery"], shown["next_methods"]) == ("failed", ["voice", "sms"])
    assert (await send(service, pending, shown["next_methods"][0])).status_code == 202


async def test_a_cool_down_offers_nothing_until_patience_ends(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        pending = await service.start_registration(number)
        at_first = await show(service, pending)
        too_soon = await send(service, pending, "voice")
        clock.shift(timedelta(seconds=30))
        later = await show(service, pending)
        again = await send(service, pending, "sms")
        other = await send(service, pending, "voice")

    assert at_first["next_methods"] == []
    assert (too_soon.status_code, too_soon.headers["Retry-After"]) == (429, "60")
    assert later["next_methods"] == ["voice"]
    assert later["resend_at"] == "2026-11-24T12:01:00.000Z"
    assert again.status_code == 429
    assert other.status_code == 202


async def test_a_message_that_has_arrived_is_not_replaced_early(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        async with with_callbacks(service):
            pending = await service.start_registration(number)
            await service.simulator.delivered(to=number)
        clock.shift(timedelta(seconds=31))

        assert (await show(service, pending))["next_methods"] == []
        assert (await send(service, pending, "voice")).status_code == 429


async def test_of_parallel_changes_of_channel_one_gets_through(service: Service) -> None:
    number = new_number()
    with time_machine.travel(START, tick=False) as clock:
        pending = await service.start_registration(number)
        clock.shift(timedelta(seconds=31))
        sends = await asyncio.gather(*(send(service, pending, "voice") for _ in range(8)))

    assert sorted(answer.status_code for answer in sends) == [202] + [429] * 7
    assert await service.simulator.starts(number) == 2


class TestWithoutCallbacks:
    async def test_sinch_is_asked_less_and_less_often(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(new_number())
            async with sinch_says(service, VerificationState(id="1", status="PENDING")) as asked:
                moments = []
                for second in range(1, 121):
                    clock.move_to(START + timedelta(seconds=second))
                    if await follow(service):
                        moments.append(second)

        assert moments == [5, 10, 20, 30, 70]
        assert len(asked) == 5
        assert pending["challenge"]["delivery"] == "sent"

    @pytest.mark.parametrize("status", ["ERROR", "DENIED"])
    async def test_a_failure_opens_the_next_channel(self, service: Service, status: str) -> None:
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(new_number())
            clock.shift(timedelta(seconds=5))
            async with sinch_says(service, VerificationState(id="1", status=status)):
                await follow(service)
            shown = await show(service, pending)

        assert (shown["delivery"], shown["next_methods"]) == ("failed", ["voice", "sms"])

    @pytest.mark.parametrize("outcome", [Unavailable(reached=True), NotFound()])
    async def test_no_answer_changes_nothing(self, service: Service, outcome: object) -> None:
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(new_number())
            clock.shift(timedelta(seconds=5))
            async with sinch_says(service, outcome):
                await follow(service)
            assert (await show(service, pending))["delivery"] == "sent"

    async def test_a_lost_start_is_found_by_its_reference(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            async with (
                sinch_says(service, Unavailable(reached=True)),
                service.simulator.fault("start", "drop_after"),
            ):
                pending = await service.start_registration(number)
            before = await show(service, pending)
            clock.shift(timedelta(seconds=5))
            await follow(service)
            after = await show(service, pending)

        assert (before["delivery"], after["delivery"]) == ("unknown", "sent")
        assert await service.simulator.starts(number) == 1

    @pytest.mark.usefixtures("by_itself")
    async def test_a_service_looks_by_itself(
        self, new_service: NewService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following, "INTERVAL", 0.01)
        with time_machine.travel(START, tick=False) as clock:
            async with new_service() as service, asyncio.timeout(30):
                async with (
                    sinch_says(service, Unavailable(reached=True)),
                    service.simulator.fault("start", "drop_after"),
                ):
                    pending = await service.start_registration(new_number())
                clock.shift(timedelta(seconds=5))
                while (await show(service, pending))["delivery"] == "unknown":
                    pass

    async def test_a_start_that_never_arrived_is_given_up(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            async with service.simulator.fault("start", "drop_before"):
                pending = await service.start_registration(new_number())
            seen = [(await show(service, pending))["delivery"]]
            for seconds in (5, 36):
                clock.move_to(START + timedelta(seconds=seconds))
                await follow(service)
                seen.append((await show(service, pending))["delivery"])

        assert seen == ["unknown", "unknown", "failed"]

    async def test_nobody_asks_for_what_is_over(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(number)
            await service.prove(pending, number)
            await service.start_registration(new_number())
            clock.shift(timedelta(seconds=301))

            assert await follow(service) == 0

    async def test_two_workers_share_the_work(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            for _ in range(6):
                await service.start_registration(new_number())
            clock.shift(timedelta(seconds=5))
            async with sinch_says(service, VerificationState(id="1", status="PENDING")) as asked:
                taken = await asyncio.gather(*(follow(service) for _ in range(4)))

        assert sum(taken) == len(asked) == 6


class TestFallback:
    FALLBACK: ClassVar[Json] = {"send": {"fallback": True, "methods_by_country": {"SE": ["sms", "voice"]}}}

    async def test_a_failed_text_becomes_a_call(self, new_service: NewService) -> None:
        async with new_service(**self.FALLBACK) as service:
            number = new_number()
            async with with_callbacks(service), service.simulator.fault("start", "undelivered"):
                pending = await service.start_registration(number)
                await service.simulator.delivered(to=number)
            await follow(service)

            assert (await show(service, pending))["method"] == "voice"
            assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_so_does_one_that_nobody_hears_of(self, new_service: NewService) -> None:
        async with new_service(**self.FALLBACK) as service:
            number = new_number()
            with time_machine.travel(START, tick=False) as clock:
                pending = await service.start_registration(number)
                for seconds in (5, 20, 31):
                    clock.move_to(START + timedelta(seconds=seconds))
                    await asyncio.gather(*(follow(service) for _ in range(3)))
                shown = await show(service, pending)

            assert (shown["method"], shown["sends_left"]) == ("voice", 2)
            assert await service.simulator.starts(number) == 2

    async def test_a_refused_start_does_too(self, new_service: NewService) -> None:
        async with new_service(**self.FALLBACK) as service:
            number = new_number()
            async with service.simulator.fault("start", "status", 403):
                pending = await service.start_registration(number)
            await follow(service)

            assert (await show(service, pending))["method"] == "voice"

    async def test_without_it_nothing_is_sent_unasked(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.start_registration(number)
            clock.shift(timedelta(seconds=31))
            await follow(service)

        assert await service.simulator.starts(number) == 1


class TestChannels:
    async def test_a_country_may_have_channels_of_its_own(self, new_service: NewService) -> None:
        by_country = {"methods_by_country": {"SE": ["voice", "whatsapp"]}, "resend_gap": "0"}
        async with new_service(send=by_country) as service:
            pending = await service.start_registration(new_number())
            refused = await send(service, pending, "sms")

        assert pending["challenge"]["method"] == "voice"
        assert pending["challenge"]["next_methods"] == ["voice", "whatsapp"]
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.method")

    async def test_what_sinch_cannot_reach_is_not_offered_again(self, service: Service) -> None:
        special = (await service.simulator.http.get("/numbers")).json()
        number = next(each["number"] for each in special if each["behaviour"] == "voice_only")
        pending = await service.start_registration(number)

        assert pending["challenge"]["delivery"] == "failed"
        assert pending["challenge"]["next_methods"] == ["voice"]
        await send(service, pending, "voice")
        assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_a_fixed_line_is_called(self, service: Service) -> None:
        pending = await service.start_registration("+46812345678")
        refused = await service.post(
            "/auth/register",
            {"phone_number": "+46812345679", "password": "Quiet-Harbour-58", "method": "sms"},
        )

        assert pending["challenge"]["method"] == "voice"
        assert (refused.status_code, refused.json()["code"]) == (422, "destination_refused")


async def test_the_loop_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    enough = asyncio.Event()

    async def fail(_: object) -> int:
        rounds.append(1)
        if len(rounds) == 3:
            enough.set()
        raise OSError

    monkeypatch.setattr(following, "follow_due", fail)
    monkeypatch.setattr(following, "INTERVAL", 0)
    task = asyncio.create_task(following.follow_regularly(None))  # type: ignore[arg-type]
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_state_of_a_challenge_costs_few_queries(service: Service) -> None:
    """`GET /auth/otp` is polled: it asks nobody but the database, and that briefly."""
    pending = await service.start_registration(new_number())
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    event.listen(service.database.engine.sync_engine, "before_cursor_execute", note)
    async with sinch_says(service, Unavailable(reached=True)) as asked:
        await show(service, pending)

    assert len(statements) <= 3
    assert asked == []
    async with service.database.read() as tx:
        assert (await tx.scalars(select(Challenge))).one()
