"""How the client reads what comes back, or doesn't. Each case also shows that it asks once."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx
import sinch_answers
from sinch_answers import BASE_URL, CODE, ID, NUMBER, REFERENCE, failure

from otp_auth.sinch.client import (
    NotFound,
    Refused,
    SinchVerificationClient,
    Started,
    StartOutcome,
    Unavailable,
    Verdict,
)
from otp_auth.sinch.schemas import Price, VerificationMethod, VerificationState

sinch, sinch_api = sinch_answers.sinch, sinch_answers.sinch_api

SMS = VerificationMethod.SMS
REACHED, NOT_REACHED = Unavailable(reached=True), Unavailable(reached=False)
UNREADABLE = [
    pytest.param(httpx.Response(200), id="200 empty body"),
    pytest.param(httpx.Response(200, html="<h1>Hello</h1>"), id="200 HTML"),
    pytest.param(
        httpx.Response(200, json=[{"id": ID, "method": "sms", "status": "SUCCESSFUL"}]), id="200 list"
    ),
    pytest.param(httpx.Response(200, json=None), id="200 null"),
    pytest.param(httpx.Response(200, content=b'{"id": "' + ID.encode()), id="200 cut short"),
    pytest.param(httpx.Response(200, content=b'{"id": "\xff"}'), id="200 not UTF-8"),
    pytest.param(
        httpx.Response(200, json={"id": {}, "status": "SUCCESSFUL", "method": "sms"}),
        id="200 id is an object",
    ),
]
SERVER_ERRORS = [
    pytest.param(httpx.Response(500, json=failure(50000)), id="500"),
    pytest.param(httpx.Response(503, json=failure(50300)), id="503"),
    pytest.param(httpx.Response(502, html="Bad gateway"), id="502 HTML"),
    pytest.param(httpx.Response(500, json=failure(40003)), id="500 that names a wrong code"),
    pytest.param(httpx.Response(503, json=failure(40400)), id="503 that names an unknown id"),
    pytest.param(httpx.Response(302, headers={"Location": f"{BASE_URL}/elsewhere"}), id="302"),
    pytest.param(httpx.Response(307, headers={"Location": "https://thief.test/"}), id="307 to another host"),
    pytest.param(httpx.Response(204), id="204"),
    pytest.param(httpx.Response(202, json={"id": ID, "method": "sms", "status": "SUCCESSFUL"}), id="202"),
]
REFUSALS = [
    pytest.param(httpx.Response(401, json=failure(40102)), "40102", id="401"),
    pytest.param(httpx.Response(402, json=failure(40200)), "40200", id="402"),
    pytest.param(httpx.Response(403, json=failure("40300")), "40300", id="403"),
    pytest.param(httpx.Response(422, json=failure(42201)), "42201", id="422"),
    pytest.param(httpx.Response(429, json=failure("42901")), "42901", id="429"),
    pytest.param(httpx.Response(400, json=failure(40002)), "40002", id="400"),
    pytest.param(httpx.Response(403, html="Forbidden"), "403", id="403 HTML"),
    pytest.param(httpx.Response(404, html="Not found"), "404", id="404 of somebody else"),
    pytest.param(httpx.Response(400, json=failure("+46700000000")), "400", id="code that is none"),
]
# What happens on the wire, and whether Sinch may have read the request all the same.
WIRE = [
    pytest.param(httpx.ConnectError("refused"), NOT_REACHED, id="connection refused"),
    pytest.param(httpx.ConnectTimeout("slow"), NOT_REACHED, id="connection too slow"),
    pytest.param(httpx.PoolTimeout("full"), NOT_REACHED, id="no free connection"),
    pytest.param(httpx.ReadTimeout("slow"), REACHED, id="read timeout"),
    pytest.param(httpx.WriteTimeout("slow"), REACHED, id="write timeout"),
    pytest.param(httpx.ReadError("reset"), REACHED, id="connection reset"),
    pytest.param(httpx.RemoteProtocolError("nonsense"), REACHED, id="protocol error"),
    pytest.param(httpx.DecodingError("gzip"), REACHED, id="broken compression"),
]


async def _start(sinch: SinchVerificationClient) -> StartOutcome:
    return await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)


async def _report(sinch: SinchVerificationClient, method: VerificationMethod = SMS) -> Verdict:
    return await sinch.report(verification_id=ID, method=method, code=CODE)


@pytest.fixture
def answers(sinch_api: respx.MockRouter) -> respx.Route:
    """Everything that Sinch is asked."""
    return sinch_api.route(host="sinch.test")


class TestStart:
    @pytest.mark.parametrize(
        ("answer", "verification_id"),
        [
            pytest.param({"id": ID, "method": "sms", "_links": []}, ID, id="as documented"),
            pytest.param({"id": 1087388}, "1087388", id="decimal id and nothing else"),
            pytest.param({"id": ID, "method": None, "sms": None}, ID, id="nulls"),
            pytest.param({"id": ID, "sms": {"interceptionTimeout": "soon"}}, ID, id="details we don't read"),
        ],
    )
    async def test_started(
        self,
        sinch: SinchVerificationClient,
        answers: respx.Route,
        answer: dict[str, Any],
        verification_id: str,
    ) -> None:
        answers.respond(json=answer)

        assert await _start(sinch) == Started(verification_id)
        assert answers.call_count == 1

    @pytest.mark.parametrize(("answer", "error_code"), REFUSALS)
    async def test_refused(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response, error_code: str
    ) -> None:
        answers.return_value = answer

        assert await _start(sinch) == Refused(error_code)
        assert answers.call_count == 1

    @pytest.mark.parametrize(
        "answer",
        [
            *UNREADABLE,
            *SERVER_ERRORS,
            pytest.param(httpx.Response(409, json=failure(40900)), id="reference is taken"),
            pytest.param(httpx.Response(200, json={"method": "sms"}), id="200 without id"),
            pytest.param(httpx.Response(200, json={"id": ""}), id="200 empty id"),
            pytest.param(httpx.Response(200, json={"id": None}), id="200 id is null"),
        ],
    )
    async def test_it_may_have_been_sent(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response
    ) -> None:
        answers.return_value = answer

        outcome = await _start(sinch)

        assert isinstance(outcome, Unavailable)
        assert outcome.reached
        assert answers.call_count == 1

    @pytest.mark.parametrize(("error", "outcome"), WIRE)
    async def test_no_answer(
        self, sinch: SinchVerificationClient, answers: respx.Route, error: Exception, outcome: Unavailable
    ) -> None:
        answers.side_effect = error

        assert await _start(sinch) == outcome
        assert answers.call_count == 1


class TestReport:
    @pytest.mark.parametrize("status", ["SUCCESSFUL", "Successful", "successful"])
    async def test_right(self, sinch: SinchVerificationClient, answers: respx.Route, status: str) -> None:
        answers.respond(json={"id": ID, "method": "SMS", "status": status})

        assert await _report(sinch) is Verdict.RIGHT
        assert answers.call_count == 1

    @pytest.mark.parametrize("method", ["flashcall", "flashCall"])
    async def test_right_by_either_spelling_of_flash_call(
        self, sinch: SinchVerificationClient, answers: respx.Route, method: str
    ) -> None:
        answers.respond(json={"id": ID, "method": method, "status": "SUCCESSFUL", "callComplete": True})

        assert await _report(sinch, VerificationMethod.FLASHCALL) is Verdict.RIGHT

    async def test_right_for_a_decimal_id(self, sinch: SinchVerificationClient, answers: respx.Route) -> None:
        answers.respond(json={"id": 1087388, "method": "sms", "status": "SUCCESSFUL"})

        assert await sinch.report(verification_id="1087388", method=SMS, code=CODE) is Verdict.RIGHT

    @pytest.mark.parametrize("status", ["FAIL", "DENIED", "ABORTED", "ERROR", "fail", "Denied", "aBORTED"])
    async def test_over_is_wrong(
        self, sinch: SinchVerificationClient, answers: respx.Route, status: str
    ) -> None:
        answers.respond(json={"id": ID, "method": "sms", "status": status, "reason": "Invalid code"})

        assert await _report(sinch) is Verdict.WRONG
        assert answers.call_count == 1

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            pytest.param(400, failure(40003), id="wrong code"),
            pytest.param(400, failure("40003"), id="wrong code as text"),
            pytest.param(400, {"errorCode": 40003, "message": None}, id="wrong code without a message"),
            pytest.param(400, failure(40001), id="malformed code"),
            pytest.param(404, failure(40400), id="verification is over"),
            pytest.param(404, failure("40400"), id="verification is over, as text"),
        ],
    )
    async def test_wrong(
        self, sinch: SinchVerificationClient, answers: respx.Route, status: int, error: dict[str, Any]
    ) -> None:
        answers.respond(status, json=error)

        assert await _report(sinch) is Verdict.WRONG
        assert answers.call_count == 1

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"status": "PENDING"}, id="pending"),
            pytest.param({"status": "VERIFIED"}, id="unknown status"),
            pytest.param({"status": " SUCCESSFUL"}, id="almost the status"),
            pytest.param({"status": None}, id="no status"),
            pytest.param({"status": True}, id="status is no text"),
            pytest.param({"id": None}, id="no id"),
            pytest.param({"id": "01990c5e-7a10-7c3e-9d54-2f6b7f0e9a12"}, id="other id"),
            pytest.param({"method": "callout"}, id="other method"),
            pytest.param({"method": None}, id="no method"),
            pytest.param({"id": None, "status": "FAIL"}, id="failure of nobody"),
            pytest.param({"id": "another", "status": "FAIL"}, id="failure of another"),
            pytest.param({"method": "callout", "status": "FAIL"}, id="failure of another method"),
        ],
    )
    async def test_an_answer_in_doubt_is_neither_right_nor_wrong(
        self, sinch: SinchVerificationClient, answers: respx.Route, changes: dict[str, Any]
    ) -> None:
        answer = {"id": ID, "method": "sms", "status": "SUCCESSFUL"} | changes
        answers.respond(json={name: value for name, value in answer.items() if value is not None})

        assert await _report(sinch) is Verdict.DOUBTFUL
        assert answers.call_count == 1

    @pytest.mark.parametrize(
        ("identity", "verdict"),
        [
            pytest.param({"type": "number", "endpoint": NUMBER}, Verdict.RIGHT, id="the number"),
            pytest.param({"endpoint": NUMBER[1:]}, Verdict.RIGHT, id="the number without its plus"),
            pytest.param({"endpoint": int(NUMBER)}, Verdict.RIGHT, id="the number as a number"),
            pytest.param({"endpoint": "+46700000001"}, Verdict.DOUBTFUL, id="another number"),
            pytest.param({"endpoint": ""}, Verdict.DOUBTFUL, id="an empty number"),
            pytest.param({}, Verdict.RIGHT, id="no number"),
            pytest.param(None, Verdict.RIGHT, id="null"),
            pytest.param("+46700000001", Verdict.RIGHT, id="no identity that can be read"),
        ],
    )
    async def test_a_success_for_another_number_is_doubtful(
        self, sinch: SinchVerificationClient, answers: respx.Route, identity: object, verdict: Verdict
    ) -> None:
        answers.respond(json={"id": ID, "method": "sms", "status": "SUCCESSFUL", "identity": identity})

        assert await sinch.report(verification_id=ID, method=SMS, code=CODE, number=NUMBER) is verdict

    async def test_a_conflict_is_not_about_the_code(
        self, sinch: SinchVerificationClient, answers: respx.Route
    ) -> None:
        answers.respond(409, json=failure(40900))

        assert await _report(sinch) is Verdict.REFUSED

    @pytest.mark.parametrize("answer", [*UNREADABLE, *SERVER_ERRORS])
    async def test_an_outage_is_neither_right_nor_wrong(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response
    ) -> None:
        answers.return_value = answer

        assert await _report(sinch) is Verdict.UNAVAILABLE
        assert answers.call_count == 1

    @pytest.mark.parametrize(("answer", "_error_code"), REFUSALS)
    async def test_a_refusal_is_not_about_the_code(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response, _error_code: str
    ) -> None:
        answers.return_value = answer

        assert await _report(sinch) is Verdict.REFUSED
        assert answers.call_count == 1

    @pytest.mark.parametrize(("error", "_outcome"), WIRE)
    async def test_no_answer(
        self, sinch: SinchVerificationClient, answers: respx.Route, error: Exception, _outcome: Unavailable
    ) -> None:
        answers.side_effect = error

        assert await _report(sinch) is Verdict.UNAVAILABLE
        assert answers.call_count == 1


class TestStatus:
    @pytest.mark.parametrize("error_code", [40400, "40400"])
    async def test_not_found(
        self, sinch: SinchVerificationClient, answers: respx.Route, error_code: object
    ) -> None:
        answers.respond(404, json=failure(error_code))

        assert await sinch.status_by_reference(REFERENCE) == NotFound()
        assert await sinch.status_by_id(ID) == NotFound()

    @pytest.mark.parametrize(("answer", "error_code"), REFUSALS)
    async def test_refused(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response, error_code: str
    ) -> None:
        answers.return_value = answer

        assert await sinch.status_by_reference(REFERENCE) == Refused(error_code)
        assert answers.call_count == 1

    @pytest.mark.parametrize(
        "answer",
        [
            *UNREADABLE,
            *SERVER_ERRORS,
            pytest.param(httpx.Response(200, json={"status": "PENDING"}), id="200 without id"),
            pytest.param(httpx.Response(200, json={"id": ID}), id="200 without status"),
        ],
    )
    async def test_no_usable_answer(
        self, sinch: SinchVerificationClient, answers: respx.Route, answer: httpx.Response
    ) -> None:
        answers.return_value = answer

        assert await sinch.status_by_reference(REFERENCE) == REACHED
        assert answers.call_count == 1

    @pytest.mark.parametrize(("error", "outcome"), WIRE)
    async def test_no_answer(
        self, sinch: SinchVerificationClient, answers: respx.Route, error: Exception, outcome: Unavailable
    ) -> None:
        answers.side_effect = error

        assert await sinch.status_by_id(ID) == outcome
        assert answers.call_count == 1

    async def test_everything_there_is_to_read(
        self, sinch: SinchVerificationClient, answers: respx.Route
    ) -> None:
        answers.respond(
            content=b'{"id": "1", "method": "sms", "status": "Fail", "reason": "Invalid code",'
            b'"identity": {"type": "number", "endpoint": "+46700000000", "verified": false},'
            b'"price": {"verificationPrice": {"currencyId": "eur", "amount": 0.0453}, "billableDuration": 1}}'
        )

        assert await sinch.status_by_id("1") == VerificationState(
            id="1",
            method="sms",
            status="FAIL",
            reason="Invalid code",
            number=NUMBER,
            price=Price(currency="EUR", amount=Decimal("0.0453")),
        )

    @pytest.mark.parametrize(
        "rest",
        [
            pytest.param({}, id="missing"),
            pytest.param({"reason": None, "identity": None, "price": None}, id="null"),
            pytest.param({"reason": [], "identity": "x", "price": 1}, id="other types"),
            pytest.param({"reason": {}, "identity": [], "price": {"terminationPrice": {}}}, id="empty"),
            pytest.param({"identity": {"endpoint": {}}, "price": {"verificationPrice": 1}}, id="inside"),
        ],
    )
    async def test_what_may_be_missing_spoils_nothing_else(
        self, sinch: SinchVerificationClient, answers: respx.Route, rest: dict[str, Any]
    ) -> None:
        answers.respond(json={"id": ID, "status": "ERROR"} | rest)

        assert await sinch.status_by_id(ID) == VerificationState(id=ID, status="ERROR")

    @pytest.mark.parametrize(
        "price",
        [
            pytest.param({"currencyId": "EUR", "amount": -1}, id="negative"),
            pytest.param({"currencyId": "EUR", "amount": "NaN"}, id="not a number"),
            pytest.param({"currencyId": "EUR", "amount": "Infinity"}, id="endless"),
            pytest.param({"currencyId": "EUR", "amount": 1_000_001}, id="beyond all reason"),
            pytest.param({"currencyId": "EURO", "amount": 1}, id="no currency"),
            pytest.param({"currencyId": None, "amount": 1}, id="currency is null"),
            pytest.param({"amount": 1}, id="currency is missing"),
            pytest.param({"currencyId": "EUR"}, id="amount is missing"),
        ],
    )
    async def test_what_is_no_price_is_none(
        self, sinch: SinchVerificationClient, answers: respx.Route, price: dict[str, Any]
    ) -> None:
        answers.respond(json={"id": ID, "status": "FAIL", "price": {"verificationPrice": price}})

        assert await sinch.status_by_id(ID) == VerificationState(id=ID, status="FAIL")


@pytest.mark.parametrize("error_code", ["40001", "40005", "40300", "42201"])
def test_what_another_channel_may_reach(error_code: str) -> None:
    assert Refused(error_code).is_about_destination


@pytest.mark.parametrize(
    "error_code", ["42901", "42900", "429", "40102", "401", "40200", "40303", "40002", "DENIED"]
)
def test_what_no_other_channel_helps_against(error_code: str) -> None:
    assert not Refused(error_code).is_about_destination
