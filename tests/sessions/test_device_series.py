"""The tokens of a trusted device: one chain, what a spent one still gets, and when it is taken for stolen."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import time_machine
from sqlalchemy import select, update

from conftest import NewService
from otp_auth.accounts.models import User
from otp_auth.audit.models import AuditEvent
from otp_auth.housekeeping import purge
from otp_auth.sessions import trusted_devices
from otp_auth.sessions.models import TrustedDevice
from otp_auth.tokens.opaque import digest, unseal
from support.devices import ON, WIDE, is_asked_for_a_code, let_in, register_trusted, show, trust_another
from support.service import Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)
A_MOMENT = timedelta(milliseconds=1)
Clock = time_machine.Traveller


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON) as running:
        yield running


@pytest_asyncio.fixture
async def tokens(clock: Clock, service: Service) -> AsyncIterator[Json]:
    assert clock
    yield await register_trusted(service)


async def next_of(service: Service, tokens: Json, device_token: str | None = None) -> str:
    return str((await let_in(service, tokens, device_token))["device_token"])


async def devices(service: Service) -> list[TrustedDevice]:
    async with service.database.read() as tx:
        return list(await tx.scalars(select(TrustedDevice).order_by(TrustedDevice.id)))


async def events(service: Service, *names: str) -> list[tuple[str, dict[str, Any]]]:
    told = select(AuditEvent).where(AuditEvent.name.in_(names)).order_by(AuditEvent.id)
    async with service.database.read() as tx:
        return [(event.name, event.detail) for event in await tx.scalars(told)]


async def is_alive(service: Service, tokens: Json) -> bool:
    return (await service.get("/me", tokens["access_token"])).status_code == 200


class TestRotation:
    async def test_each_login_gets_another_token(self, service: Service, tokens: Json) -> None:
        shown = [tokens["device_token"]]
        for _ in range(4):
            shown.append(await next_of(service, tokens, shown[-1]))

        assert len(set(shown)) == 5

    async def test_it_goes_on_to_its_end_and_no_login_moves_that(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        clock.shift(timedelta(days=30) - A_MOMENT)
        last = await next_of(service, tokens)
        clock.shift(A_MOMENT)

        assert await is_asked_for_a_code(service, tokens, last, tokens["device_token"])
        assert await events(service, "device_theft", "device_revoked") == []

    async def test_use_and_place_are_remembered(self, service: Service, tokens: Json, clock: Clock) -> None:
        clock.shift(timedelta(hours=1))
        await next_of(service, tokens)

        [device] = await devices(service)
        assert (device.created_at, device.last_used_at) == (START, START + timedelta(hours=1))
        assert device.network == "127.0.0.0/24"

    async def test_nothing_stored_is_a_token(self, service: Service, tokens: Json) -> None:
        newest = await next_of(service, tokens)

        [device] = await devices(service)
        stored = repr(vars(device))
        for token in (tokens["device_token"], newest):
            secret = token.split(".")[1]
            assert secret not in stored
            assert len(secret) >= 43  # 256 bits
        assert device.digest == digest(newest)


class TestGrace:
    async def test_a_lost_answer_is_given_again(self, service: Service, tokens: Json, clock: Clock) -> None:
        lost = await let_in(service, tokens)
        clock.shift(GRACE - A_MOMENT)

        again = await let_in(service, tokens)

        assert again["device_token"] == lost["device_token"]
        assert again["session_id"] != lost["session_id"]
        assert await events(service, "device_theft") == []

    async def test_another_worker_answers_alike(
        self, new_service: NewService, service: Service, tokens: Json
    ) -> None:
        newest = await next_of(service, tokens)

        async with new_service(trusted_devices=ON) as other:
            assert await next_of(other, tokens) == newest

    async def test_only_the_one_before_opens_the_seal(self, service: Service, tokens: Json) -> None:
        newest = (await next_of(service, tokens)).split(".")[1]
        [device] = await devices(service)

        assert device.sealed_successor is not None
        assert unseal(device.sealed_successor, tokens["device_token"]) == newest
        for known in (device.digest, device.previous_digest or "", str(device.id), newest):
            assert unseal(device.sealed_successor, known) is None

    async def test_seals_past_it_are_forgotten(self, service: Service, tokens: Json, clock: Clock) -> None:
        newest = await next_of(service, tokens)
        clock.shift(GRACE - A_MOMENT)
        early = (await purge(service.database, service.settings))["device seals"]
        clock.shift(A_MOMENT)
        late = (await purge(service.database, service.settings))["device seals"]

        [device] = await devices(service)
        assert (early, late, device.sealed_successor) == (0, 1, None)
        await let_in(service, tokens, newest)

    async def test_without_grace_any_second_use_is_theft(self, new_service: NewService) -> None:
        async with new_service(trusted_devices=ON, tokens={"refresh_grace": 0}) as service:
            tokens = await register_trusted(service)
            newest = await next_of(service, tokens)

            assert await is_asked_for_a_code(service, tokens, tokens["device_token"], newest)


class TestTheft:
    async def test_the_device_ends_with_all_that_rests_on_a_password_alone(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        number = tokens["user"]["phone_number"]
        clock.shift(A_MOMENT)  # ids are in order of time
        other = await trust_another(service, number)
        by_device, by_other = await let_in(service, tokens), await let_in(service, other)
        clock.shift(GRACE)

        assert await is_asked_for_a_code(service, tokens, tokens["device_token"], by_device["device_token"])

        alive = [await is_alive(service, each) for each in (by_device, by_other, tokens, other)]
        assert alive == [False, False, True, True]
        [device, _] = await devices(service)
        assert await events(service, "device_theft") == [("device_theft", {"device_id": str(device.id)})]
        revoked = await events(service, "session_revoked")
        assert revoked == [("session_revoked", {"reason": "device_theft"})] * 2
        assert await is_asked_for_a_code(service, tokens, tokens["device_token"])
        await let_in(service, other, by_other["device_token"])

    async def test_the_login_goes_on_to_a_code(self, service: Service, tokens: Json, clock: Clock) -> None:
        number = tokens["user"]["phone_number"]
        await let_in(service, tokens)
        clock.shift(GRACE)

        pending = await service.start_login(number, device_token=tokens["device_token"])

        assert pending["challenge"]["delivery"] == "sent"
        assert "device_token" not in await service.prove(pending, number)

    async def test_a_token_older_than_the_last_two_is_theft_at_any_time(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        first = await next_of(service, tokens)
        clock.shift(GRACE)
        second = await next_of(service, tokens, first)

        assert await is_asked_for_a_code(service, tokens, tokens["device_token"], second)
        assert len(await events(service, "device_theft")) == 1

    async def test_it_is_seen_after_a_restart_too(
        self, new_service: NewService, service: Service, tokens: Json, clock: Clock
    ) -> None:
        newest = await next_of(service, tokens)
        clock.shift(timedelta(days=3))

        async with new_service(trusted_devices=ON) as restarted:
            assert await is_asked_for_a_code(restarted, tokens)
        async with new_service(trusted_devices=ON) as restarted:
            assert await is_asked_for_a_code(restarted, tokens, newest)

    async def test_a_wrong_password_finds_none(self, service: Service, tokens: Json, clock: Clock) -> None:
        newest = await next_of(service, tokens)
        clock.shift(GRACE)

        assert (await show(service, tokens, password="Wrong-Lantern-99")).status_code == 401

        await let_in(service, tokens, newest)

    async def test_without_the_clock_a_stolen_token_would_do(
        self, service: Service, tokens: Json, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newest = await next_of(service, tokens)
        clock.shift(GRACE)
        monkeypatch.setattr(trusted_devices, "was_spent_long_ago", lambda *_: False)

        assert await next_of(service, tokens) == newest


class TestWhatIsNoTokenOfTheAccount:
    @pytest.mark.parametrize("place", [0, 40, -1], ids=["device", "secret", "mark"])
    async def test_a_made_up_one_is_passed_over_and_ends_nothing(
        self, service: Service, tokens: Json, place: int
    ) -> None:
        signs = list(tokens["device_token"])
        signs[place] = "0" if signs[place] != "0" else "1"

        assert await is_asked_for_a_code(service, tokens, "".join(signs), tokens["device_token"] + "0")

        await let_in(service, tokens)
        assert await events(service, "device_theft", "device_revoked") == []

    async def test_a_change_of_the_service_secret_ends_no_device(
        self, new_service: NewService, service: Service, tokens: Json, clock: Clock
    ) -> None:
        secret = service.settings.secret_key.get_secret_value()
        newest = await next_of(service, tokens)
        another: dict[str, Any] = {
            "secret_key": "another-secret-of-the-tests-0123456789",
            "trusted_devices": ON,
        }

        async with new_service(**another, previous_secret_keys=secret) as changed:
            assert await next_of(changed, tokens) == newest
        async with new_service(**another) as changed:
            assert await is_asked_for_a_code(changed, tokens)  # its successor can't be written again
            newest = await next_of(changed, tokens, newest)
            clock.shift(GRACE)
            await next_of(changed, tokens, newest)
        assert await events(service, "device_theft") == []

    @pytest.mark.parametrize("text", ["x", "..", "a.b.c", "é" * 500, "\0", "0" * 512])
    async def test_any_text_is_passed_over(self, service: Service, tokens: Json, text: str) -> None:
        assert await is_asked_for_a_code(service, tokens, text)

    async def test_tokens_of_another_account_are_passed_over_and_live(
        self, service: Service, tokens: Json, clock: Clock
    ) -> None:
        other = await register_trusted(service)
        newest = await next_of(service, other)
        clock.shift(GRACE)

        assert await is_asked_for_a_code(service, tokens, newest, other["device_token"])

        await let_in(service, other, newest)
        assert await events(service, "device_theft") == []

    async def test_tokens_of_other_kinds_are_passed_over(self, service: Service, tokens: Json) -> None:
        others = (tokens["refresh_token"], tokens["access_token"][:512], tokens["session_id"])

        assert await is_asked_for_a_code(service, tokens, *others)

    @pytest.mark.parametrize(
        "change",
        [{"ended_at": START}, {"expires_at": START}, {"password_version": 2}],
        ids=["ended", "expired", "of another password"],
    )
    async def test_of_a_device_that_is_over_neither_token_does_anything(
        self, service: Service, tokens: Json, clock: Clock, change: dict[str, object]
    ) -> None:
        newest = await next_of(service, tokens)
        clock.shift(GRACE)
        async with service.database.write() as tx:
            await tx.execute(update(TrustedDevice).values(change))

        assert await is_asked_for_a_code(service, tokens, newest, tokens["device_token"])
        assert await events(service, "device_theft") == []

    @pytest.mark.parametrize(
        ("change", "status"), [({"locked_at": START}, 401), ({"password_version": 2}, 200)]
    )
    async def test_what_the_account_is_now_counts(
        self, service: Service, tokens: Json, change: dict[str, object], status: int
    ) -> None:
        """Also when nobody ended the devices: a restored backup."""
        async with service.database.write() as tx:
            await tx.execute(update(User).values(change))

        answer = await show(service, tokens)

        assert (answer.status_code, answer.json().get("status") == "authenticated") == (status, False) or (
            status == 401 and answer.json()["code"] == "invalid_credentials"
        )


class TestNumberOfDevices:
    async def test_the_one_used_longest_ago_makes_room(self, new_service: NewService, clock: Clock) -> None:
        async with new_service(send=WIDE, trusted_devices=ON | {"per_account": 2}) as service:
            number = new_number()
            first = await register_trusted(service, number)
            clock.shift(timedelta(minutes=1))
            second = await trust_another(service, number)
            clock.shift(timedelta(minutes=1))
            first = await let_in(service, first)
            clock.shift(timedelta(minutes=1))

            third = await trust_another(service, number)

            assert await is_asked_for_a_code(service, second)
            await let_in(service, first)
            await let_in(service, third)
            ended = (await devices(service))[1].id
            because = {"device_id": str(ended), "reason": "too_many_devices"}
            assert await events(service, "device_revoked") == [("device_revoked", because)]

    async def test_devices_that_are_over_and_others_take_no_room(
        self, new_service: NewService, clock: Clock
    ) -> None:
        policy = ON | {"per_account": 1, "lifetime": 60}
        async with new_service(send=WIDE, trusted_devices=policy) as service:
            number, other = new_number(), await register_trusted(service)
            await register_trusted(service, number)
            clock.shift(timedelta(seconds=59))
            other = await let_in(service, other)
            clock.shift(timedelta(seconds=1))

            await trust_another(service, number)

            assert await events(service, "device_revoked") == []


async def test_what_is_over_is_purged_after_a_day(service: Service, tokens: Json, clock: Clock) -> None:
    other = await register_trusted(service)
    async with service.database.write() as tx:
        mine = TrustedDevice.user_id == UUID(tokens["user"]["id"])
        await tx.execute(update(TrustedDevice).where(mine).values(ended_at=START))
    clock.shift(timedelta(days=1))
    at_once = (await purge(service.database, service.settings))["devices"]
    clock.shift(timedelta(seconds=1))
    later = (await purge(service.database, service.settings))["devices"]
    left = [str(each.user_id) for each in await devices(service)]
    clock.shift(timedelta(days=30))
    expired = (await purge(service.database, service.settings))["devices"]

    assert (at_once, later, left, expired) == (0, 1, [other["user"]["id"]], 1)
