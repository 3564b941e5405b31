"""A client of the simulator that signs as Sinch's SDKs do."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from otp_auth.simulator.app import create_simulator
from otp_auth.simulator.simulation import NewCode
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.signing import decode_secret, signature

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SECRET = "AAECAwQFBgcICQoLDA0ODw=="
CODE = "4711"
WRONG = "0000"
NUMBER = "+46700000000"
OTHER_NUMBER = "+46701740629"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
VERIFICATIONS = "/verification/v1/verifications"
CONTENT_TYPE = "application/json; charset=UTF-8"


def sign(verb: str, path: str, body: bytes = b"", **changes: str) -> dict[str, str]:
    """Return the headers of a signed request; `changes` replace parts of what is signed and sent."""
    timestamp = changes.get("timestamp", datetime.now(UTC).isoformat())
    signed = signature(
        decode_secret(changes.get("secret", SECRET)),
        verb=verb,
        path=path,
        body=body,
        content_type=CONTENT_TYPE,
        timestamp=timestamp,
    )
    return {
        "Authorization": f"{changes.get('scheme', 'Application')} {changes.get('key', KEY)}:{signed}",
        "Content-Type": CONTENT_TYPE,
        "x-timestamp": timestamp,
    }


def new_simulator(
    *, journal: Path | None = None, new_code: NewCode | None = lambda _alphabet: CODE, **settings: Any
) -> FastAPI:
    """Make a simulator whose code is always CODE, and whose messages arrive at once."""
    return create_simulator(
        SimulatorSettings(**{"delivery_delay": 0} | settings),
        application_key=KEY,
        application_secret=SECRET,
        journal=journal,
        new_code=new_code,
    )


@dataclass
class Simulator:
    """Talks to one simulator over HTTP."""

    app: FastAPI
    root: str = ""
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=f"http://sinch.test{self.root}")

    async def call(
        self, verb: str, path: str = "", body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        content = json.dumps(body).encode() if body is not None else b""
        signed = sign(verb, f"{VERIFICATIONS}{path}", content) | (headers or {})
        return await self.http.request(verb, f"{VERIFICATIONS}{path}", content=content, headers=signed)

    async def start(self, number: str = NUMBER, method: str = "sms", **members: Any) -> httpx.Response:
        headers = members.pop("headers", None)
        identity = {"type": "number", "endpoint": number}
        return await self.call("POST", "", {"identity": identity, "method": method} | members, headers)

    async def open(self, number: str = NUMBER, method: str = "sms", **members: Any) -> str:
        """Start a verification and return its id."""
        answer = await self.start(number, method, **members)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def report(
        self, verification_id: str, code: str = CODE, method: str = "sms", path: str | None = None
    ) -> httpx.Response:
        details = {"cli": code} if method.lower() == "flashcall" else {"code": code}
        body = {"method": method, method: details}
        return await self.call("PUT", path or f"/id/{verification_id}", body)

    async def status(self, verification_id: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/id/{verification_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def put_fault(self, **fault: Any) -> None:
        answer = await self.http.put("/faults", json=fault)
        assert answer.status_code == 200, answer.text

    async def code(self) -> str:
        """The code of the newest message."""
        return str((await self.get("/messages"))[0]["code"])

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def assert_refused(answer: httpx.Response, error_code: int, message: str | None = None) -> None:
    """Check that an answer is an error in Sinch's form."""
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    content = answer.json()
    assert (answer.status_code, content["errorCode"]) == (error_code // 100, error_code), content
    assert content["message"] == message if message else content["message"]
    assert isinstance(content["reference"], str)
    assert set(content) == {"errorCode", "message", "reference"}
