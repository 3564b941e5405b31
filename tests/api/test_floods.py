"""Floods: each group of routes has a limit for each network."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import count

import httpx
import pytest
import pytest_asyncio
from api_surface import Operation, bearer, code_of, listening, operations, problem_of

from conftest import NewService
from support.resets import allowed
from support.service import PASSWORD, PUBLIC_URL, Json, Service, new_number
from support.valkey import URL_VARIABLE, ValkeyServer, valkey_server

LIMITS = {"enabled": True} | dict.fromkeys(("credentials", "codes", "tokens", "account"), "2/hour")
GROUP_OF = {
    "register": "credentials",
    "logIn": "credentials",
    "stepUp": "codes",
    "sendCode": "codes",
    "getChallenge": "codes",
    "verifyCode": "codes",
    "refreshTokens": "tokens",
    "logOut": "tokens",
    "getMe": "account",
    "changeMe": "account",
    "renewRecoveryCodes": "account",
    "listFactors": "account",
    "enrolTotp": "account",
    "confirmTotp": "codes",
    "removeTotp": "account",
    "listSessions": "account",
    "listEvents": "account",
    "listDevices": "account",
    "endDevice": "account",
    "exportMe": "account",
    "deleteMe": "account",
    "endSession": "account",
    "endOtherSessions": "account",
    "changePassword": "credentials",
    "changePhone": "credentials",
    "forgotPassword": "credentials",
    "resetPassword": "credentials",
    "cancelPasswordReset": "account",
}
NETWORKS = (f"198.18.{number}.7" for number in count())
WELL_KNOWN = ("/.well-known/jwks.json", "/.well-known/oauth-authorization-server")
LOGIN = {"identifier": "nobody", "password": "wrong"}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(rate_limits=LIMITS, trusted_proxies="10.0.0.0/8") as running:
        yield running


@asynccontextmanager
async def _from(service: Service, address: str) -> AsyncIterator[Service]:
    """The same service, seen by somebody with this address."""
    transport = httpx.ASGITransport(service.app, client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield Service(service.app, http, service.simulator)


async def _logins(service: Service, *addresses: str) -> list[str]:
    """Try one login from each address in turn and return the codes of the refusals."""
    codes = []
    for address in addresses:
        async with _from(service, address) as seen:
            codes.append(code_of(await seen.post("/auth/login", LOGIN)))
    return codes


FREE, LIMITED = "invalid_credentials", "rate_limited"


async def _account(service: Service) -> Json:
    async with _from(service, next(NETWORKS)) as elsewhere:
        return await elsewhere.register(new_number())


async def _reset_token(service: Service) -> str:
    number = new_number()
    async with _from(service, next(NETWORKS)) as elsewhere:
        await elsewhere.register(number)
    async with _from(service, next(NETWORKS)) as elsewhere:
        token: str = (await allowed(elsewhere, number))["reset_token"]
    return token


async def _headers(service: Service, operation: Operation) -> dict[str, str]:
    """Fresh credentials for one request: logout spends them."""
    if operation.credential is None:
        return {}
    if operation.credential == "AccessToken":
        return bearer((await _account(service))["access_token"])
    if operation.credential == "ResetToken":
        return bearer(await _reset_token(service))
    async with _from(service, next(NETWORKS)) as elsewhere:
        return bearer((await elsewhere.start_registration(new_number()))["pending_token"])


def _body(operation: Operation) -> Json | None:
    bodies: dict[str, Json] = {
        "register": {"phone_number": new_number(), "password": PASSWORD},
        "logIn": LOGIN,
        "sendCode": {"method": "sms"},
        "verifyCode": {"code": "000000"},
        "refreshTokens": {"refresh_token": "none"},
        "forgotPassword": {"identifier": new_number()},
    }
    return bodies.get(operation.name, {}) if operation.takes_body else None


async def test_each_route_is_limited_with_its_group(service: Service) -> None:
    below_api = [each for each in operations(service.app) if each.path.startswith("/api/")]
    limited = {}

    for operation in below_api:
        address = next(NETWORKS)
        codes = []
        for _ in range(3):
            headers, body = await _headers(service, operation), _body(operation)
            async with _from(service, address) as seen:
                answer = await seen.http.request(operation.method, operation.path, json=body, headers=headers)
            codes.append("" if answer.is_success else code_of(answer))
        limited[operation.name] = tuple(code == LIMITED for code in codes)

    assert limited == dict.fromkeys(GROUP_OF, (False, False, True))


@pytest.mark.parametrize("group", sorted(set(GROUP_OF.values())))
async def test_routes_of_a_group_share_a_counter_with_no_others(new_service: NewService, group: str) -> None:
    most = max(Counter(GROUP_OF.values()).values())  # routes of the largest group
    limits = LIMITS | dict.fromkeys(GROUP_OF.values(), f"{most}/hour")
    async with new_service(rate_limits=limits) as service:
        below_api = [each for each in operations(service.app) if each.name in GROUP_OF]
        inside = [each for each in below_api if GROUP_OF[each.name] == group]
        asked = [inside[0]] * most + below_api
        prepared = [(each, await _headers(service, each), _body(each)) for each in asked]

        limited = {}
        async with _from(service, next(NETWORKS)) as seen:
            for each, headers, body in prepared:
                answer = await seen.http.request(each.method, each.path, json=body, headers=headers)
                limited[each.name] = not answer.is_success and code_of(answer) == LIMITED

    assert {name for name, is_limited in limited.items() if is_limited} == {each.name for each in inside}


async def test_the_answer_says_when_to_come_back(service: Service) -> None:
    async with _from(service, next(NETWORKS)) as seen:
        answers = [await seen.post("/auth/login", LOGIN) for _ in range(3)]

    assert problem_of(answers[-1])["code"] == LIMITED
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 3_600


async def test_health_keys_and_explanations_are_never_limited(service: Service) -> None:
    paths = ["/health", "/health/live", "/health/ready", *WELL_KNOWN, "/problems/not_found"]

    answers = [await service.http.get(path) for path in paths for _ in range(10)]

    assert {answer.status_code for answer in answers} == {200}


async def test_neighbours_share_a_counter_and_strangers_do_not(service: Service) -> None:
    codes = await _logins(service, "203.0.113.1", "203.0.113.254", "::ffff:203.0.113.9", "203.0.114.1")

    assert codes == [FREE, FREE, LIMITED, FREE]


async def test_a_network_of_ipv6_shares_a_counter(service: Service) -> None:
    codes = await _logins(
        service, "2001:db8::1", "2001:DB8:0:0:ffff::2", "2001:db8::ffff:1:2:3", "2001:db8:0:1::1"
    )

    assert codes == [FREE, FREE, LIMITED, FREE]


async def test_a_stranger_can_not_pass_for_many(service: Service) -> None:
    async with _from(service, next(NETWORKS)) as seen:
        codes = [
            code_of(
                await seen.http.post(
                    "/api/v1/auth/login",
                    json=LOGIN,
                    headers={"X-Forwarded-For": f"198.51.{n}.1", "X-Real-IP": f"198.51.{n}.1"},
                )
            )
            for n in range(3)
        ]

    assert codes == [FREE, FREE, LIMITED]


async def test_behind_a_proxy_each_client_counts_alone(service: Service) -> None:
    async with _from(service, "10.0.0.1") as seen:
        codes = [
            code_of(
                await seen.http.post(
                    "/api/v1/auth/login", json=LOGIN, headers={"X-Forwarded-For": f"{made_up}, {client}"}
                )
            )
            for made_up, client in [
                ("1.1.1.1", "198.51.100.1"),
                ("2.2.2.2", "198.51.100.2"),
                ("3.3.3.3", "198.51.100.3"),
                ("198.51.100.1", "192.0.2.200"),
            ]
        ]

    assert codes == [FREE, FREE, LIMITED, FREE]


async def test_switched_off_there_is_no_limit(new_service: NewService) -> None:
    async with new_service(rate_limits=LIMITS | {"enabled": False}) as service:
        codes = await _logins(service, *["203.0.113.1"] * 5)

    assert codes == [FREE] * 5


async def test_two_applications_without_a_store_count_apart(new_service: NewService) -> None:
    async with new_service(rate_limits=LIMITS) as one, new_service(rate_limits=LIMITS) as other:
        codes = [code for each in (one, one, other, one) for code in await _logins(each, "203.0.113.1")]

    assert codes == [FREE, FREE, FREE, LIMITED]


async def test_two_applications_share_the_counters_of_valkey(
    new_service: NewService, valkey: ValkeyServer
) -> None:
    address = next(NETWORKS)
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(new_service(rate_limits=LIMITS, redis_url=valkey.url(9)))
            for _ in range(2)
        ]
        await one.app.state.redis.flushdb()
        codes = [code for each in (one, other, one, other) for code in await _logins(each, address)]

    assert codes == [FREE, FREE, LIMITED, LIMITED]


async def test_when_valkey_dies_the_counters_go_on_in_memory(
    new_service: NewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)  # this one is stopped: it has to be our own
    with ExitStack() as life:
        doomed = life.enter_context(valkey_server())
        async with new_service(rate_limits=LIMITS, redis_url=doomed.url()) as service:
            alive = await _logins(service, "203.0.113.1")
            life.close()
            with listening() as log:
                orphaned = await _logins(service, *["203.0.113.1"] * 3, "203.0.114.1")

    assert alive == [FREE]
    assert orphaned == [FREE, FREE, LIMITED, FREE]
    assert "WARNING Rate limit storage unreachable" in log.text
