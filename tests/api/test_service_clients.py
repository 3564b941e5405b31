"""Who may introspect and revoke, and in what form: RFC 7617, RFC 6749 2.3.1 and 5.2."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from hmac import compare_digest
from urllib.parse import quote_plus

import pytest
import pytest_asyncio
from api_surface import code_of, problem_of
from pydantic import SecretStr

from conftest import NewService
from otp_auth.api import contract_route, oauth_route, service_clients
from otp_auth.api.service_clients import ServiceClients
from support.gateway import CLIENT_ID, CLIENTS, FORM, INTROSPECT, REVOKE, SECRET, basic, refusal_of
from support.service import Service

ROUTES = [INTROSPECT, REVOKE]
UNKNOWN = b"token=unknown"
INVALID_CLIENT, INVALID_REQUEST = (401, "invalid_client"), (400, "invalid_request")
TOO_LARGE = (413, "invalid_request")


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


@pytest_asyncio.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(service_clients=CLIENTS) as running:
        yield running


def _basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


PAIR = f"{CLIENT_ID}:{SECRET}"
TAKEN = {
    "as it is": _basic(PAIR),
    "form-urlencoded": _basic(f"{quote_plus(CLIENT_ID)}:{quote_plus(SECRET)}"),
    "small letters": _basic(PAIR).replace("Basic", "basic"),
    "capitals": _basic(PAIR).replace("Basic", "BASIC"),
    "another client": _basic(f"billing:{CLIENTS['billing']}"),
}
REFUSED = {
    "empty": "",
    "scheme alone": "Basic",
    "nothing after the scheme": "Basic ",
    "no scheme": _basic(PAIR).removeprefix("Basic "),
    "as Bearer": _basic(PAIR).replace("Basic", "Bearer"),
    "two spaces": _basic(PAIR).replace("Basic ", "Basic  "),
    "not encoded": f"Basic {PAIR}",
    "not base64": "Basic %%%%",
    "padding cut": _basic(f"{PAIR}x").rstrip("="),
    "more behind": _basic(PAIR) + ", Basic",
    "not UTF-8": _basic(b"\xff\xfe:\xff"),
    "no colon": _basic(CLIENT_ID),
    "id alone": _basic(f"{CLIENT_ID}:"),
    "secret alone": _basic(f":{SECRET}"),
    "colon alone": _basic(":"),
    "unknown id": _basic(f"stranger:{SECRET}"),
    "wrong secret": _basic(f"{CLIENT_ID}:wrong"),
    "secret of another": _basic(f"{CLIENT_ID}:{CLIENTS['billing']}"),
    "secret cut": _basic(PAIR[:-1]),
    "secret prolonged": _basic(f"{PAIR}a"),
    "encoded twice": _basic(f"{CLIENT_ID}:{quote_plus(quote_plus(SECRET))}"),
    "other case": _basic(PAIR.swapcase()),
    "NUL": _basic(f"{PAIR}\0"),
    "broken escape": _basic(f"{CLIENT_ID}:%ff"),
    "10 kB": _basic(f"{CLIENT_ID}:{'a' * 10_000}"),
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("authorization", TAKEN.values(), ids=TAKEN)
async def test_a_client_is_known_by_id_and_secret(service: Service, path: str, authorization: str) -> None:
    headers = {"Authorization": authorization} | FORM

    assert (await service.http.post(path, content=UNKNOWN, headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
async def test_nobody_else_is(service: Service, path: str) -> None:
    answers = {
        name: await service.http.post(path, content=UNKNOWN, headers={"Authorization": value} | FORM)
        for name, value in REFUSED.items()
    }
    nameless = await service.http.post(path, content=UNKNOWN, headers=FORM)
    in_body = f"token=x&client_id={CLIENT_ID}&client_secret={quote_plus(SECRET)}".encode()
    posted = await service.http.post(path, content=in_body, headers=FORM)

    assert {name: refusal_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        REFUSED, INVALID_CLIENT
    )
    # Word for word the same: an unknown id is no other thing than a wrong secret.
    assert {answer.text for answer in (*answers.values(), nameless, posted)} == {nameless.text}


@pytest.mark.parametrize("path", ROUTES)
async def test_of_two_headers_neither_counts(service: Service, path: str) -> None:
    right = (b"Authorization", _basic(PAIR).encode())
    form = (b"Content-Type", FORM["Content-Type"].encode())

    for headers in ([right, right, form], [right, (b"Authorization", b"Bearer x"), form]):
        assert refusal_of(await service.http.post(path, content=UNKNOWN, headers=headers)) == INVALID_CLIENT


@pytest.mark.parametrize("path", ROUTES)
async def test_without_clients_nobody_is_one(new_service: NewService, path: str) -> None:
    async with new_service() as service:
        for headers in (basic(), basic("", ""), basic(CLIENT_ID, "")):
            answer = await service.http.post(path, content=UNKNOWN, headers=headers | FORM)
            assert refusal_of(answer) == INVALID_CLIENT


@pytest.mark.parametrize(
    "client_id", [pytest.param("stranger", id="unknown"), pytest.param(CLIENT_ID, id="known")]
)
def test_an_unknown_id_is_the_same_work_as_a_wrong_secret(
    monkeypatch: pytest.MonkeyPatch, client_id: str
) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare_digest(one, other)

    monkeypatch.setattr(service_clients, "compare_digest", compare)
    clients = ServiceClients({name: SecretStr(secret) for name, secret in CLIENTS.items()})

    assert clients.authenticate([_basic(f"{client_id}:wrong")]) is None
    # Each client, for both readings, and always whole digests.
    assert compared == [(32, 32)] * len(CLIENTS) * 2


BAD_BODIES = {
    "nothing": b"",
    "no token": b"token_type_hint=access_token",
    "empty token": b"token=",
    "name alone": b"token",
    "two tokens": b"token=a&token=b",
    "the same token twice": b"token=a&token=a",
    "empty and not": b"token=&token=a",
    "two hints": b"token=a&token_type_hint=b&token_type_hint=c",
    "other name": b"Token=a",
    "JSON": b'{"token": "a"}',
    "broken escape": b"token=%zz",
    "escape cut": b"token=a%4",
    "percent alone": b"token=%",
    "bad UTF-8, escaped": b"token=%ff%fe",
    "bad UTF-8": b"token=\xff\xfe",
    "lone surrogate": b"token=%ed%a0%80",
    "bad UTF-8 in another name": b"token=a&%ff=b",
}


@pytest.mark.parametrize("path", ROUTES)
async def test_a_form_without_exactly_one_token_is_refused(service: Service, path: str) -> None:
    answers = {
        name: await service.http.post(path, content=body, headers=basic() | FORM)
        for name, body in BAD_BODIES.items()
    }

    assert {name: refusal_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        BAD_BODIES, INVALID_REQUEST
    )


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"token=a&resource=b&resource=c&x=", id="unknown fields"),
        pytest.param(b"&token=a&&", id="empty fields"),
        pytest.param("token=\N{PILE OF POO}".encode(), id="UTF-8"),
        pytest.param(b"token=a+b%20c%00", id="escapes"),
        pytest.param(b"token=" + b"a" * 60_000, id="60 kB"),
        pytest.param(b"token=a" + b"&x=y" * 19, id="20 fields"),
    ],
)
async def test_what_is_not_understood_is_ignored(service: Service, path: str, body: bytes) -> None:
    assert (await service.http.post(path, content=body, headers=basic() | FORM)).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/json", id="JSON"),
        pytest.param("multipart/form-data; boundary=x", id="multipart"),
        pytest.param("text/plain; application/x-www-form-urlencoded", id="as a parameter"),
        pytest.param("application/x-www-form-urlencoded, text/plain", id="two"),
        pytest.param("", id="empty"),
        pytest.param(None, id="none"),
    ],
)
async def test_another_media_type_is_refused(service: Service, path: str, content_type: str | None) -> None:
    kind = {} if content_type is None else {"Content-Type": content_type}

    answer = await service.http.post(path, content=UNKNOWN, headers=basic() | kind)

    assert refusal_of(answer) == INVALID_REQUEST


async def test_parameters_of_the_media_type_change_nothing(service: Service) -> None:
    kind = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}

    assert (await service.http.post(INTROSPECT, content=UNKNOWN, headers=basic() | kind)).json() == {
        "active": False
    }


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 8_192):
        yield body[start : start + 8_192]


@pytest.mark.parametrize("path", ROUTES)
async def test_too_much_is_refused(service: Service, path: str) -> None:
    large = b"token=" + b"a" * 65_536
    many = b"token=a" + b"&x=y" * 20
    sent: list[bytes | AsyncIterator[bytes]] = [large, _in_pieces(large), many]

    answers = [await service.http.post(path, content=body, headers=basic() | FORM) for body in sent]

    assert [refusal_of(answer) for answer in answers] == [TOO_LARGE] * 3


@pytest.mark.parametrize("path", ROUTES)
async def test_the_order_of_the_judging(service: Service, path: str) -> None:
    large, text = b"x" * 70_000, {"Content-Type": "text/plain"}

    method = await service.http.put(path, content=large, headers=text)
    stranger = await service.http.post(path, content=large, headers=text)
    media_type = await service.http.post(path, content=large, headers=basic() | text)
    size = await service.http.post(path, content=large + b"%zz", headers=basic() | FORM)

    assert (problem_of(method)["code"], method.headers["allow"]) == ("method_not_allowed", "POST")
    assert refusal_of(stranger) == INVALID_CLIENT
    assert refusal_of(media_type) == INVALID_REQUEST
    assert refusal_of(size) == TOO_LARGE


async def _never() -> AsyncIterator[bytes]:
    yield b"token="
    await asyncio.Event().wait()


async def test_a_body_that_dawdles_is_a_bad_request(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_route, "SLOWEST_BODY", 0.01)

    answer = await service.http.post(INTROSPECT, content=_never(), headers=basic() | FORM)

    assert refusal_of(answer) == INVALID_REQUEST
    assert "in time" in answer.json()["error_description"]


def test_the_escapes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    class _Anything:
        def search(self, _raw: bytes) -> None: ...

    monkeypatch.setattr(oauth_route, "_BROKEN_ESCAPE", _Anything())

    assert oauth_route.parse_form(b"token=%zz") == {"token": ["%zz"]}


class TestFloods:
    LIMITS = {"enabled": True, "services": "3/hour", "tokens": "1/hour", "account": "1/hour"}  # noqa: RUF012 - read only

    async def test_failures_are_limited_and_nobody_who_is_known(self, new_service: NewService) -> None:
        async with new_service(service_clients=CLIENTS, rate_limits=self.LIMITS) as service:

            async def ask(path: str, headers: dict[str, str]) -> int:
                return (await service.http.post(path, content=UNKNOWN, headers=headers | FORM)).status_code

            known = [await ask(path, basic()) for path in ROUTES * 10]
            strangers = [await ask(path, basic(secret="wrong")) for path in ROUTES * 2]
            still = [await ask(path, basic()) for path in ROUTES]
            last = await service.http.post(INTROSPECT, headers=basic("stranger", "wrong"))

        assert known == [200] * 20
        assert strangers == [401, 401, 401, 429]
        assert still == [200, 200]
        assert code_of(last) == "rate_limited"
