"""What events say, and what a request event is answered."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sinch_answers import CODE, ID, NUMBER, REFERENCE

from otp_auth.sinch.events import (
    DENY,
    DeliveredEvent,
    RequestEvent,
    ResultEvent,
    UnknownEvent,
    allow,
    parse_event,
)
from otp_auth.sinch.schemas import Price, VerificationMethod

REQUEST, RESULT = "VerificationRequestEvent", "VerificationResultEvent"
DELIVERED = "VerificationSmsDeliveredEvent"
OPTIONAL = ("method", "identity", "reference", "price", "status", "reason", "smsResult")


def body_of(event: str, **changes: Any) -> bytes:
    common = {
        "id": ID,
        "event": event,
        "method": "sms",
        "identity": {"type": "number", "endpoint": NUMBER},
        "reference": REFERENCE,
    }
    return json.dumps(common | changes).encode()


class TestParsing:
    def test_a_request(self) -> None:
        body = body_of(REQUEST, custom="web", acceptLanguage=["sv-SE"]).replace(
            b'"sms"', b'"sms", "price": {"currencyId": "EUR", "amount": 0.0453}'
        )

        assert parse_event(body) == RequestEvent(
            id=ID,
            event=REQUEST,
            method="sms",
            number=NUMBER,
            reference=REFERENCE,
            price=Price(currency="EUR", amount=Decimal("0.0453")),
        )

    def test_a_result(self) -> None:
        event = parse_event(body_of(RESULT, status="Fail", reason="Expired", source="manual"))

        assert event == ResultEvent(
            id=ID,
            event=RESULT,
            method="sms",
            number=NUMBER,
            reference=REFERENCE,
            status="FAIL",
            reason="Expired",
        )

    @pytest.mark.parametrize("name", [DELIVERED, "SmsDeliveredEvent"])
    def test_a_receipt(self, name: str) -> None:
        event = parse_event(body_of(name, smsResult="Successful"))

        assert event == DeliveredEvent(
            id=ID, event=name, method="sms", number=NUMBER, reference=REFERENCE, result="Successful"
        )

    @pytest.mark.parametrize("name", ["AnsweredCallEvent", "verificationrequestevent", "x" * 1000])
    def test_an_event_that_nobody_told_us_of(self, name: str) -> None:
        assert parse_event(json.dumps({"event": name}).encode()) == UnknownEvent(event=name)

    @pytest.mark.parametrize("method", ["flashcall", "flashCall", "FLASHCALL"])
    def test_the_method_in_any_case(self, method: str) -> None:
        event = parse_event(body_of(REQUEST, method=method))

        assert isinstance(event, RequestEvent)
        assert event.method == VerificationMethod.FLASHCALL

    def test_old_ids_are_numbers(self) -> None:
        event = parse_event(body_of(RESULT, id=1087388, status="SUCCESSFUL"))

        assert isinstance(event, ResultEvent)
        assert event.id == "1087388"

    @pytest.mark.parametrize(
        ("name", "shape"), [(REQUEST, RequestEvent), (RESULT, ResultEvent), (DELIVERED, DeliveredEvent)]
    )
    @pytest.mark.parametrize(
        "rest",
        [
            pytest.param({}, id="missing"),
            pytest.param(dict.fromkeys(OPTIONAL), id="null"),
            pytest.param({name: [{}] for name in OPTIONAL}, id="other types"),
            pytest.param({"identity": {"endpoint": []}, "price": {"amount": -1}}, id="inside"),
        ],
    )
    def test_what_may_be_missing_spoils_nothing_else(
        self, name: str, shape: type[RequestEvent], rest: dict[str, Any]
    ) -> None:
        assert parse_event(json.dumps({"id": ID, "event": name} | rest).encode()) == shape(id=ID, event=name)

    @pytest.mark.parametrize(
        "amount",
        ["0.0453", "0.1", "1", "0", "0.30000000000000004", "1e-3", '"0.0453"'],
    )
    def test_amounts_are_exact(self, amount: str) -> None:
        body = b'{"id": "1", "event": "%b", "price": {"currencyId": "EUR", "amount": %b}}'

        event = parse_event(body % (REQUEST.encode(), amount.encode()))

        assert isinstance(event, RequestEvent)
        assert event.price is not None
        assert event.price.amount == Decimal(amount.strip('"'))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"not JSON +46700000000", id="no JSON"),
            pytest.param(b'{"id": "1", "event": "VerificationRequestEvent"', id="cut short"),
            pytest.param(b'[{"id": "1", "event": "VerificationRequestEvent"}]', id="list"),
            pytest.param(b"null", id="null"),
            pytest.param(b'"VerificationRequestEvent"', id="text"),
            pytest.param(b'{"id": "1", "event": "\xff"}', id="not UTF-8"),
            pytest.param(b'{"id": "+46700000000"}', id="no event"),
            pytest.param(b'{"id": "+46700000000", "event": 1}', id="event is no text"),
            pytest.param(b'{"id": "+46700000000", "event": ""}', id="empty event"),
            pytest.param(b'{"event": "VerificationRequestEvent"}', id="no id"),
            pytest.param(b'{"event": "VerificationRequestEvent", "id": ""}', id="empty id"),
            pytest.param(b'{"event": "VerificationRequestEvent", "id": null}', id="id is null"),
            pytest.param(b'{"event": "VerificationRequestEvent", "id": {}}', id="id is an object"),
            pytest.param(b'{"event": "VerificationRequestEvent", "id": %b}' % (b"9" * 5000), id="endless id"),
            pytest.param(b'{"a": ' * 10_000, id="deep"),
        ],
    )
    def test_what_is_no_event_is_refused_without_being_quoted(self, body: bytes) -> None:
        with pytest.raises(ValueError, match="not an event of Sinch's") as refusal:
            parse_event(body)

        assert "46700000000" not in str(refusal.value)
        assert refusal.value.__suppress_context__  # pydantic's error would quote it in a traceback


class TestMeaning:
    @pytest.mark.parametrize(
        ("result", "meaning"),
        [
            ("Successful", (True, False)),
            ("SUCCESSFUL", (True, False)),
            ("Failed", (False, True)),
            ("failed", (False, True)),
            ("Buffered", (False, False)),
            ("", (False, False)),
            (None, (False, False)),
        ],
    )
    def test_receipts(self, result: str | None, meaning: tuple[bool, bool]) -> None:
        event = parse_event(body_of(DELIVERED, smsResult=result))

        assert isinstance(event, DeliveredEvent)
        assert (event.is_delivered, event.is_undelivered) == meaning

    @pytest.mark.parametrize(
        ("method", "takes_our_code"),
        [
            ("sms", True),
            ("SMS", True),
            ("callout", True),
            ("flashcall", False),
            ("whatsapp", False),
            ("seamless", False),
            (None, False),
        ],
    )
    def test_whose_code_it_will_be(self, method: str | None, takes_our_code: bool) -> None:
        event = parse_event(body_of(REQUEST, method=method))

        assert isinstance(event, RequestEvent)
        assert event.takes_our_code is takes_our_code
        assert (allow(event.method, code=CODE) != allow(event.method)) is takes_our_code


class TestAnswers:
    def test_deny(self) -> None:
        assert DENY == {"action": "deny"}

    @pytest.mark.parametrize("method", [*VerificationMethod, "seamless", None])
    def test_allow_and_no_more(self, method: str | None) -> None:
        assert allow(method, expiry=timedelta(minutes=5)) == {"action": "allow"}

    @pytest.mark.parametrize(
        ("method", "details"),
        [
            pytest.param(
                "sms", {"sms": {"code": "047110", "codeType": "Numeric", "expiry": "00:05:00"}}, id="sms"
            ),
            pytest.param("callout", {"callout": {"code": "047110"}}, id="phone call"),
            pytest.param("flashcall", {}, id="flash call"),
            pytest.param("whatsapp", {}, id="WhatsApp"),
            pytest.param("seamless", {}, id="seamless"),
        ],
    )
    def test_our_code_where_it_may_stand(self, method: str, details: dict[str, object]) -> None:
        answer = allow(method, code="047110", expiry=timedelta(minutes=5))

        assert answer == {"action": "allow"} | details

    def test_no_lifetime(self) -> None:
        assert allow("sms", code=CODE) == {"action": "allow", "sms": {"code": CODE, "codeType": "Numeric"}}

    @pytest.mark.parametrize(
        ("lifetime", "expected"),
        [
            (timedelta(minutes=5), "00:05:00"),
            (timedelta(seconds=59.9), "00:00:59"),
            (timedelta(hours=1, minutes=2, seconds=3), "01:02:03"),
            (timedelta(hours=24), "24:00:00"),
            (timedelta(0), "00:00:01"),
            (timedelta(seconds=-5), "00:00:01"),
        ],
    )
    def test_lifetimes(self, lifetime: timedelta, expected: str) -> None:
        sms = allow("sms", code=CODE, expiry=lifetime)["sms"]

        assert isinstance(sms, dict)
        assert sms["expiry"] == expected
