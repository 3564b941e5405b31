"""What gateways are told: in the words of RFC 7662 and RFC 6749, so that stock clients understand it."""

from typing import Literal

from otp_auth.api.bodies import Answer, SparseAnswer
from otp_auth.tokens.jwt import AccessClaims


class Introspection(SparseAnswer):
    """The claims of an access token that holds; of anything else nothing but that it doesn't."""

    optional_fields = frozenset(
        (
            "token_type",
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "jti",
            "client_id",
            "sid",
            "auth_time",
            "amr",
            "acr",
        )
    )

    active: bool
    token_type: Literal["Bearer"] | None = None
    iss: str | None = None
    sub: str | None = None
    aud: str | None = None
    exp: int | None = None
    iat: int | None = None
    jti: str | None = None
    client_id: str | None = None
    sid: str | None = None
    auth_time: int | None = None
    amr: list[str] | None = None
    acr: str | None = None


class OAuthRefusal(Answer):
    """RFC 6749 5.2."""

    error: Literal["invalid_client", "invalid_request"]
    error_description: str


INACTIVE = Introspection(active=False)


def describe_token(claims: AccessClaims) -> Introspection:
    """Tell the claims as they stand in the token."""
    return Introspection(
        active=True,
        token_type="Bearer",  # noqa: S106 - the word of RFC 6750
        iss=claims.issuer,
        sub=str(claims.user_id),
        aud=claims.audience,
        exp=int(claims.expires_at.timestamp()),
        iat=int(claims.issued_at.timestamp()),
        jti=str(claims.token_id),
        client_id=claims.client_id,
        sid=str(claims.session_id),
        auth_time=int(claims.auth_time.timestamp()),
        amr=list(claims.amr),
        acr=claims.acr,
    )
