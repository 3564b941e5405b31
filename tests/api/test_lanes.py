"""What strangers do with a number neither delays its owner's codes nor tells whether it has an owner."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from conftest import NewService
from otp_auth import main
from otp_auth.challenges.following import follow_due
from otp_auth.challenges.sends import SendRepository
from support.service import Json, Service, new_number, with_callbacks, wrong

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@asynccontextmanager
async def perhaps_with_callbacks(service: Service, callbacks: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        if callbacks:
            await stack.enter_async_context(with_callbacks(service))
        yield


async def register_often(service: Service, number: str, times: int = 6) -> list[Json]:
    return [await service.start_registration(number) for _ in range(times)]


async def test_a_stranger_does_not_delay_the_owner(service: Service) -> None:
    number = new_number()
    await service.register(number)
    await register_often(service, number)
    pending = await service.start_login(number)

    assert pending["challenge"]["delivery"] in {"sent", "delivered"}
    assert (await service.prove(pending, number))["status"] == "authenticated"


async def test_a_stranger_does_not_spend_the_owners_messages(new_service: NewService) -> None:
    async with new_service(send={"resend_gap": "0", "per_number_hour": 3}) as service:
        number = new_number()
        await service.register(number)
        registrations = await register_often(service, number)
        logins = [await service.start_login(number) for _ in range(4)]

    assert [each["challenge"]["delivery"] for each in registrations] == ["sent"] * 3 + ["not_sent"] * 3
    # The registration that was proved counts with the logins.
    assert [each["challenge"]["delivery"] for each in logins] == ["sent"] * 2 + ["not_sent"] * 2


@pytest.mark.parametrize("callbacks", [True, False])
async def test_a_code_that_the_owner_waits_for_stays_alive(service: Service, callbacks: bool) -> None:
    number = new_number()
    async with perhaps_with_callbacks(service, callbacks):
        await service.register(number)
        login = await service.start_login(number)
        code = await service.simulator.code(number)
        before = await service.simulator.starts(number)
        await register_often(service, number)

        assert await service.simulator.starts(number) == before
        assert (await service.verify(login, code)).status_code == 200


async def test_without_the_decoy_it_would_not(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> bool:
        return False

    monkeypatch.setattr(SendRepository, "owner_awaits_code", never)
    number = new_number()
    await service.register(number)
    login = await service.start_login(number)
    code = await service.simulator.code(number)
    await register_often(service, number)

    assert (await service.verify(login, code)).status_code == 400


@pytest.mark.parametrize("callbacks", [True, False])
@pytest.mark.parametrize("asked", ["sms", "voice", "flashcall"])
@pytest.mark.parametrize("awaited", ["sms", "voice", "flashcall"])
async def test_a_stranger_sees_no_difference(
    new_service: NewService, callbacks: bool, asked: str, awaited: str
) -> None:
    """Registering a number whose owner logs in looks like registering one that nobody has."""
    async with new_service(send={"methods": "sms,voice,flashcall"}) as service:
        await compare_registrations(service, callbacks, asked, awaited)


async def compare_registrations(service: Service, callbacks: bool, asked: str, awaited: str) -> None:
    owned, free = new_number(), new_number()
    with time_machine.travel(START, tick=False) as clock:
        async with perhaps_with_callbacks(service, callbacks):
            await service.register(owned)
            clock.shift(timedelta(seconds=1))
            await service.start_login(owned, method=awaited)
            seen = []
            for number in (owned, free):
                pending = await service.start_registration(number, method=asked)
                answers: list[object] = [seen_of(pending)]
                if callbacks and number == free and asked == "sms":
                    await service.simulator.delivered(to=number)
                answers.append((await service.verify(pending, wrong("1234"))).json()["code"])
                again = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
                answers.append((again.status_code, again.headers.get("Retry-After")))
                seen.append((pending, answers))
            clock.shift(timedelta(seconds=2))
            await follow_due(main._new_following(service.database, service.app.state.sinch, service.settings))
            later = [
                seen_of((await service.get("/auth/otp", pending["pending_token"])).json())
                for pending, _ in seen
            ]

    assert seen[0][1] == seen[1][1]
    assert later[0] == later[1]


def seen_of(pending: Json) -> Json:
    """What differs from challenge to challenge is left out: ids, and the last digits of the number."""
    shown = {name: value for name, value in pending["challenge"].items() if name not in {"id", "destination"}}
    if shown["delivery"] == "delivered":  # Sinch's receipt may be as fast as its answer
        shown["delivery"] = "sent"
    return shown


async def test_a_decoy_proves_nothing(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service):
        await service.register(number)
        await service.start_login(number)
        pending = await service.start_registration(number)
        code = service.app.state.codes.of(UUID(pending["challenge"]["id"]))

        assert (await service.verify(pending, code)).json()["code"] == "wrong_code"
