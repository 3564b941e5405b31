"""A new set of recovery codes voids the old one, at once and whole."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from otp_auth.accounts import recovery
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.factors.models import RecoveryCode
from support.service import Json, Service, new_number


async def renew(service: Service, tokens: Json) -> list[str]:
    answer = await service.post("/me/recovery-codes", token=tokens["access_token"])
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert body.keys() == {"recovery_codes"}
    codes: list[str] = body["recovery_codes"]
    return codes


async def gets_in(service: Service, number: str, code: str) -> bool:
    pending = await service.start_login(number, method="none")
    return (await service.verify(pending, code, method="recovery_code")).is_success


async def renewals(service: Service) -> Sequence[AuditEvent]:
    named = AuditEvent.name == EventName.RECOVERY_CODES_REGENERATED.value
    async with service.database.read() as tx:
        return (await tx.scalars(select(AuditEvent).where(named))).all()


async def test_ten_new_codes_let_in_and_no_old_one_does(service: Service) -> None:
    number = new_number()
    tokens = await service.register(number)
    old = tokens["recovery_codes"]
    used = await gets_in(service, number, old[0])

    new = await renew(service, tokens)

    assert used
    assert len(set(new)) == 10
    assert not set(new) & set(old)
    assert [await gets_in(service, number, code) for code in (old[0], old[1], new[0], new[0], new[1])] == [
        False,
        False,
        True,
        False,
        True,
    ]


async def test_others_keep_theirs(service: Service) -> None:
    number = new_number()
    bob = await service.register(number)

    await renew(service, await service.register(new_number()))

    assert await gets_in(service, number, bob["recovery_codes"][0])


async def test_it_is_told_in_the_audit_trail(service: Service) -> None:
    tokens = await service.register(new_number())

    await renew(service, tokens)

    [event] = await renewals(service)
    assert (str(event.user_id), str(event.session_id)) == (tokens["user"]["id"], tokens["session_id"])
    assert event.detail == {}


async def test_what_fails_leaves_the_old_set(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    number = new_number()
    tokens = await service.register(number)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recovery, "record", fail)
    answer = await service.post("/me/recovery-codes", token=tokens["access_token"])

    assert answer.status_code == 500
    assert await gets_in(service, number, tokens["recovery_codes"][0])
    async with service.database.read() as tx:
        assert len((await tx.scalars(select(RecoveryCode))).all()) == 10
