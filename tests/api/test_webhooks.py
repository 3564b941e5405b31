"""Sinch's callbacks: only Sinch's count, only for what waits, and none of them opens a door."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from conftest import NewService
from otp_auth.challenges.deliveries import DeliveryRepository
from otp_auth.challenges.models import Challenge
from otp_auth.identifiers import new_id
from otp_auth.sessions.models import Session
from otp_auth.sinch.client import SinchVerificationClient
from otp_auth.sinch.schemas import VerificationMethod
from support.callbacks import PATH, send_event, signed_headers
from support.service import Json, Service, new_number, with_callbacks
from support.simulator import APPLICATION_KEY, APPLICATION_SECRET

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
DENIED = {"action": "deny"}


@pytest.fixture
async def waiting(service: Service) -> tuple[Service, Challenge]:
    """A challenge as it is while Sinch works on its start."""
    number = new_number()
    pending = await service.start_registration(number)
    async with service.database.write() as tx:
        values = {"delivery": "sending", "verification_id": None, "verification_method": None}
        await tx.execute(update(Challenge).values(**values))
    return service, await challenge_of(service, pending)


async def challenge_of(service: Service, pending: Json) -> Challenge:
    async with service.database.read() as tx:
        found = await tx.scalars(select(Challenge))
        return next(each for each in found if str(each.id) == pending["challenge"]["id"])


def request_event(challenge: Challenge, **changes: Any) -> Json:
    return {
        "id": "018c25e1-7163-5677-b8fb-467d7b1cffa5",
        "event": "VerificationRequestEvent",
        "method": "sms",
        "identity": {"type": "number", "endpoint": challenge.phone_number},
        "price": {"currencyId": "EUR", "amount": 0.0453},
        "reference": str(challenge.reference),
        **changes,
    }


def receipt(challenge: Challenge, **changes: Any) -> Json:
    return {
        "id": challenge.verification_id or "018c25e1-7163-5677-b8fb-467d7b1cffa5",
        "event": "VerificationSmsDeliveredEvent",
        "method": "sms",
        "identity": {"type": "number", "endpoint": challenge.phone_number},
        "reference": str(challenge.reference),
        "smsResult": "Successful",
        **changes,
    }


def result(challenge: Challenge, **changes: Any) -> Json:
    event = receipt(challenge, event="VerificationResultEvent", status="FAIL", reason="Expired")
    del event["smsResult"]
    return event | changes


async def delivery_of(service: Service, pending: Json) -> str:
    answer = await service.get("/auth/otp", pending["pending_token"])
    return str(answer.json()["challenge"]["delivery"])


class TestSignature:
    async def test_a_good_one_is_taken(self, waiting: tuple[Service, Challenge]) -> None:
        service, challenge = waiting

        answer = await send_event(service, request_event(challenge))

        assert answer.status_code == 200
        assert answer.json()["action"] == "allow"
        assert answer.json()["sms"]["code"] == service.app.state.codes.of(challenge.id)

    @pytest.mark.parametrize(
        "changes",
        [
            {"secret": "AAAAAAAAAAAAAAAAAAAAAA=="},
            {"key": "11111111-4b5a-6978-8796-a5b4c3d2e1f0"},
            {"path": "/webhooks/sinch/"},
            {"path": "/webhooks/SINCH"},
            {"timestamp": "2026-11-24T11:54:59Z"},
            {"timestamp": "2026-11-24T12:05:01Z"},
            {"timestamp": "yesterday"},
            {"timestamp": ""},
        ],
        ids=["secret", "key", "path", "case", "stale", "future", "no time", "empty time"],
    )
    async def test_a_forged_one_is_not(
        self, waiting: tuple[Service, Challenge], changes: dict[str, str]
    ) -> None:
        service, challenge = waiting
        with time_machine.travel(START, tick=False):
            answer = await send_event(service, request_event(challenge), **changes)

        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_the_window_is_five_minutes(self, waiting: tuple[Service, Challenge]) -> None:
        service, challenge = waiting
        with time_machine.travel(START, tick=False):
            for at in ("2026-11-24T11:55:00Z", "2026-11-24T12:05:00.0000000Z"):
                assert (await send_event(service, receipt(challenge), timestamp=at)).status_code == 200

    @pytest.mark.parametrize("name", ["Authorization", "x-timestamp", "Content-Type"])
    async def test_a_header_less_is_refused(self, waiting: tuple[Service, Challenge], name: str) -> None:
        service, challenge = waiting
        body = json.dumps(request_event(challenge)).encode()
        headers = signed_headers(body)
        del headers[name]

        assert (await service.http.post(PATH, content=body, headers=headers)).status_code == 401

    async def test_an_altered_body_or_content_type_is_refused(
        self, waiting: tuple[Service, Challenge]
    ) -> None:
        service, challenge = waiting
        body = json.dumps(request_event(challenge)).encode()
        headers = signed_headers(body)

        altered = await service.http.post(PATH, content=body + b" ", headers=headers)
        relabelled = await service.http.post(
            PATH, content=body, headers=headers | {"Content-Type": "application/json"}
        )

        assert (altered.status_code, relabelled.status_code) == (401, 401)

    async def test_basic_credentials_are_no_signature(self, waiting: tuple[Service, Challenge]) -> None:
        service, challenge = waiting
        body = json.dumps(request_event(challenge)).encode()
        basic = httpx_basic()

        answer = await service.http.post(PATH, content=body, headers=signed_headers(body) | basic)

        assert answer.status_code == 401

    async def test_it_is_checked_before_anything_is_read(self, service: Service) -> None:
        assert (await service.http.post(PATH, content=b"\xff{")).status_code == 401
        body = b"\xff{"
        signed = await service.http.post(PATH, content=body, headers=signed_headers(body))
        assert (signed.status_code, signed.json()["code"]) == (400, "malformed_request")


def httpx_basic() -> dict[str, str]:
    pair = base64.b64encode(f"{APPLICATION_KEY}:{APPLICATION_SECRET}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


class TestRequestEvent:
    @pytest.mark.parametrize(
        "changes",
        [
            {"reference": "01990c5e-7a10-7c3e-9d54-2f6b7f0e9a11"},
            {"reference": None},
            {"reference": "not-a-uuid"},
            {"identity": {"type": "number", "endpoint": "+46700000009"}},
            {"method": "callout"},
        ],
        ids=["unknown", "none", "foreign", "number", "method"],
    )
    async def test_what_we_did_not_ask_for_is_denied(
        self, waiting: tuple[Service, Challenge], changes: Json
    ) -> None:
        service, challenge = waiting

        answer = await send_event(service, request_event(challenge, **changes))

        assert (answer.status_code, answer.json()) == (200, DENIED)

    async def test_a_closed_challenge_is_denied(self, waiting: tuple[Service, Challenge]) -> None:
        service, challenge = waiting
        async with service.database.write() as tx:
            await tx.execute(update(Challenge).values(closed_at=datetime.now(UTC)))

        assert (await send_event(service, request_event(challenge))).json() == DENIED

    async def test_a_repeat_gets_the_same_answer_until_the_message_is_out(
        self, waiting: tuple[Service, Challenge]
    ) -> None:
        service, challenge = waiting
        first = await send_event(service, request_event(challenge))
        again = await send_event(service, request_event(challenge))
        another = await send_event(service, request_event(challenge, id="another"))
        async with service.database.write() as tx:
            await tx.execute(update(Challenge).values(delivery="sent"))
        replayed = await send_event(service, request_event(challenge))

        assert first.json() == again.json() != DENIED
        assert another.json() == DENIED
        assert replayed.json() == DENIED  # whoever replays it must not read the code

    async def test_a_stolen_key_sends_nothing(self, service: Service) -> None:
        number = new_number()
        async with with_callbacks(service):
            sinch: SinchVerificationClient = service.app.state.sinch
            await sinch.start(method=VerificationMethod.SMS, number=number, reference=str(new_id()))

        assert await service.simulator.messages(number) == []

    async def test_all_is_denied_while_the_database_is_away(
        self, waiting: tuple[Service, Challenge], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service, challenge = waiting

        async def fail(*_: object) -> None:
            raise OperationalError("", {}, Exception())

        monkeypatch.setattr(DeliveryRepository, "announce", fail)
        answer = await send_event(service, request_event(challenge))

        assert (answer.status_code, answer.json()) == (200, DENIED)

    async def test_a_database_that_hangs_is_not_waited_for(
        self, waiting: tuple[Service, Challenge], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service, challenge = waiting
        hanging = asyncio.Event()

        async def hang(*_: object) -> None:
            await hanging.wait()

        monkeypatch.setattr(DeliveryRepository, "announce", hang)

        assert (await send_event(service, request_event(challenge))).json() == DENIED

    async def test_a_message_dearer_than_what_is_left_is_denied(self, new_service: NewService) -> None:
        async with new_service(send={"daily_cost": "0.04", "price": "0.01"}) as service:
            number = new_number()
            async with with_callbacks(service):
                pending = await service.start_registration(number)

            assert pending["challenge"]["delivery"] == "failed"
            assert await service.simulator.messages(number) == []


class TestOtherEvents:
    async def test_a_receipt_says_delivered(self, service: Service) -> None:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)

        assert (await send_event(service, receipt(challenge))).status_code == 200
        assert await delivery_of(service, pending) == "delivered"

    async def test_a_failed_one_opens_the_next_channel(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        challenge = await challenge_of(service, pending)
        await send_event(service, receipt(challenge, smsResult="Failed"))

        shown = (await service.get("/auth/otp", pending["pending_token"])).json()["challenge"]
        sent = await service.post("/auth/otp/send", {"method": "voice"}, pending["pending_token"])

        assert (shown["delivery"], shown["next_methods"]) == ("failed", ["voice", "sms"])
        assert sent.status_code == 202

    @pytest.mark.parametrize("status", ["DENIED", "ERROR", "error"])
    async def test_a_result_may_say_failed(self, service: Service, status: str) -> None:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)
        await send_event(service, result(challenge, status=status, reason="Blocked"))

        assert await delivery_of(service, pending) == "failed"

    async def test_a_login_that_was_replaced_has_failed_and_a_registration_tells_nothing(
        self, service: Service
    ) -> None:
        """A stranger must not see that the number's owner has asked for a code."""
        number = new_number()
        registration = await service.start_registration(new_number())
        await service.register(number)
        login = await service.start_login(number)
        for pending in (registration, login):
            challenge = await challenge_of(service, pending)
            await send_event(service, result(challenge, status="ABORTED"))

        assert await delivery_of(service, registration) == "sent"
        assert await delivery_of(service, login) == "failed"

    async def test_order_and_repeats_change_nothing(self, service: Service) -> None:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)
        for event in (
            receipt(challenge),
            receipt(challenge),
            receipt(challenge, smsResult="Failed"),
            result(challenge, status="ERROR"),
            result(challenge, status="ERROR"),
        ):
            assert (await send_event(service, event)).status_code == 200
            assert await delivery_of(service, pending) == "delivered"

    @pytest.mark.parametrize(
        "change", [{"smsResult": "Perhaps"}, {"smsResult": None}, {"reference": None}, {"event": "Other"}]
    )
    async def test_what_says_nothing_changes_nothing(self, service: Service, change: Json) -> None:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)

        assert (await send_event(service, receipt(challenge, **change))).status_code == 200
        assert await delivery_of(service, pending) == "sent"

    async def test_a_success_opens_no_session(self, service: Service) -> None:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)
        await send_event(service, result(challenge, status="SUCCESSFUL", reason=None))

        async with service.database.read() as tx:
            assert await tx.scalar(select(func.count()).select_from(Session)) == 0
        assert (await service.get("/auth/otp", pending["pending_token"])).status_code == 200

    async def test_a_finished_challenge_stays_as_it_is(self, service: Service) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        challenge = await challenge_of(service, pending)
        await service.prove(pending, number)
        before = await challenge_of(service, pending)
        for event in (receipt(challenge, smsResult="Failed"), result(challenge, status="ERROR")):
            await send_event(service, event)
        after = await challenge_of(service, pending)

        assert (after.delivery, after.closed_at) == (before.delivery, before.closed_at)

    async def test_news_of_an_earlier_message_does_not_touch_the_later_one(
        self, new_service: NewService
    ) -> None:
        async with new_service(send={"resend_gap": "0"}) as service:
            pending = await service.start_registration(new_number())
            earlier = await challenge_of(service, pending)
            await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
            await send_event(service, result(earlier, status="ABORTED"))

            assert await delivery_of(service, pending) == "sent"

    async def test_a_receipt_faster_than_the_answer_counts(self, waiting: tuple[Service, Challenge]) -> None:
        service, challenge = waiting
        await send_event(service, request_event(challenge))
        await send_event(service, receipt(challenge))

        async with service.database.read() as tx:
            after = (await tx.scalars(select(Challenge))).one()
        assert (after.delivery, after.code_maker, after.code_length) == ("delivered", "we", 6)


async def test_a_prefix_that_a_proxy_cuts_off_is_signed_too(new_service: NewService) -> None:
    async with new_service(public_url="https://example.com/auth") as service:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)
        inside = await send_event(service, receipt(challenge))
        outside = await send_event(service, receipt(challenge), path=f"/auth{PATH}")
        elsewhere = await send_event(service, receipt(challenge), path=f"/other{PATH}")

    assert [answer.status_code for answer in (inside, outside, elsewhere)] == [200, 200, 401]


async def test_a_callback_is_never_a_flood(new_service: NewService) -> None:
    async with new_service(rate_limits={"enabled": True}) as service:
        pending = await service.start_registration(new_number())
        challenge = await challenge_of(service, pending)
        answers = [await send_event(service, receipt(challenge)) for _ in range(150)]

        assert {answer.status_code for answer in answers} == {200}


async def test_the_time_of_a_callback_may_have_seven_digits(waiting: tuple[Service, Challenge]) -> None:
    service, challenge = waiting
    at = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")

    assert (await send_event(service, receipt(challenge), timestamp=at)).status_code == 200
