"""Who is asking: the bearer tokens that routes take. Judged before anything else of the request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from otp_auth.accounts.models import User
from otp_auth.accounts.repository import UserRepository
from otp_auth.sessions.models import Session
from otp_auth.tokens.jwt import InvalidTokenError, Tokens


@dataclass(frozen=True)
class Caller:
    """A person with a live session."""

    user: User
    session: Session


class BearerCredential(SecurityBase, ABC):
    """A token in `Authorization: Bearer` (RFC 6750 2.1), read once for each request."""

    def __init__(self, scheme_name: str, description: str) -> None:
        self.model = HTTPBearerModel(bearerFormat="JWT", description=description)
        self.scheme_name = scheme_name

    async def __call__(self, request: Request) -> Any:
        """Return what the token stands for. Raises InvalidTokenError."""
        known = request.scope.setdefault("otp_auth.credentials", {})
        if self.scheme_name not in known:
            known[self.scheme_name] = await self.read(request, bearer_token(request))
        return known[self.scheme_name]

    @abstractmethod
    async def read(self, request: Request, token: str) -> Any:
        """Return what the token stands for. Raises InvalidTokenError."""


class PendingCredential(BearerCredential):
    """The pending token: opens the `otp` routes of one challenge and nothing else."""

    async def read(self, request: Request, token: str) -> UUID:
        tokens: Tokens = request.app.state.tokens
        return tokens.read_pending(token).challenge_id


class AccessCredential(BearerCredential):
    """The access token of a session that still lives: a revoked one is refused at once."""

    async def read(self, request: Request, token: str) -> Caller:
        tokens: Tokens = request.app.state.tokens
        claims = tokens.read_access(token)
        users = UserRepository(request.app.state.database)
        found = await users.find_by_live_session(claims.session_id, claims.user_id)
        if found is None:
            raise InvalidTokenError
        return Caller(*found)


def bearer_token(request: Request) -> str:
    """Return the one bearer token. Raises InvalidTokenError for none, several, or another scheme."""
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise InvalidTokenError
    return token


PENDING = PendingCredential("PendingToken", "The `pending_token` of register or login.")
ACCESS = AccessCredential("AccessToken", "The `access_token` that verify or refresh returned.")

PendingChallengeId = Annotated[UUID, Depends(PENDING)]
CurrentCaller = Annotated[Caller, Depends(ACCESS)]
