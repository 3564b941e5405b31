"""What a stranger sees of a reset: byte for byte the same, whoever the name belongs to, if to anybody.

Left out are ids, tokens, and moments; of these the distance from now is compared.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import time_machine

from conftest import NewService
from otp_auth import main
from otp_auth.accounts.lock import lock_account
from otp_auth.accounts.models import User
from otp_auth.api import dependencies
from otp_auth.ceremonies import proof
from otp_auth.challenges import views
from otp_auth.challenges.following import Following, follow_due
from otp_auth.challenges.guises import Guise
from otp_auth.challenges.judging import judge_phone_code
from otp_auth.challenges.models import Challenge
from otp_auth.factors.models import FactorFailures, FactorKind
from otp_auth.sinch.client import Unavailable
from support.authenticator import add_app
from support.resets import forgot, settled
from support.service import PASSWORD, Json, Service, new_number, with_callbacks

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOMENT = re.compile(r'"(expires_at|resend_at)":"([^"]+)"')
OWN = re.compile(r'"(id|pending_token|request_id)":"[^"]+"')
Name = Callable[[Service], Awaitable[str]]


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    """Of one database alone: these walks are long, and `test_password_reset.py` has both."""
    return sqlite_database


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "PAD", 0)


async def unknown_number(_service: Service) -> str:
    return new_number()


async def unknown_email(_service: Service) -> str:
    return "nobody@example.com"


async def nonsense(_service: Service) -> str:
    return "no name at all"


async def known_number(service: Service) -> str:
    await service.register(number := new_number())
    return number


async def known_email(service: Service) -> str:
    await service.register(number := new_number(), email=f"{number[1:]}@example.com")
    return f"{number[1:]}@example.com"


async def with_an_app(service: Service) -> str:
    await add_app(service, await service.register(number := new_number()))
    return number


async def locked(service: Service) -> str:
    tokens = await service.register(number := new_number())
    await lock_account(service.database, UUID(tokens["user"]["id"]), {"by": "operator"})
    return number


async def shut_off(service: Service) -> str:
    tokens = await service.register(number := new_number())
    off = FactorFailures(
        user_id=UUID(tokens["user"]["id"]), factor=FactorKind.PHONE, in_a_row=50, disabled_at=START
    )
    async with service.database.write() as tx:
        tx.add(off)
    return number


async def in_its_cool_down(service: Service) -> str:
    await service.register(number := new_number())
    await service.start_registration(number)
    return number


async def awaited(service: Service) -> str:
    await service.register(number := new_number())
    await service.start_login(number)
    return number


async def not_served(service: Service) -> str:
    """In a country that was on the list when it registered."""
    now = datetime.now(UTC)
    user = User(
        phone_number="+4915123456789", phone_verified_at=now, created_at=now, password_hash="x", locale="de"
    )
    async with service.database.write() as tx:
        tx.add(user)
    return user.phone_number


async def never_delivered(service: Service) -> str:
    """A number that the operator refuses."""
    now = datetime.now(UTC)
    listed = (await service.simulator.http.get("/numbers")).json()
    number = next(each["number"] for each in listed if "refuse" in each["behaviour"])
    async with service.database.write() as tx:
        tx.add(User(phone_number=number, phone_verified_at=now, created_at=now, password_hash="x"))
    return str(number)


NAMES: list[Name] = [
    unknown_email,
    nonsense,
    known_number,
    known_email,
    with_an_app,
    locked,
    shut_off,
    in_its_cool_down,
    awaited,
    not_served,
    never_delivered,
]


@asynccontextmanager
async def perhaps_with_callbacks(service: Service, they_come: bool) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        if they_come:
            await stack.enter_async_context(with_callbacks(service))
        yield


def shown(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of an answer, but for what is of this request alone."""

    def distance(found: re.Match[str]) -> str:
        return f'"{found[1]}":{(datetime.fromisoformat(found[2]) - datetime.now(UTC)).total_seconds()}'

    text = OWN.sub(r'"\1"', MOMENT.sub(distance, answer.text))
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, text, headers


async def walk(
    service: Service, name: str, clock: time_machine.Traveller, **fields: str
) -> list[tuple[int, str, dict[str, str]]]:
    """All that a stranger may ask of a name, in all states of its challenge."""
    seen = []

    async def ask(method: str, path: str, body: object = None, token: str | None = None) -> httpx.Response:
        answer = await service.ask(method, path, body, token)
        seen.append(shown(answer))
        await settled(service)
        await follow_due(following(service))
        return answer

    async def forgot() -> str:
        answer = await ask("POST", "/auth/password/forgot", {"identifier": name, **fields})
        return str(answer.json()["pending_token"])

    token = await forgot()
    await ask("GET", "/auth/otp", None, token)
    await ask("POST", "/auth/otp/send", {"method": "voice"}, token)
    await ask("POST", "/auth/otp/send", {"method": "whatsapp"}, token)
    await ask("POST", "/auth/otp/verify", {"code": "000000"}, token)
    for method in ("voice", "totp", "recovery_code"):
        await ask("POST", "/auth/otp/verify", {"code": "000000", "method": method}, token)
    within = await forgot()
    await ask("GET", "/auth/otp", None, within)
    clock.shift(61)
    for _ in range(2):
        await ask("POST", "/auth/otp/send", {"method": "voice"}, token)
    clock.shift(35)
    await ask("GET", "/auth/otp", None, token)
    for _ in range(3):
        await ask("POST", "/auth/otp/verify", {"code": "000000"}, token)
    await ask("GET", "/auth/otp", None, token)
    clock.shift(600)
    newer = await forgot()
    await ask("GET", "/auth/otp", None, within)
    await ask("GET", "/auth/otp", None, newer)
    return seen


def following(service: Service) -> Following:
    return main._new_following(service.database, service.app.state.sinch, service.settings)


async def compare(service: Service, names: list[Name], clock: time_machine.Traveller, **fields: str) -> None:
    wanted = None
    for each in (unknown_number, *names):
        seen = await walk(service, await each(service), clock, **fields)
        wanted = wanted or seen
        assert seen == wanted, each.__name__
        clock.shift(timedelta(hours=1))


@pytest.mark.parametrize("they_come", [True, False])
@pytest.mark.parametrize("fallback", [True, False])
async def test_whoever_it_is(new_service: NewService, they_come: bool, fallback: bool) -> None:
    send = {"countries": "SE", "fallback": fallback, "methods": "sms,voice"}
    with time_machine.travel(START, tick=False) as clock:
        async with new_service(send=send) as service, perhaps_with_callbacks(service, they_come):
            await service.register(new_number())  # so that it is known how messages go
            await compare(service, NAMES, clock)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "garbage", "status"])
async def test_while_sinch_is_away(service: Service, fault: str) -> None:
    with time_machine.travel(START, tick=False) as clock:
        name = await known_number(service)
        async with (
            service.simulator.fault("start", fault, 500),
            service.simulator.fault("report", fault, 500),
        ):
            seen = [await walk(service, each, clock) for each in (name, new_number())]

    assert seen[0] == seen[1]


async def guesses_while_codes_are_made_elsewhere(service: Service) -> list[object]:
    """Callbacks came until now, so codes of ours are expected; then they end, and Sinch judges none."""
    async with with_callbacks(service):
        number = await known_number(service)
    seen: list[object] = []
    async with service.simulator.fault("report", "status", 500):
        for each in (new_number(), number):
            pending = (await service.post("/auth/password/forgot", {"identifier": each})).json()
            await settled(service)
            refused = await service.verify(pending, "000000")
            seen.append((refused.status_code, refused.json()["code"], pending["challenge"]["code_length"]))
    return seen


async def test_where_callbacks_have_ended_and_sinch_is_away(service: Service) -> None:
    unknown, known = await guesses_while_codes_are_made_elsewhere(service)

    assert known == unknown == (400, "wrong_code", 6)


async def test_no_channel_follows_by_itself(new_service: NewService) -> None:
    async with new_service(send={"fallback": True}) as service:
        number = await never_delivered(service)
        before = await service.simulator.starts(number)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            await service.post("/auth/password/forgot", {"identifier": number})
            await settled(service)
            for _ in range(3):
                await follow_due(following(service))
                clock.shift(31)

        assert await service.simulator.starts(number) == before + 1


async def test_a_stranger_over_a_budget_sees_no_difference(new_service: NewService) -> None:
    async with new_service(send={"per_address_hour": 4}, guesses={"passwordless_day": 4}) as service:
        with time_machine.travel(START, tick=False) as clock:
            names = [await known_number(service) for _ in range(4)]
            seen = {}
            for each in (*names, new_number()):
                clock.move_to(START + timedelta(hours=2))  # budgets say when they begin anew
                seen[each] = await walk(service, each, clock)

    *_, known, unknown = seen.values()
    assert known == unknown
    assert any('"too_many_attempts"' in text for _, text, _ in known)


async def test_a_lock_or_a_farewell_meanwhile_is_not_seen(service: Service) -> None:
    async def leave(number: str) -> None:
        tokens = await service.log_in(number)
        assert (await service.ask("DELETE", "/me", token=tokens["access_token"])).status_code == 204

    async def change(number: str) -> None:
        tokens = await service.log_in(number)
        body = {"current_password": PASSWORD, "new_password": "Amber-Meadow-Compass-31"}
        assert (await service.post("/me/password", body, tokens["access_token"])).status_code == 204

    async def nothing(_: str) -> None:
        return

    seen = []
    with time_machine.travel(START, tick=False):
        for meanwhile in (nothing, leave, change):
            number = await known_number(service)
            answer = await service.post("/auth/password/forgot", {"identifier": number})
            await settled(service)
            await meanwhile(number)
            token = answer.json()["pending_token"]
            refused = await service.post("/auth/otp/verify", {"code": "000000"}, token)
            seen.append([shown(await service.get("/auth/otp", token)), shown(refused)])

    assert seen[0] == seen[1] == seen[2]


async def calls_of_a_wrong_code(service: Service, pending: Json) -> list[str]:
    """What a wrong code asks of Sinch, over HTTP."""
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(f"{request.method} {request.url.path.split('/')[-2]}")

    http: httpx.AsyncClient = service.app.state.sinch._connection._http
    http.event_hooks = {"request": [note]}
    refused = await service.verify(pending, "000000")
    http.event_hooks = {}
    assert refused.json()["code"] == "wrong_code"
    return asked


@asynccontextmanager
async def in_flight(service: Service, name: str, *, is_known: bool) -> AsyncIterator[Json]:
    """Begin a reset whose message's start gets no answer until the block ends; Sinch knows it, or not yet."""
    begun, over = asyncio.Event(), asyncio.Event()
    sinch = service.app.state.sinch
    really = sinch.start

    async def start(**message: Any) -> Unavailable:
        if is_known:
            await really(**message)
        begun.set()
        await over.wait()
        return Unavailable(reached=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sinch, "start", start)
        answer = await service.post("/auth/password/forgot", {"identifier": name})
        await asyncio.wait_for(begun.wait(), 10)
        try:
            yield answer.json()
        finally:
            over.set()
            await settled(service)


@pytest.mark.parametrize("they_come", [True, False])
@pytest.mark.parametrize(
    ("shown", "of_country"), [("sms", ("sms",)), ("sms", ("flashcall", "voice")), ("whatsapp", ("sms",))]
)
async def test_a_wrong_code_asks_sinch_the_same_of_any_name(
    new_service: NewService, they_come: bool, shown: str, of_country: tuple[str, ...]
) -> None:
    """Also where the message goes by another channel than is shown, and somebody else makes its code."""
    send = {"methods": shown, "methods_by_country": {"SE": of_country}}
    async with new_service(send=send) as service, perhaps_with_callbacks(service, they_come):
        names = [new_number() for _ in range(3)]
        for each in names:
            await service.register(each, method=of_country[-1])
        nobodys, mine = [await forgot(service, each) for each in (new_number(), names[0])]
        seen = [await calls_of_a_wrong_code(service, each) for each in (nobodys, mine)]
        for is_known in (False, True):
            async with in_flight(service, names[1 + is_known], is_known=is_known) as waiting:
                seen.append(await calls_of_a_wrong_code(service, waiting))
        proved = await service.prove(mine, names[0])

    assert seen == [["PUT id"]] * 4
    assert proved["status"] == "reset_allowed"


async def test_an_unknown_name_gets_no_message(service: Service) -> None:
    number = new_number()
    answer = await service.post("/auth/password/forgot", {"identifier": number})
    await settled(service)

    assert answer.status_code == 202
    assert await service.simulator.starts(number) == 0


@pytest.mark.parametrize("name", [locked, shut_off, awaited], ids=lambda name: name.__name__)
async def test_nor_does_an_account_that_must_get_none(service: Service, name: Name) -> None:
    number = await name(service)
    before = await service.simulator.starts(number)
    await service.post("/auth/password/forgot", {"identifier": number})
    await settled(service)

    assert await service.simulator.starts(number) == before


async def test_an_owner_gets_one(service: Service) -> None:
    number = await known_number(service)
    before = await service.simulator.starts(number)
    await service.post("/auth/password/forgot", {"identifier": number})
    await settled(service)

    assert await service.simulator.starts(number) == before + 1


async def test_a_decoy_proves_nothing_also_while_sinch_is_away(service: Service) -> None:
    number = new_number()
    async with with_callbacks(service):
        await service.register(number)
        await service.start_login(number)  # so the message of the reset is a decoy
        pending = (await service.post("/auth/password/forgot", {"identifier": number})).json()
        await settled(service)
        code = service.app.state.codes.of(UUID(pending["challenge"]["id"]))
        async with service.simulator.fault("report", "status", 500):
            refused = await service.verify(pending, code)

    assert refused.json()["code"] == "wrong_code"


class TestWithoutTheGuard:
    """The comparison can fail."""

    async def test_the_guise(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        def as_it_is(challenge: Challenge, _guise: Guise) -> Challenge:
            return challenge

        monkeypatch.setattr(views, "in_guise", as_it_is)
        with (
            time_machine.travel(START, tick=False) as clock,
            pytest.raises(AssertionError, match="known_number"),
        ):
            await compare(service, [known_number], clock)

    async def test_an_outage_that_is_told(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proof, "_judge_phone_code", proof_as_elsewhere)

        unknown, known = await guesses_while_codes_are_made_elsewhere(service)

        assert known != unknown


async def proof_as_elsewhere(prover: proof.Prover, challenge: Challenge, code: str) -> None:
    await judge_phone_code(prover.judges, challenge, code)


@pytest.mark.parametrize("limits", [{}, {"per_address_hour": 2}], ids=["number", "network"])
@pytest.mark.parametrize("path", ["/auth/register", "/me/phone"])
async def test_what_strangers_may_send_does_not_tell(
    new_service: NewService, limits: dict[str, int], path: str
) -> None:
    """Messages of resets are counted apart: a stranger's next message looks the same after them."""
    seen = []
    with time_machine.travel(START, tick=False) as clock:
        async with new_service(send=limits) as service:
            for is_known in (True, False):
                tokens = await service.register(new_number())
                name = tokens["user"]["phone_number"] if is_known else new_number()
                clock.shift(3600)  # its registration no longer counts
                asker = await service.register(new_number())
                await service.post("/auth/password/forgot", {"identifier": name})
                await settled(service)
                body = {"phone_number": new_number() if limits else name}
                body |= {"password": PASSWORD} if path == "/auth/register" else {}
                status, text, _ = shown(await service.post(path, body, asker["access_token"]))
                seen.append((status, re.sub("• [0-9]{2}", "•", text)))
                clock.move_to(START + timedelta(days=2))

    assert seen[0] == seen[1]
    assert '"delivery":"sent"' in seen[0][1]
