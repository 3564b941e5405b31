"""Too many wrong codes shut one factor off; the others go on, and a proof of any of them brings it back."""

from collections.abc import AsyncIterator

import pytest
from api_surface import code_of

from conftest import NewService
from support.authenticator import App, add_app
from support.service import Json, Service, new_number, wrong

CAP = 3
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}
BUDGETS = {"consecutive": CAP, "codes_5_minutes": 100, "codes_hour": 100, "codes_day": 100}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE | {"resend_gap": "0"}, guesses=BUDGETS) as running:
        yield running


class Ada:
    """Somebody with all factors, and somebody who guesses at them."""

    def __init__(self, service: Service, number: str, tokens: Json, app: App) -> None:
        self.service, self.number, self.tokens, self.app = service, number, tokens, app
        self.steps = iter((0, 1))

    async def right(self, method: str) -> str:
        if method == "totp":
            return self.app.code(next(self.steps))
        codes: list[str] = self.tokens["recovery_codes"]
        return codes.pop() if method == "recovery_code" else await self.service.simulator.code(self.number)

    async def shut_off(self, method: str) -> None:
        pending = await self.service.start_login(self.number)
        code = self.app.wrong_code() if method == "totp" else wrong(await self.right("sms"))
        for _ in range(CAP):
            assert code_of(await self.service.verify(pending, code, method=method)) == "wrong_code"

    async def offered(self) -> list[str]:
        pending = await self.service.start_login(self.number, method="none")
        return [offer["method"] for offer in pending["methods"]]

    async def proves(self, method: str) -> bool:
        """Log in, and say whether that went well."""
        pending = await self.service.start_login(self.number)
        return (await self.service.verify(pending, await self.right(method), method=method)).is_success

    async def disabled(self) -> list[str]:
        answer = await self.service.get("/me/factors", self.tokens["access_token"])
        return [each["method"] for each in answer.json()["items"] if each["disabled"]]


@pytest.fixture
async def ada(service: Service) -> Ada:
    number = new_number()
    tokens = await service.register(number)
    return Ada(service, number, tokens, await add_app(service, tokens))


@pytest.mark.parametrize(
    ("shut_off", "left", "way_back"),
    [
        ("totp", ["sms", "recovery_code"], "sms"),
        ("totp", ["sms", "recovery_code"], "recovery_code"),
        ("sms", ["totp", "recovery_code"], "totp"),
        ("sms", ["totp", "recovery_code"], "recovery_code"),
    ],
)
async def test_one_is_off_and_another_brings_it_back(
    ada: Ada, shut_off: str, left: list[str], way_back: str
) -> None:
    await ada.shut_off(shut_off)

    assert await ada.offered() == left
    assert await ada.disabled() == [shut_off]
    assert not await ada.proves(shut_off)  # the right code too
    assert await ada.proves(way_back)
    assert await ada.disabled() == []
    assert await ada.proves(shut_off)


async def test_with_both_off_a_recovery_code_is_the_way_back(ada: Ada) -> None:
    await ada.shut_off("totp")
    await ada.shut_off("sms")

    assert await ada.offered() == ["recovery_code"]
    assert await ada.proves("recovery_code")
    assert await ada.offered() == ["totp", "sms", "recovery_code"]


async def test_a_proof_of_another_doesnt_clear_a_count_that_runs(ada: Ada) -> None:
    pending = await ada.service.start_login(ada.number)
    for _ in range(CAP - 1):
        await ada.service.verify(pending, ada.app.wrong_code(), method="totp")
    assert await ada.proves("sms")
    again = await ada.service.start_login(ada.number, method="none")
    await ada.service.verify(again, ada.app.wrong_code(), method="totp")

    assert await ada.disabled() == ["totp"]


async def test_an_app_that_is_enrolled_anew_is_on(ada: Ada) -> None:
    await ada.shut_off("totp")
    token = ada.tokens["access_token"]

    assert (await ada.service.ask("DELETE", "/me/factors/totp", token=token)).status_code == 204
    anew = Ada(ada.service, ada.number, ada.tokens, await add_app(ada.service, ada.tokens))

    assert await anew.disabled() == []
    assert await anew.proves("totp")
