"""One code: sent, tried, sent again, expired, spent; as a client sees it."""

import asyncio
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from httpx import Response

from conftest import NewService
from otp_auth.challenges.sends import SendRepository
from otp_auth.sinch.client import SinchVerificationClient
from support.service import Json, Service, new_number, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def code_of(answer: Response) -> str:
    return str(answer.json()["code"])


async def send(service: Service, pending: Json, method: str = "sms") -> Response:
    return await service.post("/auth/otp/send", {"method": method}, pending["pending_token"])


async def show(service: Service, pending: Json) -> Response:
    return await service.get("/auth/otp", pending["pending_token"])


class TestTries:
    async def test_wrong_codes_run_out(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        right = await service.simulator.code(number)

        answers = [await service.verify(pending, wrong(right)) for _ in range(3)]
        after = await service.verify(pending, right)

        assert [(answer.status_code, answer.json()["attempts_left"]) for answer in answers] == [
            (400, 2),
            (400, 1),
            (400, 0),
        ]
        assert {code_of(answer) for answer in answers} == {"wrong_code"}
        assert (after.status_code, code_of(after)) == (410, "challenge_closed")
        assert await service.simulator.reports(number) == 3

    async def test_exhausted_expired_spent_and_unknown_answer_alike(self, new_service: NewService) -> None:
        async with new_service(challenge={"attempts": 1}) as service:
            number = new_number()
            pending = await service.start_registration(number)
            await service.verify(pending, wrong(await service.simulator.code(number)))

            for answer in (
                await service.verify(pending, "1234"),
                await show(service, pending),
                await send(service, pending),
            ):
                assert (answer.status_code, code_of(answer)) == (410, "challenge_closed")

    async def test_a_spent_challenge_is_closed(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        code = await service.simulator.code(number)
        await service.prove(pending, number)

        assert (await service.verify(pending, code)).status_code == 410
        assert (await send(service, pending)).status_code == 410

    async def test_a_method_that_is_not_offered_costs_nothing(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)

        for method in ("totp", "recovery_code", "voice", "whatsapp"):
            answer = await service.verify(pending, "123456", method=method)
            assert (answer.status_code, code_of(answer)) == (422, "validation_failed")

        assert (await show(service, pending)).json()["challenge"]["attempts_left"] == 3
        assert await service.simulator.reports(number) == 0


class TestResend:
    async def test_a_resend_waits_for_the_cool_down_and_gives_no_new_tries(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(number)
            first = await service.simulator.code(number)
            await service.verify(pending, wrong(first))
            too_soon = await send(service, pending)
            clock.shift(timedelta(seconds=60))
            resent = await send(service, pending)
            second = await service.simulator.code(number)
            proved = await service.verify(pending, second)

        assert (too_soon.status_code, code_of(too_soon)) == (429, "resend_too_soon")
        assert too_soon.headers["Retry-After"] == "60"
        assert resent.status_code == 202
        challenge = resent.json()
        assert (challenge["attempts_left"], challenge["sends_left"]) == (2, 2)
        assert challenge["resend_at"] == "2026-11-24T12:03:00.000Z"  # the gap grows: 60, then 120 seconds
        assert challenge["expires_at"] == "2026-11-24T12:05:00.000Z"  # and the end doesn't move
        assert proved.status_code == 200

    async def test_the_earlier_code_dies(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(number)
            first = await service.simulator.code(number)
            clock.shift(timedelta(seconds=60))
            await send(service, pending)

            assert first != await service.simulator.code(number)
            assert code_of(await service.verify(pending, first)) == "wrong_code"

    async def test_no_resend_is_promised_past_the_end(self, new_service: NewService) -> None:
        async with new_service(send={"resend_gap": "60,400"}) as service:
            with time_machine.travel(START, tick=False) as clock:
                pending = await service.start_registration(new_number())
                clock.shift(timedelta(seconds=60))
                resent = (await send(service, pending)).json()

        assert resent["sends_left"] == 2
        assert (resent["resend_at"], resent["next_methods"]) == (None, [])

    async def test_without_a_message_no_try_is_charged(self, service: Service) -> None:
        number = new_number()
        await service.register(number)
        pending = await service.start_login(number, method="none")

        for fields in ({}, {"method": "sms"}):
            answer = await service.verify(pending, "1234", **fields)
            assert (answer.status_code, code_of(answer)) == (400, "wrong_code")
            assert answer.json()["attempts_left"] == 3
            assert "No code was sent" in answer.json()["detail"]

    async def test_sends_run_out(self, new_service: NewService) -> None:
        async with new_service(challenge={"sends": 2}, send={"resend_gap": "0"}) as service:
            number = new_number()
            pending = await service.start_registration(number)
            second = await send(service, pending)
            third = await send(service, pending)

            assert second.json()["sends_left"] == 0
            assert second.json()["next_methods"] == []
            assert (third.status_code, code_of(third)) == (429, "too_many_sends")
            assert int(third.headers["Retry-After"]) > 0
            assert await service.simulator.starts(number) == 2

    async def test_another_channel_keeps_the_tries(self, new_service: NewService) -> None:
        async with new_service(send={"resend_gap": "0"}) as service:
            number = new_number()
            pending = await service.start_registration(number)
            await service.verify(pending, wrong(await service.simulator.code(number)))
            called = await send(service, pending, "voice")
            newest = (await service.simulator.messages(number))[0]
            tokens = (await service.verify(pending, newest["code"])).json()

            assert (called.json()["method"], called.json()["attempts_left"]) == ("voice", 2)
            assert newest["method"] == "callout"
            assert tokens["status"] == "authenticated"

    async def test_a_channel_that_failed_leaves_the_code_before_it_alive(
        self, new_service: NewService
    ) -> None:
        async with new_service(send={"resend_gap": "0"}) as service:
            number = new_number()
            pending = await service.start_registration(number)
            code = await service.simulator.code(number)
            async with service.simulator.fault("start", "status", 402):
                called = await send(service, pending, "voice")
            shown = (await show(service, pending)).json()
            tokens = (await service.verify(pending, code)).json()

        assert (called.status_code, called.json()["delivery"]) == (202, "failed")
        assert [offer["method"] for offer in shown["methods"]] == ["sms"]
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["amr"] == ["pwd", "sms", "mfa"]

    async def test_a_channel_that_is_not_on_offer_is_refused(self, service: Service) -> None:
        pending = await service.start_registration(new_number())

        answer = await send(service, pending, "whatsapp")

        assert (answer.status_code, code_of(answer)) == (422, "validation_failed")


class TestLifetimes:
    async def test_a_code_dies_after_five_minutes(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(number)
            code = await service.simulator.code(number)
            clock.shift(timedelta(seconds=300))

            assert (await service.verify(pending, code)).status_code == 410
            assert await service.simulator.reports(number) == 0

    async def test_a_pending_token_dies_after_ten(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            pending = await service.start_registration(new_number())
            clock.shift(timedelta(seconds=600))
            answer = await show(service, pending)

        assert pending["expires_in"] == 600
        assert (answer.status_code, code_of(answer)) == (401, "invalid_token")

    async def test_no_resend_reaches_past_the_pending_token(self, new_service: NewService) -> None:
        async with new_service(challenge={"lifetime": 300}, send={"resend_gap": "0"}) as service:
            number = new_number()
            with time_machine.travel(START, tick=False) as clock:
                await service.register(number)
                pending = await service.start_login(number, method="none")
                clock.shift(timedelta(seconds=400))
                sent = (await send(service, pending)).json()

            assert sent["expires_at"] == "2026-11-24T12:10:00.000Z"


class TestWhenSinchFails:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [("status", 503), ("status", 500), ("garbage", None), ("drop_after", None), ("drop_before", None)],
        ids=str,
    )
    async def test_a_report_without_an_answer_lets_nobody_in(
        self, service: Service, kind: str, value: float | None
    ) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        code = await service.simulator.code(number)

        async with service.simulator.fault("report", kind, value):
            answer = await service.verify(pending, code)

        assert (answer.status_code, code_of(answer)) == (503, "provider_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert (await show(service, pending)).json()["challenge"]["attempts_left"] == 2

    async def test_a_start_that_is_refused_is_told_and_may_be_repeated_at_once(
        self, service: Service
    ) -> None:
        number = new_number()
        async with service.simulator.fault("start", "status", 402):
            pending = await service.start_registration(number)
        assert pending["challenge"]["delivery"] == "failed"
        assert pending["challenge"]["next_methods"] == ["voice", "sms"]

        sent = await send(service, pending)

        assert (sent.status_code, sent.json()["delivery"]) == (202, "sent")
        assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_a_lost_answer_is_looked_up_and_not_repeated(self, service: Service) -> None:
        number = new_number()
        async with service.simulator.fault("start", "drop_after"):
            pending = await service.start_registration(number)

        assert pending["challenge"]["delivery"] == "sent"
        assert await service.simulator.starts(number) == len(await service.simulator.messages(number)) == 1
        assert (await service.prove(pending, number))["status"] == "authenticated"

    async def test_a_start_that_sinch_does_not_know_may_still_be_under_way(self, service: Service) -> None:
        number = new_number()
        async with service.simulator.fault("start", "drop_before"):
            pending = await service.start_registration(number)
        too_soon = await send(service, pending)
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            async with service.simulator.fault("start", "drop_before"):
                again = await send(service, pending)

        assert pending["challenge"]["delivery"] == "unknown"
        assert (too_soon.status_code, code_of(too_soon)) == (429, "resend_too_soon")
        assert (again.status_code, code_of(again)) == (503, "provider_unavailable")
        assert await service.simulator.messages(number) == []

    async def test_a_message_that_came_after_all_lets_its_reader_in(self, new_service: NewService) -> None:
        async with new_service(sinch={"timeout": 1}) as service:
            number = new_number()
            async with service.simulator.fault("start", "delay", 2.8):
                pending = await service.start_registration(number)
            async with asyncio.timeout(20):
                while not (received := await service.simulator.messages(number)):  # noqa: ASYNC110 - asked over HTTP
                    await asyncio.sleep(0.05)
            answer = await service.verify(pending, received[0]["code"])

        assert pending["challenge"]["delivery"] == "unknown"
        assert answer.status_code == 200

    async def test_an_outcome_that_was_never_written_down_is_asked_for(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            with monkeypatch.context() as patch:
                patch.setattr(SendRepository, "record_sent", _lose_the_database)
                lost = await send(service, pending)
            answer = await service.verify(pending, await service.simulator.code(number))

        assert lost.status_code == 503
        assert answer.status_code == 200

    async def test_a_start_that_sinch_never_saw_leaves_the_code_before_it_alive(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        code = await service.simulator.code(number)
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            monkeypatch.setattr(SinchVerificationClient, "start", _die)
            with pytest.raises(asyncio.CancelledError):
                await send(service, pending)
            answer = await service.verify(pending, code)

        assert answer.status_code == 200

    async def test_sinch_out_of_reach(self, new_service: NewService) -> None:
        nobody_there = {"base_url": "http://127.0.0.1:9"}
        async with new_service(sinch=nobody_there) as service:
            pending = await service.start_registration(new_number())
            answer = await send(service, pending)

            assert pending["challenge"]["delivery"] == "failed"
            assert (answer.status_code, code_of(answer)) == (503, "provider_unavailable")


async def _lose_the_database(*_: object) -> None:
    raise OSError("the database is gone")


async def _die(*_: object, **__: object) -> None:
    raise asyncio.CancelledError
