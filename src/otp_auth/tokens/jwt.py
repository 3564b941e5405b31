"""The JWTs of this service: access tokens (RFC 9068) and pending tokens, which never pass for each other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationError

from otp_auth.tokens.errors import InvalidTokenError
from otp_auth.tokens.keys import KeySet, VerifyingKey
from otp_auth.tokens.signatures import read_signed, sign
from otp_auth.tokens.timing import LEEWAY

ACCESS = "at+jwt"
PENDING = "pending+jwt"
YEAR_9999 = 253402300799


def _from_numeric_date(value: object) -> object:
    # `bool` is an `int` too, and a number as text is none (RFC 7519 2).
    if type(value) is not int or not 0 <= value <= YEAR_9999:
        raise ValueError("not a NumericDate in whole seconds")
    return datetime.fromtimestamp(value, UTC)


def _canonical(value: object) -> object:
    if not isinstance(value, str) or str(UUID(value)) != value:
        raise ValueError("not an id of ours")
    return value


Moment = Annotated[datetime, BeforeValidator(_from_numeric_date)]
Id = Annotated[UUID, BeforeValidator(_canonical)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


class _Claims(BaseModel, frozen=True):
    issuer: Text = Field(alias="iss")
    audience: Text = Field(alias="aud")
    expires_at: Moment = Field(alias="exp")
    issued_at: Moment = Field(alias="iat")
    not_before: Moment | None = Field(alias="nbf", default=None)
    token_id: Id = Field(alias="jti")


class AccessClaims(_Claims, frozen=True):
    """What an access token says; never the phone number."""

    user_id: Id = Field(alias="sub")
    client_id: Text
    session_id: Id = Field(alias="sid")
    auth_time: Moment
    amr: tuple[Text, ...]  # RFC 8176
    acr: Text


class PendingClaims(_Claims, frozen=True):
    """What a pending token says: one challenge, and nobody's name."""

    challenge_id: Id


C = TypeVar("C", bound=_Claims)


class Tokens:
    """Issue and read JWTs. `keys` may be replaced while the service runs."""

    def __init__(
        self, keys: KeySet, *, issuer: str, audience: str, client_id: str, access_lifetime: timedelta
    ) -> None:
        self.keys = keys
        self.access_lifetime = access_lifetime
        self._issuer = issuer
        self._audience = audience
        self._pending_audience = f"{issuer}/otp"
        self._client_id = client_id

    def issue_access(
        self, *, user_id: UUID, session_id: UUID, auth_time: datetime, amr: Sequence[str], acr: str
    ) -> str:
        claims = {
            "sub": str(user_id),
            "client_id": self._client_id,
            "sid": str(session_id),
            "auth_time": int(auth_time.timestamp()),
            "amr": list(amr),
            "acr": acr,
        }
        return self._issue(ACCESS, self._audience, datetime.now(UTC) + self.access_lifetime, claims)

    def issue_pending(self, *, challenge_id: UUID, expires_at: datetime) -> str:
        return self._issue(PENDING, self._pending_audience, expires_at, {"challenge_id": str(challenge_id)})

    def read_access(self, token: str) -> AccessClaims:
        """Raises InvalidTokenError, whatever is wrong."""
        key, signed = read_signed(self.keys, ACCESS, token)
        claims = _validate(AccessClaims, signed)
        self._check(key, claims, self._audience, leeway=LEEWAY)
        return claims

    def read_pending(self, token: str) -> PendingClaims:
        """Raises InvalidTokenError, whatever is wrong. Ends to the second: nobody else reads it."""
        key, signed = read_signed(self.keys, PENDING, token)
        claims = _validate(PendingClaims, signed)
        self._check(key, claims, self._pending_audience, leeway=timedelta(0))
        return claims

    def _issue(self, kind: str, audience: str, expires_at: datetime, claims: dict[str, Any]) -> str:
        registered = {
            "iss": self._issuer,
            "aud": audience,
            "exp": int(expires_at.timestamp()),
            "iat": int(datetime.now(UTC).timestamp()),
            "jti": str(uuid4()),
        }
        return sign(self.keys, kind, registered | claims)

    def _check(self, key: VerifyingKey, claims: _Claims, audience: str, *, leeway: timedelta) -> None:
        """Compare what must be ours, whole, and look at the clock; `leeway` is for the end alone."""
        now = datetime.now(UTC)
        is_ours = claims.issuer == self._issuer and claims.audience == audience
        has_begun = max(claims.issued_at, claims.not_before or claims.issued_at) <= now + LEEWAY
        is_alive = has_begun and now < claims.expires_at + leeway
        if not (is_ours and is_alive and key.may_have_signed(claims.issued_at)):
            raise InvalidTokenError


def _validate(kind: type[C], claims: dict[str, Any]) -> C:
    try:
        return kind.model_validate(claims)
    except ValidationError:
        raise InvalidTokenError from None
