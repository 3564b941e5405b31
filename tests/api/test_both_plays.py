"""What Sinch doesn't publish may be either way: the service holds its promises in both plays."""

from collections.abc import Callable
from typing import Any

import pytest

from otp_auth.settings import Settings
from support.service import new_number, running_service, with_callbacks, wrong
from support.simulator import running_simulator

NewSettings = Callable[..., Settings]


@pytest.mark.parametrize("answer", ["fail", "error"])
@pytest.mark.parametrize(("wrong_tries", "then"), [(1, 400), (3, 200)], ids=["first is final", "several"])
async def test_sinchs_code(new_settings: NewSettings, wrong_tries: int, then: int, answer: str) -> None:
    """Our count of tries goes on, whatever Sinch does after a wrong code."""
    play: dict[str, Any] = {"wrong_tries": wrong_tries, "last_wrong_answer": answer}
    async with (
        running_simulator(**play) as simulator,
        running_service(new_settings(sinch={"base_url": simulator.base_url}), simulator) as service,
    ):
        number = new_number()
        pending = await service.start_registration(number)
        right = await simulator.code(number)
        first = await service.verify(pending, wrong(right))
        second = await service.verify(pending, right)

    assert (first.status_code, first.json()["code"], first.json()["attempts_left"]) == (400, "wrong_code", 2)
    assert second.status_code == then


@pytest.mark.parametrize("wrong_tries", [1, 3])
async def test_our_code(new_settings: NewSettings, wrong_tries: int) -> None:
    """Wrong codes of ours don't reach Sinch, so its count doesn't matter."""
    async with (
        running_simulator(wrong_tries=wrong_tries) as simulator,
        running_service(new_settings(sinch={"base_url": simulator.base_url}), simulator) as service,
        with_callbacks(service),
    ):
        number = new_number()
        pending = await service.start_registration(number)
        right = await simulator.code(number)
        wrongs = [(await service.verify(pending, wrong(right))).status_code for _ in range(2)]

        assert wrongs == [400, 400]
        assert (await service.prove(pending, number))["status"] == "authenticated"
