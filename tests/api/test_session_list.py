"""Where an account is logged in: the list, what it tells of a session, and how sessions are ended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
import time_machine
from api_surface import code_of, problem_of
from sqlalchemy import select

from conftest import NewService
from otp_auth.api import pages
from otp_auth.api.client_address import masked_address
from otp_auth.audit.models import AuditEvent, EventName
from otp_auth.identifiers import new_id, parse_id
from otp_auth.sessions.models import Session
from otp_auth.sessions.repository import SessionRepository
from support.service import PUBLIC_URL, Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
# One number logs in again and again.
WIDE = {f"per_{whose}_{time}": 100 for whose in ("number", "account") for time in ("hour", "day")}


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE) as running:
        yield running


@asynccontextmanager
async def seen_from(service: Service, address: str, user_agent: str = FIREFOX) -> AsyncIterator[Service]:
    """The same service, used by somebody with this address and program."""
    transport = httpx.ASGITransport(service.app, client=(address, 40_000))
    headers = {"User-Agent": user_agent}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as http:
        yield Service(service.app, http, service.simulator)


async def listed(service: Service, tokens: Json, cursor: str | None = None) -> Json:
    query = f"?cursor={cursor}" if cursor else ""
    answer = await service.get(f"/me/sessions{query}", tokens["access_token"])
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


async def end(service: Service, tokens: Json, session_id: str) -> httpx.Response:
    return await service.ask("DELETE", f"/me/sessions/{session_id}", token=tokens["access_token"])


async def lives(service: Service, tokens: Json) -> bool:
    return (await service.get("/me", tokens["access_token"])).status_code == 200


async def events(service: Service, name: EventName) -> Sequence[AuditEvent]:
    async with service.database.read() as tx:
        found = await tx.scalars(
            select(AuditEvent).where(AuditEvent.name == name.value).order_by(AuditEvent.id)
        )
        return found.all()


class TestList:
    async def test_a_session_says_when_where_and_whether_it_is_this_one(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            async with seen_from(service, "203.0.113.77") as browser:
                first = await browser.register(number)
            clock.shift(timedelta(minutes=5))
            async with seen_from(service, "2001:db8:1:2:3:4:5:6", "curl/8.5.0") as program:
                second = await program.log_in(number)

            page = await listed(service, second)

        assert page == {
            "items": [
                {
                    "id": second["session_id"],
                    "created_at": "2026-11-24T12:05:00.000Z",
                    "last_used_at": "2026-11-24T12:05:00.000Z",
                    "device": "curl/8.5.0",
                    "address": "2001:db8:1:2:•••",
                    "current": True,
                },
                {
                    "id": first["session_id"],
                    "created_at": "2026-11-24T12:00:00.000Z",
                    "last_used_at": "2026-11-24T12:00:00.000Z",
                    "device": "Firefox on Windows",
                    "address": "203.0.113.•••",
                    "current": False,
                },
            ],
            "next_cursor": None,
        }

    async def test_a_refresh_moves_time_and_address_and_other_requests_do_not(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            async with seen_from(service, "203.0.113.77") as browser:
                tokens = await browser.register(new_number())
            clock.shift(timedelta(minutes=5))
            async with seen_from(service, "198.51.100.5", "curl/8.5.0") as elsewhere:
                await elsewhere.get("/me", tokens["access_token"])
                [before] = (await listed(elsewhere, tokens))["items"]
                refreshed = await elsewhere.post(
                    "/auth/token/refresh", {"refresh_token": tokens["refresh_token"]}
                )
            [after] = (await listed(service, refreshed.json()))["items"]

        assert (before["last_used_at"], before["address"]) == ("2026-11-24T12:00:00.000Z", "203.0.113.•••")
        assert (after["last_used_at"], after["address"]) == ("2026-11-24T12:05:00.000Z", "198.51.100.•••")
        assert (after["created_at"], after["device"]) == (before["created_at"], before["device"])

    async def test_an_unknown_address_is_null(self, service: Service) -> None:
        async with seen_from(service, "a-socket-without-address") as browser:
            tokens = await browser.register(new_number())

        assert (await listed(service, tokens))["items"][0]["address"] is None

    @pytest.mark.parametrize(
        ("given", "device"),
        [
            pytest.param("Ada's phone", "Ada's phone", id="as it is"),
            pytest.param("  Ada's phone ", "Ada's phone", id="without the spaces around it"),
            pytest.param("   ", "Firefox on Windows", id="spaces alone are no name"),
            pytest.param("<b>ж</b>" * 10, "<b>ж</b>" * 10, id="as text"),
        ],
    )
    async def test_a_device_is_called_what_its_owner_calls_it(
        self, service: Service, given: str, device: str
    ) -> None:
        number = new_number()
        async with seen_from(service, "203.0.113.77") as browser:
            pending = await browser.start_registration(number)
            code = await service.simulator.code(number)
            answer = await browser.verify(pending, code, device_name=given)

        assert (await listed(service, answer.json()))["items"][0]["device"] == device

    async def test_it_holds_live_sessions_of_this_account_alone(self, service: Service) -> None:
        number = new_number()
        await service.register(new_number())
        with time_machine.travel(START, tick=False) as clock:
            await service.register(number)  # is over, by then
            clock.shift(timedelta(days=8))
            ended = await service.log_in(number)
            tokens = await service.log_in(number)
            await service.post("/auth/logout", token=ended["access_token"])

            assert [each["id"] for each in (await listed(service, tokens))["items"]] == [tokens["session_id"]]


class TestPages:
    async def add_sessions(self, service: Service, tokens: Json, how_many: int) -> None:
        now = datetime.now(UTC)
        async with service.database.write() as tx:
            tx.add_all(
                Session(
                    id=new_id(),
                    user_id=UUID(tokens["user"]["id"]),
                    amr=["pwd"],
                    acr="aal2",
                    auth_time=now,
                    created_at=now,
                    last_used_at=now,
                    idle_until=now + timedelta(days=1),
                    expires_at=now + timedelta(days=1),
                )
                for _ in range(how_many)
            )

    async def test_each_is_listed_once_newest_first(self, service: Service) -> None:
        tokens = await service.register(new_number())
        await self.add_sessions(service, tokens, 2 * pages.PAGE_SIZE + 9)

        seen: list[list[str]] = []
        cursor: str | None = None
        while not seen or cursor:
            page = await listed(service, tokens, cursor)
            seen.append([each["id"] for each in page["items"]])
            cursor = page["next_cursor"]

        ids = [each for page in seen for each in page]
        assert [len(page) for page in seen] == [50, 50, 10]
        assert ids == sorted(set(ids), reverse=True)

    async def test_a_full_last_page_has_nothing_behind_it(self, service: Service) -> None:
        tokens = await service.register(new_number())
        await self.add_sessions(service, tokens, pages.PAGE_SIZE - 1)

        page = await listed(service, tokens)

        assert (len(page["items"]), page["next_cursor"]) == (50, None)

    @pytest.mark.parametrize(
        "cursor",
        [
            pytest.param("", id="empty"),
            pytest.param("1", id="a number"),
            pytest.param("A" * 21, id="too short"),
            pytest.param("A" * 23, id="too long"),
            pytest.param("A" * 5_000, id="5 kB"),
            pytest.param("A" * 22 + "%3D%3D", id="with padding"),
            pytest.param("A" * 21 + "B", id="with other spare bits"),
            pytest.param("A" * 21 + "%C3%A9", id="another letter"),
            pytest.param("A" * 22 + "!!", id="what decoders skip"),
            pytest.param("%00", id="NUL"),
            pytest.param("%ff", id="bad UTF-8"),
            pytest.param("0190b3c4-7e8f-7a0b-9c1d-2e3f4a5b6c7d", id="an id"),
        ],
    )
    async def test_a_bad_cursor_is_refused_and_not_repeated(self, service: Service, cursor: str) -> None:
        tokens = await service.register(new_number())

        answer = await service.get(f"/me/sessions?cursor={cursor}", tokens["access_token"])

        [error] = problem_of(answer)["errors"]
        assert (answer.status_code, error["field"], error["rule"]) == (422, "query.cursor", "not_a_cursor")
        assert len(answer.text) < 1_000

    def test_a_cursor_reads_as_it_was_written(self) -> None:
        ids = [uuid4() for _ in range(pages.PAGE_SIZE + 1)]

        cursor = pages.next_cursor(ids)

        assert pages._read(cursor) == ids[pages.PAGE_SIZE - 1]
        assert pages.next_cursor(ids[1:]) is None


class TestEndOne:
    async def test_it_is_over_at_once_and_written_down_once(self, service: Service) -> None:
        number = new_number()
        lost = await service.register(number)
        kept = await service.log_in(number)
        async with seen_from(service, "203.0.113.77") as browser:
            ended = await end(browser, kept, lost["session_id"])
            again = await end(browser, kept, lost["session_id"])

        refreshed = await service.post("/auth/token/refresh", {"refresh_token": lost["refresh_token"]})
        assert (ended.status_code, ended.content) == (204, b"")
        assert code_of(again) == "not_found"
        assert not await lives(service, lost)
        assert refreshed.status_code == 401
        assert await lives(service, kept)
        [event] = await events(service, EventName.SESSION_REVOKED)
        assert (str(event.session_id), str(event.user_id)) == (lost["session_id"], lost["user"]["id"])
        assert event.network == "203.0.113.0/24"

    async def test_the_own_one_can_be_ended_too(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await end(service, tokens, tokens["session_id"])

        assert answer.status_code == 204
        assert not await lives(service, tokens)

    async def test_what_is_not_ones_own_live_session_is_not_found(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            expired = await service.register(number)
            clock.shift(timedelta(days=8))
            tokens, ended = await service.log_in(number), await service.log_in(number)
            await service.post("/auth/logout", token=ended["access_token"])
            stranger = await service.register(new_number())
            own = tokens["session_id"]
            ids = {
                "unknown": str(uuid4()),
                "somebody else's": stranger["session_id"],
                "ended": ended["session_id"],
                "expired": expired["session_id"],
                "malformed": "1",
                "capitals": own.upper(),
                "without dashes": own.replace("-", ""),
                "in braces": f"%7B{own}%7D",
                "as a URN": f"urn:uuid:{own}",
                "other digits": own.replace("0", "%EF%BC%90"),
                "NUL": "%00",
                "5 kB": "a" * 5_000,
            }
            answers = {name: await end(service, tokens, each) for name, each in ids.items()}

            problems = {name: problem_of(answer) for name, answer in answers.items()}
            assert {name: problem["code"] for name, problem in problems.items()} == dict.fromkeys(
                ids, "not_found"
            )
            assert len({problem["detail"] for problem in problems.values()}) == 1
            assert await lives(service, tokens)
            assert await lives(service, stranger)
        assert await events(service, EventName.SESSION_REVOKED) == []

    async def test_without_the_owner_in_the_condition_a_stranger_could(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tokens, stranger = await service.register(new_number()), await service.register(new_number())
        revoke = SessionRepository.revoke

        async def revoke_anybodys(self: SessionRepository, _: UUID, session: UUID, network: str) -> bool:
            return await revoke(self, UUID(stranger["user"]["id"]), session, network)

        monkeypatch.setattr(SessionRepository, "revoke", revoke_anybodys)

        assert (await end(service, tokens, stranger["session_id"])).status_code == 204


class TestEndOthers:
    async def test_all_others_are_over_and_each_is_written_down_once(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            await service.register(number)  # is over, by then
            clock.shift(timedelta(days=8))
            others = [await service.log_in(number) for _ in range(3)]
            tokens, stranger = await service.log_in(number), await service.register(new_number())
            async with seen_from(service, "203.0.113.77") as browser:
                answers = [
                    await browser.ask("DELETE", "/me/sessions", token=tokens["access_token"])
                    for _ in range(2)
                ]

            assert [answer.status_code for answer in answers] == [204, 204]
            assert [await lives(service, each) for each in others] == [False] * 3
            assert await lives(service, tokens)
            assert await lives(service, stranger)
        written = await events(service, EventName.SESSION_REVOKED)
        assert {str(event.session_id) for event in written} == {each["session_id"] for each in others}
        assert [event.network for event in written] == ["203.0.113.0/24"] * 3


async def test_logout_is_written_down_once_for_each_session(service: Service) -> None:
    number = new_number()
    tokens = [await service.register(number), await service.log_in(number), await service.log_in(number)]
    async with seen_from(service, "203.0.113.77") as browser:
        await browser.post("/auth/logout", token=tokens[0]["access_token"])
        await browser.post("/auth/logout", {"everywhere": True}, tokens[1]["access_token"])

    written = await events(service, EventName.LOGOUT)
    assert sorted(str(event.session_id) for event in written) == sorted(each["session_id"] for each in tokens)
    assert {event.network for event in written} == {"203.0.113.0/24"}


async def test_one_login_too_many_ends_the_session_used_longest_ago(new_service: NewService) -> None:
    async with new_service(send=WIDE, sessions={"per_account": 2}) as service:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            first = await service.register(number)
            clock.shift(timedelta(minutes=1))
            second = await service.log_in(number)
            clock.shift(timedelta(minutes=1))
            await service.post("/auth/token/refresh", {"refresh_token": first["refresh_token"]})
            third = await service.log_in(number)

            ids = [each["id"] for each in (await listed(service, third))["items"]]

    assert ids == [third["session_id"], first["session_id"]]
    assert second["session_id"] not in ids


@pytest.mark.parametrize(
    ("network", "address"),
    [
        pytest.param("203.0.113.0/24", "203.0.113.•••", id="IPv4"),
        pytest.param("2001:db8:1:2::/64", "2001:db8:1:2:•••", id="IPv6"),
        pytest.param("2001:db8::/64", "2001:db8:0:0:•••", id="IPv6 with zeros"),
        pytest.param("::/64", "0:0:0:0:•••", id="IPv6, all zeros"),
        pytest.param(None, None, id="unknown"),
    ],
)
def test_an_address_is_masked(network: str | None, address: str | None) -> None:
    assert masked_address(network) == address


@pytest.mark.parametrize("text", ["", "1", "a" * 32, "0" * 36, "\uff10" * 32, f"{UUID(int=7)}\n"])
def test_what_is_not_an_id_is_none(text: str) -> None:
    assert parse_id(text) is None
