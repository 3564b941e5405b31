"""Who is asking: the bearer tokens that routes take. Judged before anything else of the request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from otp_auth.accounts.models import PasswordReset, User
from otp_auth.accounts.password_resets import PasswordResetRepository
from otp_auth.accounts.repository import UserRepository
from otp_auth.api.cookies import COOKIE
from otp_auth.ceremonies.step_up import require_recent_proof, require_two_factors
from otp_auth.sessions.models import Session
from otp_auth.settings import Settings
from otp_auth.tokens.errors import InvalidResetTokenError, InvalidTokenError
from otp_auth.tokens.jwt import AccessClaims, Tokens


@dataclass(frozen=True)
class Caller:
    """A person with a live session."""

    user: User
    session: Session
    claims: AccessClaims  # of the token that was shown


@dataclass(frozen=True)
class Resetter:
    """A person who has proved the phone of an account to set a new password."""

    reset: PasswordReset
    user: User


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
        users = UserRepository(request.app.state.database)
        return await find_caller(request.app.state.tokens, users, token)


async def find_caller(tokens: Tokens, users: UserRepository, token: str) -> Caller:
    """Return who holds an access token, if its session lives. Raises InvalidTokenError. One query."""
    claims = tokens.read_access(token)
    found = await users.find_by_live_session(claims.session_id, claims.user_id)
    if found is None:
        raise InvalidTokenError
    return Caller(*found, claims)


class RecentProof(AccessCredential):
    """The access token of somebody who has proved two factors of late: within OTP_AUTH_STEP_UP__MAX_AGE.

    A route that wants another time says so: `Depends(RecentProof(timedelta(minutes=2)))`.
    """

    def __init__(self, max_age: timedelta | None = None) -> None:
        super().__init__(*_ACCESS)
        self._max_age = max_age

    async def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises InvalidTokenError, InsufficientAuthenticationError."""
        # Only the caller is read once: a route may ask for one without a proof too.
        caller: Caller = await super().__call__(request)
        settings: Settings = request.app.state.settings
        max_age = settings.step_up.max_age if self._max_age is None else self._max_age
        require_recent_proof(caller.claims, max_age)
        return caller


class TwoFactors(AccessCredential):
    """The access token of somebody who has proved two factors, at the login or since: no device alone."""

    async def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises InvalidTokenError, OneFactorError."""
        caller: Caller = await super().__call__(request)
        require_two_factors(caller.claims)
        return caller


class LeavingCredential(AccessCredential):
    """Whoever logs out: by an access token, or beside a refresh cookie without one."""

    async def __call__(self, request: Request) -> Caller | None:
        """Return None where a cookie comes without an access token that holds. Raises InvalidTokenError."""
        cookie = await COOKIE(request)
        try:
            caller: Caller = await super().__call__(request)
        except InvalidTokenError:
            # Without the header it is refused too, but after the fields: that isn't a credential's matter.
            if cookie.counts or (cookie.values and "authorization" not in request.headers):
                return None
            raise
        return caller


class ResetCredential(BearerCredential):
    """A reset token: sets a new password and opens nothing else. A used one is told apart by the route."""

    def __init__(self, scheme_name: str, description: str) -> None:
        super().__init__(scheme_name, description)
        self.model = HTTPBearerModel(description=description)  # opaque

    async def __call__(self, request: Request) -> Resetter:
        """Return who resets. Raises InvalidResetTokenError."""
        try:
            resetter: Resetter = await super().__call__(request)
        except InvalidTokenError:
            raise InvalidResetTokenError from None
        return resetter

    async def read(self, request: Request, token: str) -> Resetter:
        found = await PasswordResetRepository(request.app.state.database).find(token)
        if found is None:
            raise InvalidTokenError
        return Resetter(*found)


def bearer_token(request: Request) -> str:
    """Return the one bearer token. Raises InvalidTokenError for none, several, or another scheme."""
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise InvalidTokenError
    return token


PENDING = PendingCredential(
    "PendingToken", "The `pending_token` of register, login, step-up, a phone change or a reset."
)
_ACCESS = ("AccessToken", "The `access_token` that verify or refresh returned.")
ACCESS = AccessCredential(*_ACCESS)
LEAVING = LeavingCredential(*_ACCESS)

RESET = ResetCredential("ResetToken", "The `reset_token` that verify returned.")

PendingChallengeId = Annotated[UUID, Depends(PENDING)]
CurrentCaller = Annotated[Caller, Depends(ACCESS)]
CurrentResetter = Annotated[Resetter, Depends(RESET)]
LeavingCaller = Annotated[Caller | None, Depends(LEAVING)]
RecentlyProvedCaller = Annotated[Caller, Depends(RecentProof())]
TwiceProvedCaller = Annotated[Caller, Depends(TwoFactors(*_ACCESS))]
