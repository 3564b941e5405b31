"""After a change of the service's secret: seeds are sealed anew, and codes go on."""

from collections.abc import Sequence
from typing import Any

import pytest
from loguru import logger
from sqlalchemy import select, update

from conftest import NewService
from otp_auth.factors import resealing
from otp_auth.factors.models import TotpAuthenticator
from otp_auth.factors.resealing import count_by_key, reseal
from otp_auth.factors.totp import Seeds
from otp_auth.sealing import Sealer
from support.authenticator import App, add_app
from support.service import Service, new_number

BEFORE = "a-secret-of-the-tests-0123456789-abcdef"  # as in `settings_for`
AFTER = "the-next-secret-of-tests-9876543210-fedcba"
ROTATED: dict[str, Any] = {"secret_key": AFTER, "previous_secret_keys": BEFORE}


async def enrol_some(new_service: NewService, how_many: int) -> list[tuple[str, App]]:
    enrolled = []
    async with new_service() as service:
        for _ in range(how_many):
            number = new_number()
            enrolled.append((number, await add_app(service, await service.register(number))))
    return enrolled


async def log_in(service: Service, number: str, code: str) -> int:
    pending = await service.start_login(number, method="none")
    return (await service.verify(pending, code, method="totp")).status_code


async def sealed(service: Service) -> Sequence[str]:
    async with service.database.read() as tx:
        return (await tx.scalars(select(TotpAuthenticator.sealed_seed))).all()


async def test_codes_go_on_before_and_after_seeds_are_sealed_anew(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH", 2)
    [(number, app), *_] = await enrol_some(new_service, 5)

    async with new_service(**ROTATED) as service:
        assert await log_in(service, number, app.code()) == 200
        assert await reseal(service.database, service.app.state.seeds) == 5
        assert await reseal(service.database, service.app.state.seeds) == 0
        assert all(Sealer(AFTER).is_present(each) for each in await sealed(service))
        assert await count_by_key(service.database) == {Sealer(AFTER).key_id: 5}

    async with new_service(secret_key=AFTER) as service:
        assert await log_in(service, number, app.code(1)) == 200


async def test_without_the_earlier_secret_a_code_is_wrong_and_the_log_says_what_to_do(
    new_service: NewService,
) -> None:
    [(number, app)] = await enrol_some(new_service, 1)
    lines: list[str] = []

    async with new_service(secret_key=AFTER) as service:
        sink = logger.add(lines.append)
        try:
            assert [await log_in(service, number, app.code()) for _ in range(2)] == [400, 400]
            assert await reseal(service.database, service.app.state.seeds) == 0
        finally:
            logger.remove(sink)
    async with new_service(**ROTATED) as service:
        assert await log_in(service, number, app.code()) == 200

    assert "".join(lines).count("OTP_AUTH_PREVIOUS_SECRET_KEYS") == 1


async def test_a_seed_that_was_replaced_meanwhile_stays(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrol_some(new_service, 1)

    async with new_service(**ROTATED) as service:
        seeds: Seeds = service.app.state.seeds
        find = resealing._find

        async def replace_after_finding(*asked: Any) -> Sequence[TotpAuthenticator]:
            found = await find(*asked)
            for app in found:
                newer = seeds.seal(b"a newer seed, really", app.user_id)
                async with service.database.write() as tx:
                    await tx.execute(update(TotpAuthenticator).values(sealed_seed=newer))
            return found

        monkeypatch.setattr(resealing, "_find", replace_after_finding)
        assert await reseal(service.database, seeds) == 0

        [kept] = await sealed(service)
        async with service.database.read() as tx:
            [app] = await tx.scalars(select(TotpAuthenticator))
        assert seeds.open(kept, app.user_id) == b"a newer seed, really"
