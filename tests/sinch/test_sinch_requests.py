"""What the client sends."""

import base64

import pytest
import respx
import sinch_answers
from sinch_answers import (
    BASE_URL,
    CODE,
    ID,
    KEY,
    NUMBER,
    REFERENCE,
    SECRET,
    VERIFICATIONS,
    body_of,
    is_signed,
    sent,
    sinch_client,
)

from otp_auth.sinch.client import SinchVerificationClient
from otp_auth.sinch.schemas import VerificationMethod, VerificationState

sinch, sinch_api = sinch_answers.sinch, sinch_answers.sinch_api

SMS = VerificationMethod.SMS
STARTED = {"id": ID, "method": "sms", "sms": {"interceptionTimeout": 298}, "_links": []}
PENDING = {"id": ID, "method": "sms", "status": "PENDING"}


class TestStart:
    @pytest.mark.parametrize("method", list(VerificationMethod))
    async def test_body(
        self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter, method: VerificationMethod
    ) -> None:
        start = sinch_api.post(f"{BASE_URL}{VERIFICATIONS}").respond(json=STARTED)

        await sinch.start(method=method, number=NUMBER, reference=REFERENCE)

        assert body_of(sent(start)) == {
            "identity": {"type": "number", "endpoint": NUMBER},
            "method": method.value,
            "reference": REFERENCE,
        }

    @pytest.mark.parametrize(
        ("method", "options"),
        [
            pytest.param(SMS, {"smsOptions": {"codeType": "Alphanumeric"}}, id="sms"),
            pytest.param(
                VerificationMethod.WHATSAPP, {"whatsappOptions": {"codeType": "Alphanumeric"}}, id="WhatsApp"
            ),
            pytest.param(VerificationMethod.CALLOUT, {}, id="phone call"),
            pytest.param(VerificationMethod.FLASHCALL, {}, id="flash call"),
        ],
    )
    async def test_letters_in_codes_only_by_setting(
        self, sinch_api: respx.MockRouter, method: VerificationMethod, options: dict[str, object]
    ) -> None:
        start = sinch_api.post(f"{BASE_URL}{VERIFICATIONS}").respond(json=STARTED)

        async with sinch_client(code_type="alphanumeric") as sinch:
            await sinch.start(method=method, number=NUMBER, reference=REFERENCE)

        assert body_of(sent(start)) == {
            "identity": {"type": "number", "endpoint": NUMBER},
            "method": method.value,
            "reference": REFERENCE,
            **options,
        }

    @pytest.mark.parametrize(
        ("locale", "expected"),
        [
            pytest.param("sv-SE, en;q=0.8", "sv-SE, en;q=0.8", id="given"),
            pytest.param(None, None, id="not given"),
            pytest.param("", None, id="empty"),
        ],
    )
    async def test_language_only_when_given(
        self,
        sinch: SinchVerificationClient,
        sinch_api: respx.MockRouter,
        locale: str | None,
        expected: str | None,
    ) -> None:
        start = sinch_api.post(f"{BASE_URL}{VERIFICATIONS}").respond(json=STARTED)

        await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE, locale=locale)

        assert sent(start).headers.get("accept-language") == expected


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param(SMS, {"method": "sms", "sms": {"code": CODE}}, id="sms"),
        pytest.param(
            VerificationMethod.CALLOUT, {"method": "callout", "callout": {"code": CODE}}, id="phone call"
        ),
        pytest.param(
            VerificationMethod.WHATSAPP, {"method": "whatsapp", "whatsapp": {"code": CODE}}, id="WhatsApp"
        ),
        pytest.param(
            VerificationMethod.FLASHCALL, {"method": "flashcall", "flashCall": {"cli": CODE}}, id="flash call"
        ),
    ],
)
async def test_report_body(
    sinch: SinchVerificationClient,
    sinch_api: respx.MockRouter,
    method: VerificationMethod,
    body: dict[str, object],
) -> None:
    report = sinch_api.put(f"{BASE_URL}{VERIFICATIONS}/id/{ID}").respond(json={"id": ID})

    await sinch.report(verification_id=ID, method=method, code=CODE)

    assert body_of(sent(report)) == body


@pytest.mark.parametrize("caller", ["+46700000042", "46700000042"])
async def test_a_callers_number_is_handed_on_as_it_is(
    sinch: SinchVerificationClient, sinch_api: respx.MockRouter, caller: str
) -> None:
    report = sinch_api.put(f"{BASE_URL}{VERIFICATIONS}/id/{ID}").respond(json={"id": ID})

    await sinch.report(verification_id=ID, method=VerificationMethod.FLASHCALL, code=caller)

    assert body_of(sent(report)) == {"method": "flashcall", "flashCall": {"cli": caller}}


class TestStatus:
    async def test_by_id(self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter) -> None:
        status = sinch_api.get(f"{BASE_URL}{VERIFICATIONS}/id/{ID}").respond(json=PENDING)

        await sinch.status_by_id(ID)

        assert sent(status).content == b""

    async def test_by_reference(self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter) -> None:
        status = sinch_api.get(f"{BASE_URL}{VERIFICATIONS}/reference/{REFERENCE}").respond(json=PENDING)

        await sinch.status_by_reference(REFERENCE)

        assert sent(status).content == b""

    async def test_a_decimal_id_is_text_to_us(
        self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter
    ) -> None:
        sinch_api.get(path__startswith=VERIFICATIONS).respond(
            json={"id": 1087388, "status": "Successful", "method": "flashCall"}
        )

        state = await sinch.status_by_reference(REFERENCE)

        assert state == VerificationState(id="1087388", status="SUCCESSFUL", method="flashcall")


class TestAuthorization:
    @pytest.mark.parametrize("prefix", ["", "/sandbox", "/a%20place/with%2Fslash"])
    async def test_every_request_is_signed_as_it_travels(
        self, sinch_api: respx.MockRouter, prefix: str
    ) -> None:
        anything = sinch_api.route(host="sinch.test").respond(json={"id": ID, "status": "PENDING"})

        async with sinch_client(base_url=f"{BASE_URL}{prefix}/") as sinch:
            await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE, locale="sv")
            await sinch.report(verification_id=ID, method=SMS, code=CODE)
            await sinch.status_by_id(ID)
            await sinch.status_by_reference(REFERENCE)

        requests = [call.request for call in anything.calls]
        assert [is_signed(request) for request in requests] == [True] * 4
        assert {request.url.raw_path.decode().partition(VERIFICATIONS)[0] for request in requests} == {prefix}

    @pytest.mark.parametrize("name", ["a b", "a/b", "50%", "å?ä=ö#1", "+46", "a%2Fb"])
    async def test_what_needs_encoding_stays_one_segment_and_is_signed_decoded(
        self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter, name: str
    ) -> None:
        status = sinch_api.route(host="sinch.test").respond(json=PENDING)

        await sinch.status_by_reference(name)
        await sinch.report(verification_id=name, method=SMS, code=CODE)

        requests = [call.request for call in status.calls]
        assert [is_signed(request) for request in requests] == [True, True]
        assert all(request.url.query == b"" for request in requests)
        segments = [request.url.raw_path.decode().split("/") for request in requests]
        assert [len(parts) for parts in segments] == [6, 6]
        assert [request.url.path.endswith(f"/{name}") for request in requests] == [True, True]

    async def test_a_get_is_signed_with_its_content_type(
        self, sinch: SinchVerificationClient, sinch_api: respx.MockRouter
    ) -> None:
        status = sinch_api.route(host="sinch.test").respond(json=PENDING)

        await sinch.status_by_id(ID)

        assert sent(status).headers["content-type"] == "application/json"

    async def test_basic_sends_the_secret_as_displayed_and_no_time(self, sinch_api: respx.MockRouter) -> None:
        start = sinch_api.route(host="sinch.test").respond(json=STARTED)

        async with sinch_client(authentication="basic") as sinch:
            await sinch.start(method=SMS, number=NUMBER, reference=REFERENCE)

        scheme, _, pair = sent(start).headers["authorization"].partition(" ")
        assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"{KEY}:{SECRET}")
        assert "x-timestamp" not in sent(start).headers
