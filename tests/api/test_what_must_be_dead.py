"""After each act that ends something: what must be dead, and what must go on.

`TABLE` is the whole of it. A new act is a function and an entry there; a new thing is a function, a name in
`THINGS`, and its fate in each entry. Each pair has an account of its own, so that no trial kills for another.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from api_surface import code_of

from conftest import NewService
from otp_auth.accounts.factor_reset import reset_factors
from otp_auth.accounts.lock import lock_account, unlock_account
from otp_auth.accounts.models import PasswordReset, User
from otp_auth.api import dependencies
from support.authenticator import App, add_app
from support.devices import ON, WIDE, trust_another
from support.resets import allowed, reset
from support.service import PASSWORD, Json, Service, new_number

NEW_PASSWORD = "Amber-Meadow-Compass-31"
BY_OPERATOR = {"by": "operator"}


@dataclass
class Person:
    """Somebody with two sessions, an app and recovery codes; what an act changes is noted here."""

    service: Service
    number: str
    this: Json  # the session that acts
    other: Json
    app: App
    codes: list[str]
    password: str = PASSWORD
    granted: Json | None = None  # with the reset token: of an account one is good

    @property
    def user_id(self) -> UUID:
        return UUID(self.this["user"]["id"])


Probe = Callable[[], Awaitable[bool]]  # says whether the thing still works
Thing = Callable[[Person], Awaitable[Probe]]  # makes it, before the act
Act = Callable[[Person], Awaitable[None]]


async def new_person(service: Service) -> Person:
    number = new_number()
    other = await service.register(number)
    this = await service.log_in(number)
    return Person(service, number, this, other, await add_app(service, this), other["recovery_codes"])


def works(answer: httpx.Response, *refusals: str) -> bool:
    """Whether it was taken; a refusal has to be one of these."""
    if answer.is_success:
        return True
    assert code_of(answer) in refusals, answer.text
    return False


# The acts


async def nothing(_person: Person) -> None:
    """All is alive: so each probe can say so."""


async def change_password(person: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = await person.service.post("/me/password", body, person.this["access_token"])
    assert answer.status_code == 204
    person.password = NEW_PASSWORD


async def prove_the_phone(person: Person) -> None:
    """No message of a reset goes out while the owner waits for another code."""
    person.granted = await allowed(person.service, person.number)


async def reset_password(person: Person) -> None:
    assert person.granted
    proof = {"method": "recovery_code", "code": person.codes[1]}
    assert (await reset(person.service, person.granted, NEW_PASSWORD, **proof)).status_code == 204
    person.password = NEW_PASSWORD


async def change_phone(person: Person) -> None:
    service, number = person.service, new_number()
    answer = await service.post("/me/phone", {"phone_number": number}, person.this["access_token"])
    await service.prove(answer.json(), number)
    person.number = number


async def remove_totp(person: Person) -> None:
    path = "/me/factors/totp"
    assert (await person.service.ask("DELETE", path, token=person.this["access_token"])).status_code == 204


async def renew_recovery_codes(person: Person) -> None:
    answer = await person.service.post("/me/recovery-codes", token=person.this["access_token"])
    assert answer.status_code == 200


async def log_out(person: Person) -> None:
    answer = await person.service.post("/auth/logout", token=person.this["access_token"])
    assert answer.status_code == 204


async def log_out_everywhere(person: Person) -> None:
    token = person.this["access_token"]
    assert (await person.service.post("/auth/logout", {"everywhere": True}, token)).status_code == 204


async def end_other_sessions(person: Person) -> None:
    path = "/me/sessions"
    assert (await person.service.ask("DELETE", path, token=person.this["access_token"])).status_code == 204


async def lock(person: Person) -> None:
    assert await lock_account(person.service.database, person.user_id, BY_OPERATOR)


async def lock_and_unlock(person: Person) -> None:
    await lock(person)
    assert await unlock_account(person.service.database, person.user_id, BY_OPERATOR)


async def reset_factors_by_support(person: Person) -> None:
    assert await reset_factors(person.service.database, person.user_id, BY_OPERATOR)


async def delete_account(person: Person) -> None:
    assert (await person.service.ask("DELETE", "/me", token=person.this["access_token"])).status_code == 204


# The things


def access_of(person: Person, tokens: Json) -> Probe:
    async def probe() -> bool:
        return works(await person.service.get("/me", tokens["access_token"]), "invalid_token")

    return probe


def refresh_of(person: Person, tokens: Json) -> Probe:
    async def probe() -> bool:
        body = {"refresh_token": tokens["refresh_token"]}
        return works(await person.service.post("/auth/token/refresh", body), "invalid_token")

    return probe


async def access_of_this(person: Person) -> Probe:
    return access_of(person, person.this)


async def access_of_other(person: Person) -> Probe:
    return access_of(person, person.other)


async def elevated_access(person: Person) -> Probe:
    return access_of(person, await person.service.step_up(person.this, person.number))


async def refresh_of_this(person: Person) -> Probe:
    return refresh_of(person, person.this)


async def refresh_of_other(person: Person) -> Probe:
    return refresh_of(person, person.other)


async def code_of_pending(person: Person, pending: Json, number: str) -> Probe:
    """The right code, which was sent before the act."""
    code = await person.service.simulator.code(number)

    async def probe() -> bool:
        return works(await person.service.verify(pending, code), "challenge_closed")

    return probe


async def pending_login(person: Person) -> Probe:
    return await code_of_pending(person, await person.service.start_login(person.number), person.number)


async def pending_step_up(person: Person) -> Probe:
    pending = await person.service.start_step_up(person.this)
    return await code_of_pending(person, pending, person.number)


async def step_up_of_other(person: Person) -> Probe:
    pending = await person.service.start_step_up(person.other)
    return await code_of_pending(person, pending, person.number)


async def pending_phone_change(person: Person) -> Probe:
    number = new_number()
    token = person.this["access_token"]
    answer = await person.service.post("/me/phone", {"phone_number": number}, token)
    return await code_of_pending(person, answer.json(), number)


async def reset_token(person: Person) -> Probe:
    granted = person.granted = await allowed(person.service, person.number)

    async def probe() -> bool:
        """Without a second proof: an app demands one, and leaves the token."""
        answer = await reset(person.service, granted)
        if answer.status_code == 403:
            assert code_of(answer) == "proof_required"
            return True
        return works(answer, "challenge_closed", "invalid_token")

    return probe


async def held_reset(person: Person) -> Probe:
    """Of an account with an app none is held: so it is written down, as of one without."""
    now = datetime.now(UTC)
    async with person.service.database.write() as tx:
        version = (await tx.get_one(User, person.user_id)).password_version
        held = PasswordReset(
            user_id=person.user_id,
            token_digest=person.user_id.hex * 2,
            password_version=version,
            created_at=now,
            expires_at=now + timedelta(minutes=10),
            held_until=now + timedelta(days=1),
            password_hash="x",
        )
        tx.add(held)

    async def probe() -> bool:
        async with person.service.database.read() as tx:
            user = await tx.get(User, person.user_id)
            found = await tx.get(PasswordReset, held.id)
        if user is None or found is None:
            return False
        # Not by the version alone: the row says that it has ended, and what it held is gone.
        has_ended = found.ended_at is not None
        assert has_ended or user.holds(found.password_version)
        assert not (has_ended and found.password_hash)
        return not has_ended

    return probe


async def trusted_device(person: Person) -> Probe:
    token = (await trust_another(person.service, person.number))["device_token"]

    async def probe() -> bool:
        body = {"identifier": person.number, "password": person.password, "device_token": token}
        login = await person.service.post("/auth/login", {**body, "method": "none"})
        return works(login, "invalid_credentials") and login.json()["status"] == "authenticated"

    return probe


async def _prove_login(person: Person, method: str, code: str) -> bool:
    """Log in with the present password, and prove by this."""
    body = {"identifier": person.number, "password": person.password, "method": "none"}
    login = await person.service.post("/auth/login", body)
    if not works(login, "invalid_credentials"):
        return False
    answer = await person.service.verify(login.json(), code, method=method)
    # A factor that is gone is none of the methods; a code that is void is wrong.
    return works(answer, "validation_failed", "wrong_code")


async def authenticator_app(person: Person) -> Probe:
    async def probe() -> bool:
        return await _prove_login(person, "totp", person.app.code())

    return probe


async def recovery_codes(person: Person) -> Probe:
    async def probe() -> bool:
        return await _prove_login(person, "recovery_code", person.codes[0])

    return probe


async def password_and_phone(person: Person) -> Probe:
    """Those that the account has after the act: its owner gets in."""

    async def probe() -> bool:
        body = {"identifier": person.number, "password": person.password}
        login = await person.service.post("/auth/login", body)
        if not works(login, "invalid_credentials"):
            return False
        return bool(await person.service.prove(login.json(), person.number))

    return probe


THINGS: dict[str, Thing] = {
    each.__name__: each
    for each in (
        access_of_this,
        elevated_access,
        refresh_of_this,
        access_of_other,
        refresh_of_other,
        pending_login,
        pending_step_up,
        step_up_of_other,
        pending_phone_change,
        reset_token,
        held_reset,
        trusted_device,
        authenticator_app,
        recovery_codes,
        password_and_phone,
    )
}
ALL = set(THINGS)
TOKENS = {"access_of_this", "elevated_access", "refresh_of_this"}
OTHER_TOKENS = {"access_of_other", "refresh_of_other"}
PENDING = {"pending_step_up", "pending_phone_change"}  # for this session
OTHER_PENDING = {"step_up_of_other"}
LOGIN = {"pending_login"}
RESETS = {"reset_token", "held_reset"}
DEVICE = {"trusted_device"}
FACTORS = {"authenticator_app", "recovery_codes"}
OWNER = {"password_and_phone"}


@dataclass(frozen=True)
class Fate:
    """What an act leaves dead, and what alive: each thing stands in one of them, so somebody has decided."""

    dead: set[str]
    alive: set[str]


TABLE: dict[Act, Fate] = {
    nothing: Fate(dead=set(), alive=ALL),
    # This session goes on, but nothing that waits for a code: nobody knows who began it (R014, R061).
    change_password: Fate(
        dead=OTHER_TOKENS | PENDING | OTHER_PENDING | LOGIN | RESETS | DEVICE,
        alive=TOKENS | FACTORS | OWNER,
    ),
    # Nobody is left in: who has forgotten a password may have lost more (R014).
    reset_password: Fate(
        dead=TOKENS | OTHER_TOKENS | PENDING | OTHER_PENDING | LOGIN | RESETS | DEVICE,
        alive=FACTORS | OWNER,
    ),
    # Sessions go on. What rests on the old number doesn't: codes to it, resets by it, devices (R061).
    change_phone: Fate(
        dead=PENDING | OTHER_PENDING | LOGIN | RESETS | DEVICE,
        alive=TOKENS | OTHER_TOKENS | FACTORS | OWNER,
    ),
    # A reset goes on: without another proof it waits, as one of any account without an app does.
    remove_totp: Fate(
        dead={"authenticator_app"} | DEVICE,
        alive=TOKENS | OTHER_TOKENS | PENDING | OTHER_PENDING | LOGIN | RESETS | OWNER | {"recovery_codes"},
    ),
    renew_recovery_codes: Fate(dead={"recovery_codes"}, alive=ALL - {"recovery_codes"}),
    # What waits for a code dies with its session. A login has none yet.
    log_out: Fate(
        dead=TOKENS | PENDING,
        alive=OTHER_TOKENS | OTHER_PENDING | LOGIN | RESETS | DEVICE | FACTORS | OWNER,
    ),
    end_other_sessions: Fate(
        dead=OTHER_TOKENS | OTHER_PENDING,
        alive=TOKENS | PENDING | LOGIN | RESETS | DEVICE | FACTORS | OWNER,
    ),
    # Sessions alone: a device opens nothing without the password, and a login has just proved it.
    log_out_everywhere: Fate(
        dead=TOKENS | OTHER_TOKENS | PENDING | OTHER_PENDING,
        alive=LOGIN | RESETS | DEVICE | FACTORS | OWNER,
    ),
    # The factors are there, and no login asks for them (R056).
    lock: Fate(dead=ALL, alive=set()),
    # What was proved before the lock stays dead.
    lock_and_unlock: Fate(
        dead=TOKENS | OTHER_TOKENS | PENDING | OTHER_PENDING | LOGIN | RESETS | DEVICE,
        alive=FACTORS | OWNER,
    ),
    # Support leaves phone and password; whoever held the lost factors may have a session, too.
    reset_factors_by_support: Fate(
        dead=TOKENS | OTHER_TOKENS | PENDING | OTHER_PENDING | LOGIN | RESETS | DEVICE | FACTORS,
        alive=OWNER,
    ),
    delete_account: Fate(dead=ALL, alive=set()),
}


@pytest.fixture
def database_url(postgres_database: str) -> str:
    """Of one database alone: each pair has an account of its own, and the acts have tests on both."""
    return postgres_database


BEFORE: dict[Act, Act] = {reset_password: prove_the_phone}  # what an act needs, before there is any thing


@pytest.fixture
async def service(new_service: NewService, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(dependencies, "PAD", 0)
    async with new_service(send=WIDE, trusted_devices=ON) as running:
        yield running


def test_each_pair_is_decided() -> None:
    for act, fate in TABLE.items():
        assert fate.dead | fate.alive == ALL, act.__name__
        assert fate.dead & fate.alive == set(), act.__name__


@pytest.mark.parametrize("act", TABLE, ids=lambda act: act.__name__)
async def test_what_is_dead_and_what_goes_on(service: Service, act: Act) -> None:
    seen = Fate(dead=set(), alive=set())
    for name, thing in THINGS.items():
        person = await new_person(service)
        await BEFORE.get(act, nothing)(person)
        probe = await thing(person)
        await act(person)
        (seen.alive if await probe() else seen.dead).add(name)

    assert seen == TABLE[act]
