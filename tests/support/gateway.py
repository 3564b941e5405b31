"""A gateway: a service client of the tests, and what it may ask."""

from base64 import b64encode
from urllib.parse import urlencode

import httpx

from support.service import Json, Service

CLIENT_ID = "gateway"
SECRET = "Canary-of-the-gateway/4f+Qx8zT2m="  # as base64 makes them: with what forms escape
CLIENTS = {CLIENT_ID: SECRET, "billing": "another-secret-of-the-tests-98765"}
INTROSPECT, REVOKE = "/oauth2/introspect", "/oauth2/revoke"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(client_id: str = CLIENT_ID, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


async def ask(service: Service, path: str, token: str, **fields: str) -> httpx.Response:
    """Ask as the gateway."""
    content = urlencode({"token": token, **fields})
    return await service.http.post(path, content=content, headers=basic() | FORM)


async def introspected(service: Service, token: str, **fields: str) -> Json:
    answer = await ask(service, INTROSPECT, token, **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body: Json = answer.json()
    return body


async def revoke(service: Service, token: str, **fields: str) -> None:
    answer = await ask(service, REVOKE, token, **fields)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"


def refusal_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and error, and assert all that holds for refusals of RFC 6749 5.2."""
    body: dict[str, str] = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error_description"].isascii()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    challenge = 'Basic realm="otp-auth"' if answer.status_code == 401 else None
    assert answer.headers.get("www-authenticate") == challenge
    return answer.status_code, body["error"]
