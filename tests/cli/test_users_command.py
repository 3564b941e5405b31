"""`otp-auth users`: one account, found by phone number, e-mail address or id; each change is audited."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import commands
import pytest
from commands import Answer, Run, assert_refused
from sqlalchemy import select

from conftest import NewService
from otp_auth.accounts.models import PasswordReset
from otp_auth.audit.models import AuditEvent
from otp_auth.factors.models import FactorFailures, FactorKind
from otp_auth.sessions.models import TrustedDevice
from support.authenticator import add_app
from support.databases import sqlite_url
from support.devices import ON, is_asked_for_a_code, let_in, register_trusted
from support.resets import allowed, reset
from support.service import PASSWORD, Json, Service, new_number

run, launcher = commands.run, commands.launcher
EMAIL = "ada@example.com"
BY_OPERATOR = {"by": "operator"}
NOBODY = "0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
UNKNOWN = "no account has this phone number (with its +), e-mail address or id"
Users = Callable[..., Awaitable[Answer]]


@pytest.fixture
def users(run: Run, tmp_path: Path, database_url: str) -> Users:
    """Run a command beside the service, whose loop goes on."""

    async def users(*arguments: str) -> Answer:
        return await asyncio.to_thread(
            run, "users", *arguments, cwd=tmp_path, OTP_AUTH_DATABASE_URL=database_url
        )

    return users


@pytest.fixture
async def account(service: Service) -> Json:
    return await service.register(new_number(), email=EMAIL)


async def log_in_again(service: Service, account: Json) -> Json:
    pending = await service.start_login(account["user"]["phone_number"], method="none")
    code = account["recovery_codes"][0]
    answer = await service.verify(pending, code, method="recovery_code")
    body: Json = answer.json()
    return body


async def events(service: Service, account: Json, name: str) -> list[AuditEvent]:
    these = select(AuditEvent).where(
        AuditEvent.user_id == UUID(account["user"]["id"]), AuditEvent.name == name
    )
    async with service.database.read() as tx:
        return list(await tx.scalars(these))


async def shut_off(service: Service, account: Json, factor: FactorKind) -> None:
    """As too many wrong codes do."""
    row = FactorFailures(
        user_id=UUID(account["user"]["id"]), factor=factor, in_a_row=50, disabled_at=datetime.now(UTC)
    )
    async with service.database.write() as tx:
        tx.add(row)


async def add_device_and_reset(service: Service, account: Json) -> None:
    now, user_id = datetime.now(UTC), UUID(account["user"]["id"])
    times = {"created_at": now, "expires_at": now + timedelta(days=1), "password_version": 1}
    device = TrustedDevice(user_id=user_id, name="x", digest="d" * 64, last_used_at=now, **times)
    reset = PasswordReset(user_id=user_id, token_digest="r" * 64, **times)
    async with service.database.write() as tx:
        tx.add_all([device, reset])


def factor_lines(lines: list[str]) -> list[str]:
    return [line[16:] for line in lines if line.startswith("factor ")]


def said(answer: Answer) -> list[str]:
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.splitlines()


class TestShow:
    async def test_all_that_support_needs(self, service: Service, account: Json, users: Users) -> None:
        await log_in_again(service, account)

        lines = said(await users("show", account["user"]["phone_number"]))

        shown = {line[:15].strip(): line[16:] for line in lines if not line.startswith("factor ")}
        assert shown.pop("created") == shown.pop("phone verified")
        assert shown == {
            "id": account["user"]["id"],
            "phone": account["user"]["phone_number"],
            "e-mail": EMAIL,
            "locked": "no",
            "reset held": "no",
            "recovery codes": "9 unused",
            "sessions": "2",
            "devices": "0",
        }

    async def test_each_factor_with_its_times(self, service: Service, account: Json, users: Users) -> None:
        user_id, number = account["user"]["id"], account["user"]["phone_number"]
        app = await add_app(service, account)
        pending = await service.start_login(number, method="none")
        assert (await service.verify(pending, app.code(), method="totp")).is_success
        await shut_off(service, account, FactorKind.PHONE)

        shown = [line.split("  ") for line in factor_lines(said(await users("show", user_id)))]

        assert [(line[0], line[3]) for line in shown] == [
            ("sms", "shut off"),
            ("totp", "on"),
            ("recovery_code", "on"),
        ]
        assert all(line[1].startswith("created ") and line[1].endswith("Z") for line in shown)
        assert [line[2] == "last used -" for line in shown] == [True, False, True]
        assert shown[1][2].endswith("Z")

    async def test_each_name_of_an_account_finds_it(self, account: Json, users: Users) -> None:
        number, user_id = account["user"]["phone_number"], account["user"]["id"]
        spelled = f"{number[:3]} {number[3:5]} {number[5:]}"

        answers = [said(await users("show", name)) for name in (number, spelled, "Ada@Example.com", user_id)]

        assert all(answer == answers[0] for answer in answers)

    async def test_a_lock_is_shown(self, account: Json, users: Users) -> None:
        await users("lock", account["user"]["id"])

        (line,) = [each for each in said(await users("show", EMAIL)) if each.startswith("locked")]

        assert line.endswith("Z")


class TestLock:
    async def test_its_owner_is_out_at_once_and_in_again_after_an_unlock(
        self, service: Service, account: Json, users: Users
    ) -> None:
        user_id = account["user"]["id"]
        body = {"identifier": EMAIL, "password": PASSWORD, "method": "none"}

        locked = said(await users("lock", EMAIL))
        me = await service.get("/me", account["access_token"])
        shut = await service.post("/auth/login", body)
        unlocked = said(await users("unlock", user_id))
        opened = await service.post("/auth/login", body)

        assert locked == [f"{user_id} is locked: its sessions and pending logins have ended"]
        assert unlocked == [f"{user_id} is unlocked: its owner may log in again"]
        assert (me.status_code, shut.status_code, opened.status_code) == (401, 401, 200)
        for name in ("account_locked", "account_unlocked"):
            assert [event.detail for event in await events(service, account, name)] == [{"by": "operator"}]

    async def test_twice_is_as_good_as_once(self, service: Service, account: Json, users: Users) -> None:
        user_id = account["user"]["id"]

        locked = [said(await users("lock", EMAIL)) for _ in range(2)]
        unlocked = [said(await users("unlock", EMAIL)) for _ in range(2)]

        assert locked[1] == [f"{user_id} is locked already"]
        assert unlocked[1] == [f"{user_id} is not locked"]
        for name in ("account_locked", "account_unlocked"):
            assert len(await events(service, account, name)) == 1


class TestSessions:
    async def test_one_line_for_each_newest_first(
        self, service: Service, account: Json, users: Users
    ) -> None:
        newest = await log_in_again(service, account)

        lines = [line.split("  ") for line in said(await users("sessions", EMAIL))]

        assert [line[0] for line in lines] == [newest["session_id"], account["session_id"]]
        assert {len(line) for line in lines} == {5}
        assert all(line[1].endswith("Z") and line[2].endswith("Z") for line in lines)
        assert all(line[4].startswith("python-httpx") for line in lines)

    async def test_all_end_and_are_written_down(self, service: Service, account: Json, users: Users) -> None:
        newest, user_id = await log_in_again(service, account), account["user"]["id"]

        first, second = [said(await users("revoke-sessions", EMAIL)) for _ in range(2)]

        assert (first, second) == ([f"{user_id}: 2 ended"], [f"{user_id}: 0 ended"])
        assert said(await users("sessions", EMAIL)) == []
        for tokens in (account, newest):
            assert (await service.get("/me", tokens["access_token"])).status_code == 401
        revoked = await events(service, account, "session_revoked")
        assert [event.detail for event in revoked] == [{"by": "operator"}] * 2


class TestDevices:
    @pytest.fixture
    async def trusted(self, new_service: NewService) -> AsyncIterator[tuple[Service, Json]]:
        async with new_service(trusted_devices=ON) as service:
            tokens = await register_trusted(service, email=EMAIL)
            yield service, await let_in(service, tokens)

    async def test_one_line_for_each(self, trusted: tuple[Service, Json], users: Users) -> None:
        service, tokens = trusted
        [device] = (await service.get("/me/devices", tokens["access_token"])).json()["items"]

        [line] = [line.split("  ") for line in said(await users("devices", EMAIL))]
        shown = said(await users("show", EMAIL))

        assert (line[0], line[4], line[5]) == (device["id"], "127.0.0.0/24", device["name"])
        assert [moment[:19] for moment in line[1:4]] == [
            device[name][:19] for name in ("created_at", "last_used_at", "expires_at")
        ]
        assert shown[-1].split() == ["devices", "1"]

    async def test_they_end_with_the_sessions(self, trusted: tuple[Service, Json], users: Users) -> None:
        service, tokens = trusted
        user_id = tokens["user"]["id"]

        ended = said(await users("revoke-sessions", EMAIL))

        assert ended == [f"{user_id}: 2 ended", f"{user_id}: 1 devices ended"]
        assert said(await users("devices", EMAIL)) == []
        assert await is_asked_for_a_code(service, tokens)
        [revoked] = await events(service, tokens, "device_revoked")
        assert revoked.detail.pop("device_id")
        assert revoked.detail == {"by": "operator"}


class TestCancelReset:
    async def test_what_waits_is_shown_and_cancelled(
        self, service: Service, account: Json, users: Users
    ) -> None:
        number, user_id = account["user"]["phone_number"], account["user"]["id"]
        held = (await reset(service, await allowed(service, number))).json()

        shown = [each for each in said(await users("show", EMAIL)) if each.startswith("reset held")]
        first, second = [said(await users("cancel-reset", EMAIL)) for _ in range(2)]
        me = (await service.get("/me", account["access_token"])).json()

        assert shown == [f"reset held      until {held['effective_at'][:19]}Z"]
        assert first == [f"{user_id}: the reset of its password is cancelled"]
        assert second == [f"{user_id} has no reset that waits"]
        assert me["password_reset_at"] is None
        cancelled = await events(service, account, "password_reset_cancelled")
        assert [event.detail for event in cancelled] == [{"by": "operator"}]


class TestResetFactors:
    async def test_phone_and_password_are_what_is_left(
        self, service: Service, account: Json, users: Users
    ) -> None:
        user_id, number = account["user"]["id"], account["user"]["phone_number"]
        app = await add_app(service, account)
        prefer = {"preferred_method": "totp"}
        assert (await service.ask("PATCH", "/me", prefer, account["access_token"])).is_success
        waiting = await service.start_login(number, method="none")
        await shut_off(service, account, FactorKind.PHONE)

        lines = said(await users("reset-factors", number))

        assert lines == [
            f"{user_id}: recovery_code is removed",
            f"{user_id}: totp is removed",
            f"{user_id}: sms is on again",
            f"{user_id}: its sessions, trusted devices, resets and pending logins have ended",
        ]
        assert (await service.get("/me", account["access_token"])).status_code == 401
        refused = await service.verify(waiting, account["recovery_codes"][0], method="recovery_code")
        assert refused.status_code == 410
        pending = await service.start_login(number)
        assert [each["method"] for each in pending["methods"]] == ["sms"]
        assert (await service.verify(pending, app.code(), method="totp")).status_code == 422
        tokens = await service.prove(pending, number)
        assert (tokens["user"]["factors"], tokens["user"]["preferred_method"]) == (["sms"], "sms")
        renewed = await service.post("/me/recovery-codes", token=tokens["access_token"])
        assert len(renewed.json()["recovery_codes"]) == 10

    async def test_it_stands_in_the_trail_with_who_did_it(
        self, service: Service, account: Json, users: Users
    ) -> None:
        await add_app(service, account)
        await add_device_and_reset(service, account)
        await shut_off(service, account, FactorKind.PHONE)

        await users("reset-factors", EMAIL)

        removed = [event.detail for event in await events(service, account, "factor_removed")]
        assert sorted(removed, key=str) == [
            {"factor": "recovery_code", **BY_OPERATOR},
            {"factor": "totp", **BY_OPERATOR},
        ]
        added = [event.detail for event in await events(service, account, "factor_added")]
        assert added[1:] == [{"factor": "sms", "reason": "enabled_again", **BY_OPERATOR}]
        (revoked,) = await events(service, account, "session_revoked")
        assert revoked.detail == {"reason": "factors_reset", **BY_OPERATOR}
        (device,) = await events(service, account, "device_revoked")
        assert device.detail["by"] == "operator"

    async def test_devices_end_where_no_app_was_too_and_a_reset_is_void(
        self, service: Service, account: Json, users: Users
    ) -> None:
        await add_device_and_reset(service, account)

        await users("reset-factors", EMAIL)

        async with service.database.read() as tx:
            ended = [*(await tx.scalars(select(TrustedDevice.ended_at)))]
            ended += [*(await tx.scalars(select(PasswordReset.ended_at)))]
        assert len(ended) == 2
        assert None not in ended

    async def test_where_nothing_is_to_be_reset_nothing_ends(
        self, service: Service, account: Json, users: Users
    ) -> None:
        user_id, number = account["user"]["id"], account["user"]["phone_number"]
        await users("reset-factors", EMAIL)
        tokens = await service.log_in(number)
        waiting = await service.start_login(number, method="none")

        lines = said(await users("reset-factors", EMAIL))

        nothing = "has nothing to reset: its phone is its one factor, and is not shut off"
        assert lines == [f"{user_id} {nothing}"]
        assert (await service.get("/me", tokens["access_token"])).status_code == 200
        assert (await service.get("/auth/otp", waiting["pending_token"])).status_code == 200
        assert len(await events(service, account, "factor_removed")) == 1

    async def test_a_phone_that_is_off_is_something_by_itself(
        self, service: Service, account: Json, users: Users
    ) -> None:
        await users("reset-factors", EMAIL)
        await shut_off(service, account, FactorKind.PHONE)

        lines = said(await users("reset-factors", EMAIL))

        assert lines[0] == f"{account['user']['id']}: sms is on again"
        (line,) = factor_lines(said(await users("show", EMAIL)))
        assert line.endswith("on")

    async def test_a_locked_account_stays_locked(self, account: Json, users: Users) -> None:
        user_id = account["user"]["id"]
        await users("lock", user_id)

        assert len(said(await users("reset-factors", user_id))) == 2

        (line,) = [each for each in said(await users("show", user_id)) if each.startswith("locked")]
        assert line.endswith("Z")

    async def test_others_are_left_alone(self, service: Service, account: Json, users: Users) -> None:
        stranger = await service.register(new_number())
        await shut_off(service, stranger, FactorKind.TOTP)

        await users("reset-factors", account["user"]["id"])

        me = await service.get("/me", stranger["access_token"])
        assert me.json()["factors"] == ["sms", "recovery_code"]
        async with service.database.read() as tx:
            assert len(list(await tx.scalars(select(FactorFailures)))) == 1


@pytest.mark.parametrize(
    "command",
    ["show", "lock", "unlock", "sessions", "devices", "revoke-sessions", "cancel-reset", "reset-factors"],
)
@pytest.mark.parametrize("identifier", ["+46700000001", "nobody@example.com", NOBODY, "0700000001", ""])
async def test_an_unknown_account_is_refused(
    run: Run, tmp_path: Path, sqlite_database: str, command: str, identifier: str
) -> None:
    answer = run("users", command, identifier, cwd=tmp_path, OTP_AUTH_DATABASE_URL=sqlite_database)

    assert_refused(answer, UNKNOWN)


def test_a_database_without_a_schema_is_refused(run: Run, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "x.sqlite3")

    answer = run("users", "show", "+46700000001", cwd=tmp_path, OTP_AUTH_DATABASE_URL=url)

    assert_refused(answer, "the database can't be used (OperationalError)")


class TestEvents:
    async def test_one_line_for_each_newest_first(self, account: Json, users: Users) -> None:
        await users("lock", EMAIL)

        lines = [line.split("  ") for line in said(await users("events", EMAIL))]

        assert [line[1] for line in lines][:2] in (
            ["account_locked", "session_revoked"],
            ["session_revoked", "account_locked"],
        )
        assert lines[-1][1:] == ["account_created", "127.0.0.0/24", "{}"]
        assert account["user"]["phone_number"] not in str(lines)
