"""Deletion beside all that an account can do just then: nothing of it works afterwards, nothing is left."""

import asyncio
from uuid import UUID

import test_refresh_in_parallel as in_parallel
from sqlalchemy import delete
from test_password_changes import NEW, change, prove
from test_refresh_in_parallel import ROUNDS, Workers, assert_dead, refresh

from otp_auth.accounts.models import User
from support.service import PASSWORD, Json, Service, new_number
from support.whole_account import traces

workers = in_parallel.workers
# What may still name the number: it isn't the account's (docs/personal-data.md). The id leads nowhere.
MAY_STAY = {"budgets.key", "cooldowns.phone_number"}


async def go(service: Service, tokens: Json) -> int:
    return (await service.ask("DELETE", "/me", token=tokens["access_token"])).status_code


async def test_nothing_that_runs_beside_it_survives(workers: Workers) -> None:
    one, two = workers
    for _ in range(ROUNDS):
        number = new_number()
        tokens = await one.register(number)
        codes = tokens["recovery_codes"]
        pending = await one.start_login(number, method="none")
        step_up = await one.start_step_up(tokens, method="none")

        gone, *answers = await asyncio.gather(
            go(one, tokens),
            refresh(two, tokens["refresh_token"]),
            prove(two, pending, codes[0]),
            prove(one, step_up, codes[1]),
            two.post("/auth/login", {"identifier": number, "password": PASSWORD}),
            change(two, tokens, NEW),
        )

        statuses = [gone, *(answer.status_code for answer in answers)]
        assert max(statuses) < 500, [answer.text for answer in answers]
        assert gone == 204
        refreshed, logged_in, *_ = answers
        for left in (tokens, *(answer.json() for answer in (refreshed, logged_in) if answer.is_success)):
            await assert_dead(two, left)
        for waiting in (pending, step_up):
            assert (await one.get("/auth/otp", waiting["pending_token"])).status_code == 410
        found = await traces(one.database, [number.removeprefix("+"), tokens["user"]["id"]])
        assert set(found) <= MAY_STAY, found


async def test_of_parallel_deletions_one_is_done(workers: Workers) -> None:
    one, two = workers
    tokens = await one.register(new_number())

    statuses = await asyncio.gather(*(go(each, tokens) for each in (one, two) * 5))

    assert sorted(statuses) == [204] + [401] * 9


async def test_a_row_that_goes_alone_leaves_traces(workers: Workers) -> None:
    """So the look for traces can fail."""
    one, _ = workers
    number = new_number()
    tokens = await one.register(number)
    async with one.database.write() as tx:
        await tx.execute(delete(User).where(User.id == UUID(tokens["user"]["id"])))

    assert set(await traces(one.database, [number.removeprefix("+"), tokens["user"]["id"]])) - MAY_STAY
