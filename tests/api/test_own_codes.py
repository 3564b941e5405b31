"""Whoever made a code judges it: ours have six digits, and Sinch being away doesn't matter to them."""

import pytest

from conftest import NewService
from otp_auth.identifiers import new_id
from otp_auth.sinch.client import SinchVerificationClient
from otp_auth.sinch.schemas import VerificationMethod
from support.service import Json, Service, new_number, with_callbacks, wrong

NO_GAP = {"send": {"resend_gap": "0"}}
EVERY_CHANNEL = {"send": {"resend_gap": "0", "methods": "sms,voice,flashcall,whatsapp"}}


async def send(service: Service, pending: Json, method: str) -> Json:
    answer = await service.post("/auth/otp/send", {"method": method}, pending["pending_token"])
    assert answer.status_code == 202, answer.text
    challenge: Json = answer.json()
    return challenge


def kind(challenge: Json) -> tuple[str, int | None]:
    return challenge["code_type"], challenge["code_length"]


@pytest.mark.parametrize("method", ["sms", "voice"])
async def test_our_code_has_six_digits(service: Service, method: str) -> None:
    number = new_number()
    async with with_callbacks(service):
        pending = await service.start_registration(number, method=method)
        code = await service.simulator.code(number)
        proved = await service.prove(pending, number)

    assert kind(pending["challenge"]) == ("numeric", 6)
    assert len(code) == 6
    assert proved["status"] == "authenticated"
    assert await service.simulator.reports(number) == 1  # Sinch learns of the conversion


async def test_a_resend_brings_the_same_code_on_another_channel_too(new_service: NewService) -> None:
    async with new_service(**NO_GAP) as service, with_callbacks(service):
        number = new_number()
        pending = await service.start_registration(number)
        await send(service, pending, "sms")
        await send(service, pending, "voice")
        codes = {message["code"] for message in await service.simulator.messages(number)}

        assert len(codes) == 1
        assert (await service.prove(pending, number))["status"] == "authenticated"


async def test_another_worker_judges_alike(new_service: NewService) -> None:
    async with new_service() as one, new_service() as other, with_callbacks(one):
        number = new_number()
        pending = await one.start_registration(number)

        assert (await other.prove(pending, number))["status"] == "authenticated"


async def test_wrong_codes_of_ours_never_reach_sinch(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service):
        pending = await service.start_registration(number)
        code = await service.simulator.code(number)
        answers = [await service.verify(pending, wrong(code)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 410]
    assert await service.simulator.reports(number) == 0


async def test_without_callbacks_sinch_makes_the_code(service: Service) -> None:
    number = new_number()
    pending = await service.start_registration(number)

    assert kind(pending["challenge"]) == ("numeric", None)
    assert len(await service.simulator.code(number)) == 4
    assert (await service.prove(pending, number))["status"] == "authenticated"


@pytest.mark.parametrize(("method", "type_"), [("sms", "alphanumeric"), ("voice", "numeric")])
async def test_sinch_makes_alphanumeric_texts_if_told_so(
    new_service: NewService, method: str, type_: str
) -> None:
    async with new_service(sinch={"code_type": "alphanumeric"}) as service:
        number = new_number()
        pending = await service.start_registration(number, method=method)

        assert kind(pending["challenge"]) == (type_, None)
        assert (await service.prove(pending, number))["status"] == "authenticated"


@pytest.mark.parametrize(("method", "type_"), [("flashcall", "caller_id"), ("whatsapp", "numeric")])
async def test_codes_that_only_sinch_can_make(new_service: NewService, method: str, type_: str) -> None:
    async with new_service(**EVERY_CHANNEL) as service, with_callbacks(service):
        number = new_number()
        pending = await service.start_registration(number, method=method)

        assert kind(pending["challenge"]) == (type_, None)
        assert (await service.prove(pending, number))["status"] == "authenticated"


async def test_only_one_code_is_alive(new_service: NewService) -> None:
    """A call takes the place of our text: what the text said no longer counts, and the tries go on."""
    async with new_service(**EVERY_CHANNEL) as service, with_callbacks(service):
        number = new_number()
        pending = await service.start_registration(number)
        ours = await service.simulator.code(number)
        await service.verify(pending, wrong(ours))
        call = await send(service, pending, "flashcall")

        assert call["attempts_left"] == 2
        assert (await service.verify(pending, ours)).json()["code"] == "wrong_code"
        assert (await service.prove(pending, number))["status"] == "authenticated"


class TestSinchIsAway:
    @pytest.mark.parametrize("kind", ["status", "drop_before", "drop_after", "garbage"])
    async def test_our_code_still_proves(self, service: Service, kind: str) -> None:
        number = new_number()
        async with with_callbacks(service):
            pending = await service.start_registration(number)
            async with service.simulator.fault("report", kind, 503 if kind == "status" else None):
                proved = await service.prove(pending, number)

        assert proved["status"] == "authenticated"

    @pytest.mark.parametrize("kind", ["status", "drop_before", "drop_after", "garbage"])
    async def test_sinchs_code_never_does(self, service: Service, kind: str) -> None:
        number = new_number()
        pending = await service.start_registration(number)
        async with service.simulator.fault("report", kind, 503 if kind == "status" else None):
            answer = await service.verify(pending, await service.simulator.code(number))

        assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")

    async def test_a_wrong_code_is_wrong_all_the_same(self, service: Service) -> None:
        number = new_number()
        async with with_callbacks(service):
            pending = await service.start_registration(number)
            async with service.simulator.fault("report", "status", 503):
                answer = await service.verify(pending, wrong(await service.simulator.code(number)))

        assert (answer.status_code, answer.json()["code"]) == (400, "wrong_code")


async def test_what_sinch_calls_over_is_over(service: Service) -> None:
    """A start that isn't ours replaces ours at Sinch: our own yes is not enough then."""
    number = new_number()
    async with with_callbacks(service):
        pending = await service.start_registration(number)
        code = await service.simulator.code(number)
    # Without a callback now: nobody denies it.
    sinch: SinchVerificationClient = service.app.state.sinch
    await sinch.start(method=VerificationMethod.SMS, number=number, reference=str(new_id()))

    assert (await service.verify(pending, code)).json()["code"] == "wrong_code"


async def test_a_code_whose_proof_was_lost_still_proves(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sinch has had the right code, then the process died before it wrote the session."""
    number = new_number()
    async with with_callbacks(service):
        pending = await service.start_registration(number)
        sinch, report = service.app.state.sinch, service.app.state.sinch.report

        async def report_twice(**asked: object) -> object:
            await report(**asked)
            return await report(**asked)

        monkeypatch.setattr(sinch, "report", report_twice)
        proved = await service.prove(pending, number)

    assert proved["status"] == "authenticated"


async def test_another_secret_makes_another_code(new_service: NewService) -> None:
    async with new_service() as one, new_service(secret_key="another-secret-0123456789-abcdefghij") as other:
        number = new_number()
        async with with_callbacks(one):
            pending = await one.start_registration(number)
            code = await one.simulator.code(number)

        assert (await other.verify(pending, code)).json()["code"] == "wrong_code"
