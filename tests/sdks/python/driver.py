"""Calls Sinch's Python SDK as it is told: a JSON line in, a JSON line out.

Runs in an environment of its own, with the SDK and without otp-auth.
"""

import asyncio
import dataclasses
import inspect
import json
import sys
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

sinch = import_module("sinch")  # an import statement would mean a folder of our tests to a type checker
exceptions = import_module("sinch.core.exceptions")

Json = dict[str, Any]
KINDS = {"sync": sinch.SinchClient, "async": sinch.SinchClientAsync}


class Clients:
    """The SDK's clients, one for each kind and each place that they are pointed at."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret
        self._made: dict[tuple[str, str], Any] = {}

    def get(self, kind: str, base_url: str) -> Any:
        if (kind, base_url) not in self._made:
            self._made[kind, base_url] = self._make(kind, base_url)
        return self._made[kind, base_url]

    def _make(self, kind: str, base_url: str) -> Any:
        client = KINDS[kind](application_key=self._key, application_secret=self._secret)
        # All that it takes to point the SDK elsewhere. The origin may have a path, and then it is signed.
        client.configuration.verification_origin = urlsplit(base_url).netloc + urlsplit(base_url).path
        client.configuration.disable_https = True
        return client


async def answer(clients: Clients, request: Json) -> Json:
    client = clients.get(request["client"], request["base_url"])
    call = getattr(getattr(client.verification, request["api"]), request["call"])
    try:
        result = call(**request["arguments"])
        if inspect.isawaitable(result):
            result = await result
    except Exception as error:  # noqa: BLE001 - the test says which one it expects
        return {"error": describe(error)}
    return {"answer": dataclasses.asdict(result)}


def describe(error: Exception) -> Json:
    if not isinstance(error, exceptions.SinchException) or error.http_response is None:
        return {"class": type(error).__name__, "text": str(error)}
    response = error.http_response
    return {"class": type(error).__name__, "status": response.status_code, "body": response.body}


async def main() -> None:
    clients = Clients(*sys.argv[1:])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(await answer(clients, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
