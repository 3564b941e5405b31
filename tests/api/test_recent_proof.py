"""A recent proof: which tokens have one, what is said to the others, and when it is judged."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
import time_machine
from api_surface import JSON_TYPE, TEXT, TOO_LARGE, bearer, code_of, operations, problem_of
from fastapi import APIRouter, Depends
from httpx import Response
from sqlalchemy import update

from conftest import NewService
from otp_auth.api import schemas
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import Caller, CurrentCaller, RecentlyProvedCaller, RecentProof
from otp_auth.sessions.models import Session
from support.service import API, Json, Service, new_number

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAX_AGE = timedelta(seconds=600)
# RFC 9110 11.6.1 and 5.6.4: a scheme, then names with quoted strings.
CHALLENGE = re.compile(r'Bearer [a-z_]+="[^"\\]*"(, [a-z_]+="[^"\\]*")*', re.ASCII)
PARAMETER = re.compile(r'([a-z_]+)="([^"\\]*)"', re.ASCII)


async def ask(service: Service, tokens: Json) -> Response:
    """Ask for what wants a recent proof."""
    return await service.post("/me/recovery-codes", token=tokens["access_token"])


async def refreshed(service: Service, tokens: Json) -> Json:
    answer = await service.post("/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 200
    body: Json = answer.json()
    return body


def is_refused(answer: Response) -> bool:
    return not answer.is_success and code_of(answer) == "insufficient_user_authentication"


class TestAge:
    async def test_the_walk_from_a_refusal_to_the_second_try(self, service: Service) -> None:
        number = new_number()
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(number)
            clock.shift(timedelta(minutes=9))
            tokens = await refreshed(service, tokens)
            young = await ask(service, tokens)
            clock.shift(timedelta(minutes=2))
            old = await ask(service, tokens)
            elevated = await service.step_up(tokens, number)
            again = await ask(service, elevated)
            from_before = await ask(service, tokens)
            from_a_refresh = await ask(service, await refreshed(service, tokens))
            clock.shift(MAX_AGE - timedelta(seconds=1))
            late = await ask(service, elevated)

        assert young.status_code == again.status_code == late.status_code == 200
        assert all(is_refused(answer) for answer in (old, from_before, from_a_refresh))

    @pytest.mark.parametrize(("age", "refused"), [(600, False), (601, True)])
    async def test_it_ends_to_the_second(self, service: Service, age: int, refused: bool) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            clock.shift(timedelta(seconds=60))
            tokens = await refreshed(service, tokens)
            clock.shift(timedelta(seconds=age - 60))
            answer = await ask(service, tokens)

        assert is_refused(answer) is refused

    async def test_its_length_is_a_setting(self, new_service: NewService) -> None:
        async with new_service(step_up={"max_age": 60}) as service:
            with time_machine.travel(START, tick=False) as clock:
                tokens = await service.register(new_number())
                clock.shift(timedelta(seconds=61))
                answer = await ask(service, tokens)

        assert problem_of(answer)["max_age"] == 60
        assert 'max_age="60"' in answer.headers["WWW-Authenticate"]


class TestAssurance:
    async def test_one_factor_is_not_enough_however_recent(self, service: Service) -> None:
        number = new_number()
        tokens = await service.register(number)
        async with service.database.write() as tx:
            await tx.execute(update(Session).values(acr="aal1", amr=["pwd"]))

        of_one = await refreshed(service, tokens)
        elevated = await service.step_up(of_one, number)

        assert is_refused(await ask(service, of_one))
        assert (await ask(service, elevated)).status_code == 200

    async def test_the_token_counts_and_not_the_row_of_its_session(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            clock.shift(timedelta(minutes=9))
            tokens = await refreshed(service, tokens)
            clock.shift(timedelta(minutes=2))
            async with service.database.write() as tx:
                await tx.execute(update(Session).values(auth_time=datetime.now(UTC)))

            assert is_refused(await ask(service, tokens))


class TestRefusal:
    async def test_it_says_what_is_missing_in_header_and_body(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            clock.shift(timedelta(seconds=601))
            answer = await ask(service, tokens)

        problem, challenge = problem_of(answer), answer.headers["WWW-Authenticate"]
        assert CHALLENGE.fullmatch(challenge)
        assert dict(PARAMETER.findall(challenge)) == {
            "error": "insufficient_user_authentication",
            "error_description": problem["detail"],
            "acr_values": "aal2",
            "max_age": "600",
        }
        assert answer.status_code == 401
        assert (problem["acr_values"], problem["max_age"]) == ("aal2", 600)

    async def test_a_bad_token_is_invalid_before_it_is_old(self, service: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            tokens = await service.register(new_number())
            ended = await service.register(new_number())
            await service.post("/auth/logout", token=ended["access_token"])
            clock.shift(timedelta(seconds=603))  # old since 3 s; ends after 5 s of leeway
            answers = [await ask(service, each) for each in (ended, {"access_token": "x"}, tokens)]

        assert [code_of(answer) for answer in answers] == [
            "invalid_token",
            "invalid_token",
            "insufficient_user_authentication",
        ]

    def test_the_document_has_one_scheme_for_access_tokens(self, service: Service) -> None:
        found = {each.name: each.credential for each in operations(service.app)}

        assert found["renewRecoveryCodes"] == found["getMe"] == "AccessToken"


TWO_MINUTES = timedelta(minutes=2)
router = APIRouter(prefix=API, route_class=ContractRoute)


@router.post("/strict")
async def strict(
    caller: Annotated[Caller, Depends(RecentProof(TWO_MINUTES))], body: schemas.SendBody
) -> dict[str, str]:
    """A route with a maximum age of its own, and a body."""
    return {"method": body.method, "of": str(caller.user.id)}


@router.post("/both")
async def both(_anybody: CurrentCaller, caller: RecentlyProvedCaller) -> str:
    """A route that asks twice who is there."""
    return str(caller.user.id)


@pytest.fixture
def guarded(service: Service) -> Service:
    """The service with routes of the test's own."""
    service.app.include_router(router)
    return service


class TestAnyRoute:
    async def test_a_route_may_want_a_shorter_time(self, guarded: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            token = (await guarded.register(new_number()))["access_token"]
            clock.shift(TWO_MINUTES)
            young = await guarded.post("/strict", {"method": "sms"}, token)
            clock.shift(timedelta(seconds=1))
            old = await guarded.post("/strict", {"method": "sms"}, token)

        assert young.status_code == 200
        assert problem_of(old)["max_age"] == 120

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param(TEXT, TOO_LARGE, id="before the media type"),
            pytest.param(JSON_TYPE, TOO_LARGE, id="before the size"),
            pytest.param(JSON_TYPE, b"{", id="before JSON"),
            pytest.param(JSON_TYPE, b"{}", id="before the fields"),
        ],
    )
    async def test_it_is_judged_before_anything_else_of_the_request(
        self, guarded: Service, headers: dict[str, str], body: bytes
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            token = (await guarded.register(new_number()))["access_token"]
            clock.shift(timedelta(minutes=3))
            answer = await guarded.http.post(f"{API}/strict", content=body, headers=headers | bearer(token))

        assert is_refused(answer)

    async def test_a_caller_that_is_known_already_still_needs_the_proof(self, guarded: Service) -> None:
        with time_machine.travel(START, tick=False) as clock:
            token = (await guarded.register(new_number()))["access_token"]
            young = await guarded.post("/both", token=token)
            clock.shift(timedelta(seconds=601))
            old = await guarded.post("/both", token=token)

        assert young.status_code == 200
        assert is_refused(old)
