"""DELETE /me: nothing that leads to a person is left, and nothing that was proved works."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from api_surface import code_of
from sqlalchemy import ColumnElement, Table, false, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conftest import NewService
from otp_auth.accounts import deletion
from otp_auth.accounts.deletion import BELONGINGS, delete_account
from otp_auth.audit.models import AuditEvent, OutgoingEvent
from otp_auth.audit.outbox import open_database
from otp_auth.challenges.models import Challenge
from otp_auth.database import Base
from otp_auth.sessions.models import Session
from support.devices import ON, WIDE
from support.service import PASSWORD, Json, Service, new_number
from support.whole_account import WholeAccount, rows_of, traces, use_everything

# Limits of the number: a new account of it is no way around them.
STAYS = {"budgets.key", "cooldowns.phone_number"}
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON) as running:
        yield running


@pytest.fixture
async def account(service: Service) -> WholeAccount:
    return await use_everything(service)


async def say_farewell(service: Service, tokens: Json) -> None:
    answer = await service.ask("DELETE", "/me", token=tokens["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")


def _tables_with(column: str) -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if column in table.c]


class TestTraces:
    async def test_the_account_has_left_some_in_every_table_that_can_have_them(
        self, service: Service, account: WholeAccount
    ) -> None:
        """A table or column that is new and holds something of somebody must be thought of here."""
        found = await traces(service.database, account.names)

        for table in _tables_with("user_id"):
            assert f"{table.name}.user_id" in found, "let use_everything() fill it"
        for table in _tables_with("phone_number"):
            assert f"{table.name}.phone_number" in found, "let use_everything() fill it"
        assert {"users.id", "users.email", "budgets.key", "refresh_tokens.session_id"} < set(found)
        counted = {row["key"] for row in await rows_of(service.database, Base.metadata.tables["budgets"])}
        assert {f"guesses:{kind}{account.user_id}" for kind in ("", "recovery:", "reset:")} < counted

    async def test_nothing_leads_to_the_person(self, service: Service, account: WholeAccount) -> None:
        await say_farewell(service, account.tokens)

        found = await traces(service.database, account.names)
        assert set(found) == STAYS
        kept = [row["key"] for row in await rows_of(service.database, Base.metadata.tables["budgets"])]
        assert not [key for key in kept if str(account.user_id) in key]
        for name in ("sessions", "refresh_tokens", "recovery_codes", "users", "challenges"):
            assert await rows_of(service.database, Base.metadata.tables[name]) == []

    async def test_of_somebody_else_everything_stays(self, service: Service, account: WholeAccount) -> None:
        other = await use_everything(service)
        before = await traces(service.database, other.names)

        await say_farewell(service, account.tokens)

        assert await traces(service.database, other.names) == before
        assert (await service.get("/me", other.token)).status_code == 200

    @pytest.mark.parametrize(
        ("step", "left"),
        [
            ("_is_counted_for", "budgets.key"),
            ("_make_nobodys", "audit_events.session_id"),
            ("_forget_registrations", "challenges.phone_number"),
        ],
    )
    async def test_each_step_is_needed(
        self,
        service: Service,
        account: WholeAccount,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        left: str,
    ) -> None:
        async def leave(*_: object) -> None:
            """Do nothing."""

        def nothing(*_: object) -> ColumnElement[bool]:
            return false()

        monkeypatch.setattr(deletion, step, nothing if step == "_is_counted_for" else leave)
        await say_farewell(service, account.tokens)

        names = [name for name in account.names if left != "budgets.key" or "-" in name]
        assert left in await traces(service.database, names)

    def test_the_schema_says_what_goes_along(self) -> None:
        """Whoever adds a table of accounts must say what becomes of its rows, and have them locked."""
        rules = {
            table.name: key.ondelete
            for table in Base.metadata.sorted_tables
            for key in table.foreign_keys
            if key.column.table.name == "users"
        }

        assert set(rules) == {table.name for table in _tables_with("user_id")}
        assert rules.pop("audit_events") == "SET NULL"
        assert rules == {table.__tablename__: "CASCADE" for table in BELONGINGS}


class TestTrail:
    async def test_what_happened_stays_and_is_nobodys(self, service: Service, account: WholeAccount) -> None:
        audit = Base.metadata.tables["audit_events"]
        before = {
            row["id"]: (row["name"], row["at"], row["detail"])
            for row in await rows_of(service.database, audit)
        }

        await say_farewell(service, account.tokens)

        after = await rows_of(service.database, audit)
        told = {row["id"]: (row["name"], row["at"], row["detail"]) for row in after}
        (farewell,) = told.keys() - before.keys()
        assert told.pop(farewell)[0] == "account_deleted"
        assert told == before
        of_the_account = [row for row in after if row["name"] in {"login_succeeded", "account_deleted"}]
        assert len(of_the_account) == 4
        for row in of_the_account:
            assert {row[name] for name in ("user_id", "session_id", "network", "request_id")} == {None}

    async def test_the_application_hears_of_it_once_with_the_id(
        self, service: Service, account: WholeAccount
    ) -> None:
        settings = service.settings.model_copy(
            update={"events": service.settings.events.model_copy(update={"url": "https://app.example.com"})}
        )
        listening = open_database(settings)
        try:
            async with service.database.read() as tx:
                session_id = await tx.scalar(select(Session.id).where(Session.ended_at.is_(None)).limit(1))
            assert session_id is not None
            await delete_account(listening, account.user_id, session_id)
        finally:
            await listening.close()

        async with service.database.read() as tx:
            (event,) = (await tx.scalars(select(OutgoingEvent))).all()
            trail = await tx.scalar(select(AuditEvent.id).where(AuditEvent.name == "account_deleted"))
        assert event.id == trail
        assert f'"user_id":"{account.user_id}"' in event.body
        assert account.number[1:] not in event.body


class TestAfterwards:
    async def test_every_token_is_dead(self, service: Service, account: WholeAccount) -> None:
        await say_farewell(service, account.tokens)

        for tokens in (account.tokens, account.others):
            for method, path in (
                ("GET", "/me"),
                ("GET", "/me/export"),
                ("DELETE", "/me"),
                ("GET", "/me/events"),
            ):
                answer = await service.ask(method, path, token=tokens["access_token"])
                assert (answer.status_code, code_of(answer)) == (401, "invalid_token")
            body = {"refresh_token": tokens["refresh_token"]}
            assert (await service.post("/auth/token/refresh", body)).status_code == 401

    async def test_pending_logins_and_step_ups_are_over(
        self, service: Service, account: WholeAccount
    ) -> None:
        code = await service.simulator.code(account.number)

        await say_farewell(service, account.tokens)

        for pending in account.pendings:
            assert (await service.get("/auth/otp", pending["pending_token"])).status_code == 410
            assert (await service.verify(pending, code)).status_code == 410
            sent = await service.post("/auth/otp/send", {"method": "sms"}, pending["pending_token"])
            assert (sent.status_code, code_of(sent)) == (410, "challenge_closed")

    async def test_the_login_answers_as_to_a_stranger(self, service: Service, account: WholeAccount) -> None:
        await say_farewell(service, account.tokens)

        for identifier in (account.number, account.email):
            answer = await service.post("/auth/login", {"identifier": identifier, "password": PASSWORD})
            assert (answer.status_code, code_of(answer)) == (401, "invalid_credentials")

    async def test_number_and_email_register_again_as_somebody_new(
        self, service: Service, account: WholeAccount
    ) -> None:
        await say_farewell(service, account.tokens)

        again = await service.register(account.number, email=account.email)

        assert again["user"]["id"] != str(account.user_id)
        events = (await service.get("/me/events", again["access_token"])).json()["items"]
        assert [event["name"] for event in events] == ["account_created"]

    async def test_a_registration_that_waits_goes_on(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        waiting = await service.start_registration(number)

        await say_farewell(service, tokens)

        assert (await service.prove(waiting, number))["status"] == "authenticated"

    async def test_messages_of_the_number_are_counted_on(self, new_service: NewService) -> None:
        async with new_service(send={"per_number_hour": 2, "resend_gap": "0"}) as service:
            number = new_number()
            for _ in range(2):
                # The message that made the account counts with those of accounts.
                await say_farewell(service, await service.register(number))
            lanes = [
                row["key"]
                for row in await rows_of(service.database, Base.metadata.tables["budgets"])
                if number in row["key"] and row["window"] == 3600 and row["spent"] == 2
            ]
            assert lanes == [f"send:number:account:{number}"]


class TestAsking:
    async def test_a_proof_that_is_old_isnt_enough(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(number)
            clock.shift(timedelta(minutes=10, seconds=1))
            body = {"refresh_token": tokens["refresh_token"]}
            stale = (await service.post("/auth/token/refresh", body)).json()
            for method, path in (("DELETE", "/me"), ("GET", "/me/export")):
                refused = await service.ask(method, path, token=stale["access_token"])
                assert (refused.status_code, code_of(refused)) == (401, "insufficient_user_authentication")

            elevated = await service.step_up(stale, number)
            await say_farewell(service, elevated)

    async def test_a_session_that_ended_meanwhile_deletes_nothing(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The token was good when it was read; the account is locked only after that."""
        tokens = await service.register(new_number())
        lock_owner = deletion._lock_owner

        async def log_out_first(tx: AsyncSession, *arguments: object) -> object:
            await tx.execute(update(Session).values(ended_at=datetime.now(UTC)))
            return await lock_owner(tx, *arguments)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(deletion, "_lock_owner", log_out_first)
        answer = await service.ask("DELETE", "/me", token=tokens["access_token"])

        assert (answer.status_code, code_of(answer)) == (401, "invalid_token")
        assert len(await rows_of(service.database, Base.metadata.tables["users"])) == 1

    async def test_in_cookie_mode_the_cookie_goes_too(self, service: Service) -> None:
        tokens = await service.register(new_number())
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "X-Token-Transport": "cookie"}

        answer = await service.http.delete("/api/v1/me", headers=headers)

        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith('refresh=""; HttpOnly; Max-Age=0')

    async def test_without_it_no_cookie_is_spoken_of(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await service.ask("DELETE", "/me", token=tokens["access_token"])

        assert "set-cookie" not in answer.headers


async def test_a_challenge_of_somebody_else_to_the_number_stays(service: Service) -> None:
    """Such as a change of phone: the number isn't theirs alone to forget."""
    number = new_number()
    tokens, other = await service.register(number), await service.register(new_number())
    pending = await service.start_step_up(other)
    async with service.database.write() as tx:
        of_other = Challenge.id == UUID(pending["challenge"]["id"])
        await tx.execute(update(Challenge).where(of_other).values(phone_number=number))

    await say_farewell(service, tokens)

    assert (await service.get("/auth/otp", pending["pending_token"])).status_code == 200
