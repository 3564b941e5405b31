"""The examples of docs/verify-tokens.md accept the access tokens of a running otp-auth, and no other."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from issuer import JWKS, Issuer, bad_tokens, issue, running_issuer
from running_examples import (
    INVALID,
    PACKAGES,
    Consumer,
    Start,
    WebService,
    express_service,
    fastapi_service,
    node_checker,
)

from conftest import NewService
from otp_auth.tokens.keys import generate_key, load_keys
from otp_auth.tokens.rotation import rotate
from support.npm import install_packages
from support.service import Json, new_number

CHALLENGE = 'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="600"'
WEB_SERVICES = [pytest.param(fastapi_service, id="fastapi"), pytest.param(express_service, id="express")]
CONSUMERS = [*WEB_SERVICES, pytest.param(node_checker, id="issuer alone")]


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that the Node examples import."""
    folder = tmp_path_factory.mktemp("node")
    install_packages(PACKAGES, folder)
    return folder


@pytest.fixture
async def issuer(new_service: NewService) -> AsyncIterator[Issuer]:
    async with running_issuer(new_service) as running:
        yield running


@pytest.fixture
async def account(issuer: Issuer) -> Json:
    return await issuer.service.register(new_number())


@pytest.fixture
async def consumer(issuer: Issuer, packages: Path, request: pytest.FixtureRequest) -> AsyncIterator[Consumer]:
    start: Start = request.param
    async with start(issuer.address, packages) as running:
        yield running


@pytest.mark.parametrize("consumer", CONSUMERS, indirect=True)
async def test_it_takes_access_tokens_and_no_other(
    consumer: Consumer, issuer: Issuer, account: Json, tmp_path: Path
) -> None:
    who = account["user"]["id"]
    bad = await bad_tokens(issuer, account, tmp_path / "foreign")

    refused = {name: await consumer.account_of(token) for name, token in bad.items()}

    assert refused == dict.fromkeys(bad)
    refreshed = await issuer.service.post("/auth/token/refresh", {"refresh_token": account["refresh_token"]})
    for good in (account["access_token"], refreshed.json()["access_token"], issue(issuer.issuing(), account)):
        assert await consumer.account_of(good) == who


@pytest.mark.parametrize("consumer", CONSUMERS, indirect=True)
async def test_unknown_keys_fetch_nothing(
    consumer: Consumer, issuer: Issuer, account: Json, tmp_path: Path
) -> None:
    assert await consumer.account_of(account["access_token"])
    for number in range(5):
        generate_key(tmp_path / str(number))
        foreign = issue(issuer.issuing(load_keys(tmp_path / str(number))), account)
        assert await consumer.account_of(foreign) is None

    assert issuer.door.asked[JWKS] == 1


@pytest.mark.parametrize("start", CONSUMERS)
async def test_a_rotation_goes_unnoticed(
    start: Start, new_service: NewService, packages: Path, signing_keys: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    shutil.copytree(signing_keys, folder)
    generate_key(folder)  # the next one, published
    async with (
        running_issuer(new_service, tokens={"signing_keys_dir": folder}) as issuer,
        start(issuer.address, packages) as consumer,
    ):
        number = new_number()
        before = await issuer.service.register(number)
        assert await consumer.account_of(before["access_token"]) == before["user"]["id"]

        rotate(folder, "ES256", timedelta(minutes=15), wait=lambda _: None)
        issuer.service.app.state.tokens.keys = load_keys(folder)  # what a running service does by itself
        refreshed = await issuer.service.post(
            "/auth/token/refresh", {"refresh_token": before["refresh_token"]}
        )

        for token in (refreshed.json()["access_token"], before["access_token"]):
            assert await consumer.account_of(token) == before["user"]["id"]
        assert issuer.door.asked[JWKS] == 1


@pytest.mark.parametrize("consumer", WEB_SERVICES, indirect=True)
async def test_who_shows_nothing_is_told_what_to_show(consumer: WebService) -> None:
    answers = [await consumer.ask("GET", "/orders", None), await consumer.ask("POST", "/payments", None)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert [answer.headers["www-authenticate"] for answer in answers] == ["Bearer"] * 2


@pytest.mark.parametrize("consumer", WEB_SERVICES, indirect=True)
async def test_a_recent_proof_is_demanded(consumer: WebService, issuer: Issuer, account: Json) -> None:
    tokens = issuer.issuing()
    shown = {
        "the login": account["access_token"],
        "just recent": issue(tokens, account, age=timedelta(seconds=540)),
        "old": issue(tokens, account, age=timedelta(seconds=601)),
        "one factor": issue(tokens, account, acr="aal1"),
        "garbage": "garbage",
    }

    answers = {name: await consumer.ask("POST", "/payments", token) for name, token in shown.items()}

    seen = {name: (each.status_code, each.headers.get("www-authenticate")) for name, each in answers.items()}
    assert seen == {
        "the login": (200, None),
        "just recent": (200, None),
        "old": (401, CHALLENGE),
        "one factor": (401, CHALLENGE),
        "garbage": (401, INVALID),
    }


@pytest.mark.parametrize("consumer", WEB_SERVICES, indirect=True)
async def test_a_step_up_answers_the_challenge(consumer: WebService, issuer: Issuer) -> None:
    number, service = new_number(), issuer.service
    account = await service.register(number)
    old = issue(issuer.issuing(), account, age=timedelta(seconds=601))
    refused = await consumer.ask("POST", "/payments", old)

    pending = (await service.post("/auth/step-up", token=old)).json()
    elevated = await service.prove(pending, number)
    repeated = await consumer.ask("POST", "/payments", elevated["access_token"])

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, CHALLENGE)
    assert (repeated.status_code, repeated.json()) == (200, {"account": account["user"]["id"]})


@pytest.mark.parametrize("consumer", WEB_SERVICES, indirect=True)
async def test_an_outage_is_no_bad_token(consumer: WebService, issuer: Issuer, account: Json) -> None:
    issuer.door.broken.add(JWKS)
    during = await consumer.ask("GET", "/orders", account["access_token"])
    issuer.door.broken.clear()
    after = await consumer.ask("GET", "/orders", account["access_token"])

    assert (during.status_code, during.headers["retry-after"]) == (503, "5")
    assert after.status_code == 200
