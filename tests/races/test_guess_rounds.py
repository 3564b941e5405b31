"""Twenty rounds of guessing, counted at the judge: no resend, login, channel or restart gives one more."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from conftest import NewService
from otp_auth.challenges.codes import Codes
from support.scale import FULL
from support.service import Json, Service, new_number, with_callbacks

Play = Callable[[Service, str, int], Awaitable[None]]

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROUNDS = 20
UNLIMITED_SENDS = {
    "resend_gap": "0",
    "per_number_hour": 1000,
    "per_number_day": 1000,
    "per_account_hour": 1000,
    "per_account_day": 1000,
    "per_address_hour": 1000,
    "per_address_day": 1000,
    "per_block_hour": 1000,
    "per_block_day": 1000,
}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The wrong codes that reached the judge."""
    wrong: list[str] = []
    is_right = Codes.is_right

    def note(self: Codes, challenge_id: UUID, code: str) -> bool:
        right = is_right(self, challenge_id, code)
        if not right:
            wrong.append(code)
        return right

    monkeypatch.setattr(Codes, "is_right", note)
    return wrong


def a_wrong_code(service: Service, pending: Json) -> str:
    if pending["challenge"] is None:  # the phone is no factor any more
        return "000000"
    right = service.app.state.codes.of(UUID(pending["challenge"]["id"]))
    return f"{(int(right) + 1) % 10**6:06}"


async def two_wrong_codes(service: Service, pending: Json) -> None:
    for _ in range(2):
        answer = await service.verify(pending, a_wrong_code(service, pending))
        assert answer.status_code in {400, 410, 422, 429}


@pytest.fixture(params=["sqlite", "postgres"] if FULL else ["postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_database")
    return url


async def resend_rounds(service: Service, number: str, rounds: int) -> None:
    for _ in range(rounds):
        pending = await service.start_login(number)
        await two_wrong_codes(service, pending)
        await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
        await two_wrong_codes(service, pending)


async def login_rounds(service: Service, number: str, rounds: int) -> None:
    for which in range(rounds):
        pending = await service.start_login(number, method=("sms", "voice")[which % 2])
        await two_wrong_codes(service, pending)


@pytest.mark.parametrize("play", [resend_rounds, login_rounds])
async def test_guesses_never_pass_the_budget(new_service: NewService, judged: list[str], play: Play) -> None:
    number = new_number()
    with ExitStack() as stack:
        clock = stack.enter_context(time_machine.travel(START, tick=False))
        async with new_service(send=UNLIMITED_SENDS) as service, with_callbacks(service):
            await service.register(number)
            await play(service, number, ROUNDS // 2)
            assert len(judged) == 5  # in five minutes

        # A restart in the middle, and an hour of it.
        async with new_service(send=UNLIMITED_SENDS) as service, with_callbacks(service):
            await play(service, number, ROUNDS // 2)
            assert len(judged) == 5
            for _ in range(9):
                clock.shift(timedelta(minutes=5, seconds=1))
                await play(service, number, 2)
            assert len(judged) == 20

            for _ in range(70):
                clock.shift(timedelta(hours=12))
                await play(service, number, 3)
            assert len(judged) == 50  # in a row: then the phone is no factor any more

            pending = await service.start_login(number)
            assert [each["method"] for each in pending["methods"]] == ["recovery_code"]
            assert pending["challenge"] is None


async def test_other_accounts_are_not_touched(new_service: NewService, judged: list[str]) -> None:
    attacked, other = new_number(), new_number()
    async with new_service(send=UNLIMITED_SENDS) as service, with_callbacks(service):
        await service.register(attacked)
        await service.register(other)
        await login_rounds(service, attacked, 5)

        assert (await service.log_in(other))["status"] == "authenticated"
    assert len(judged) == 5
