"""Strange addresses, queries and headers: nothing breaks, and nothing of them is echoed or logged."""

import pytest
from api_surface import JSON_TYPE, code_of, listening, operations

from support.service import PUBLIC_URL, Service

CANARY = "Canary7Zq"
SECRET = CANARY.encode()

ADDRESSES = {
    "NUL": "/problems/%00",
    "bad UTF-8": "/problems/%ff%fe",
    "lone surrogate": "/problems/%ed%a0%80",
    "unknown": f"/problems/{CANARY}",
    "markup": f"/problems/%3Cscript%3E{CANARY}",
    "path out of here": "/problems/..%2f..%2fetc%2fpasswd",
    "line break": "/problems/%0d%0aSet-Cookie:%20a=b",
    "line break at the end": "/problems/not_found%0a",
    "other letters": "/problems/NOT_FOUND",
    "9 kB": f"/problems/{CANARY * 1_000}",
    "no such address": f"/{CANARY}",
    "two slashes": "//api/v1/me",
    "slash at the end": "/api/v1/me/",
    "other version": "/api/v2/me",
    "file": "/.env",
}
HEADERS = (
    "Accept",
    "Accept-Language",
    "Content-Encoding",
    "Cookie",
    "Forwarded",
    "If-None-Match",
    "Origin",
    "Transfer-Encoding",
    "User-Agent",
    "X-Forwarded-For",
    "X-Request-ID",
)
HEADER_VALUES = {
    "bytes": SECRET + b"\xff\xfe",
    "line break": SECRET + b"\r\nX-Injected: yes",
    "control characters": SECRET + b"\x00\x1b[31m",
    "9 kB": SECRET * 1_000,
    "empty": b"",
}
CONTENT_TYPES = {
    "bytes": b"application/json; charset=\xff\xfe",
    "parameter without end": b'application/json; charset="' + SECRET,
    "many parameters": b"application/json" + b"; a=b" * 2_000,
    "line break": b"application/json\r\nX-Injected: yes",
}
LENGTHS = {
    "negative": (b"-1", "validation_failed"),
    "letters": (b"abc", "validation_failed"),
    "full-width digit": ("\N{FULLWIDTH DIGIT NINE}".encode(), "validation_failed"),
    "exponent": (b"1e9", "validation_failed"),
    "zero": (b"0", "validation_failed"),
    "as much as is allowed": (b"65536", "validation_failed"),
    "one more than allowed": (b"65537", "payload_too_large"),
    "40 digits": (b"9" * 40, "payload_too_large"),
    "5,000 digits": (b"9" * 5_000, "payload_too_large"),
    "too large behind zeros": (b"0" * 40 + b"65537", "payload_too_large"),
}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


async def test_a_strange_address_is_not_found(service: Service) -> None:
    with listening() as log:
        answers = {
            name: await service.http.get(f"{PUBLIC_URL}{address}") for name, address in ADDRESSES.items()
        }

    assert {name: code_of(answer) for name, answer in answers.items()} == dict.fromkeys(
        ADDRESSES, "not_found"
    )
    assert not [name for name, answer in answers.items() if CANARY in answer.text]
    assert CANARY not in log.text


async def test_a_query_changes_nothing_and_is_not_logged(service: Service) -> None:
    query = f"?access_token={CANARY}&x=%00&x=%ff&token={CANARY}"
    open_to_all = [each for each in operations(service.app) if not each.takes_body and not each.credential]

    with listening() as log:
        answers = [await service.http.get(f"{PUBLIC_URL}{each.path}{query}") for each in open_to_all]
        refused = await service.http.get(f"{PUBLIC_URL}/api/v1/me{query}")

    assert {answer.status_code for answer in answers} == {200}
    assert code_of(refused) == "invalid_token"
    assert CANARY not in log.text


@pytest.mark.parametrize("name", HEADERS)
async def test_a_strange_header_breaks_nothing(service: Service, name: str) -> None:
    with listening() as log:
        for value in HEADER_VALUES.values():
            headers = [(name.encode(), value), (b"content-type", b"application/json")]
            answer = await service.http.post("/api/v1/auth/register", content=b"{}", headers=headers)

            assert code_of(answer) == "validation_failed"
            assert "x-injected" not in answer.headers
            assert CANARY not in answer.text + str(answer.headers)

    assert CANARY not in log.text


async def test_a_strange_content_type_breaks_nothing(service: Service) -> None:
    answers = [
        await service.http.post(
            "/api/v1/auth/register", content=b"{}", headers=[(b"content-type", content_type)]
        )
        for content_type in CONTENT_TYPES.values()
    ]

    assert {code_of(answer) for answer in answers} <= {"validation_failed", "unsupported_media_type"}
    assert not [answer for answer in answers if CANARY in answer.text]


@pytest.mark.parametrize("name", LENGTHS)
async def test_a_strange_content_length_breaks_nothing(service: Service, name: str) -> None:
    length, code = LENGTHS[name]
    headers = [(b"content-length", length), *((a.encode(), b.encode()) for a, b in JSON_TYPE.items())]

    answer = await service.http.post("/api/v1/auth/register", content=b"{}", headers=headers)

    assert code_of(answer) == code
