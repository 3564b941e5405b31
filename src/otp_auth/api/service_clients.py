"""Which other service is asking: an id and a secret from the settings, by HTTP Basic (RFC 7617)."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBase
from fastapi.security.base import SecurityBase
from pydantic import SecretStr

from otp_auth.api.floods import RouteGroup, count_request
from otp_auth.api.oauth_errors import InvalidClientError


class ServiceClients:
    """The services of the settings, each known by a digest of its id and secret together."""

    def __init__(self, secrets: Mapping[str, SecretStr]) -> None:
        self._digests = {name: _digest(name, secret.get_secret_value()) for name, secret in secrets.items()}

    def authenticate(self, authorization: list[str]) -> str | None:
        """Return the id of the client whose credentials these header values are; None for anybody else."""
        found = [self._find(*reading) for reading in _readings(authorization)]
        return next((name for name in found if name is not None), None)

    def _find(self, client_id: str, secret: str) -> str | None:
        """Compare with all of them: an unknown id is the same work as a wrong secret."""
        shown = _digest(client_id, secret)
        matching = [name for name, known in self._digests.items() if compare_digest(known, shown)]
        return matching[0] if matching else None


class ServiceClientCredential(SecurityBase):
    """HTTP Basic. Only failures count as a flood of their network: gateways ask as often as they need to."""

    def __init__(self) -> None:
        self.model = HTTPBase(
            scheme="basic", description="Id and secret of a client of `OTP_AUTH_SERVICE_CLIENTS`."
        )
        self.scheme_name = "ServiceClient"

    async def __call__(self, request: Request) -> str:
        """Return the client's id. Raises InvalidClientError, or RateLimitedError after too many of them."""
        clients: ServiceClients = request.app.state.service_clients
        client_id = clients.authenticate(request.headers.getlist("authorization"))
        if client_id is None:
            await count_request(request, RouteGroup.SERVICES)
            raise InvalidClientError
        return client_id


CurrentServiceClient = Annotated[str, Depends(ServiceClientCredential())]


def _readings(authorization: list[str]) -> Iterator[tuple[str, str]]:
    """Id and secret as they stand there and, as RFC 6749 2.3.1 has them, form-urlencoded."""
    scheme, _, encoded = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return
    with suppress(ValueError):  # not base64, or not UTF-8
        client_id, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
        if colon:
            yield client_id, secret
            yield unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")


def _digest(client_id: str, secret: str) -> bytes:
    # An id has no colon (see startup_checks), so no two pairs are one text.
    return sha256(f"{client_id}:{secret}".encode("utf-8", "surrogatepass")).digest()
