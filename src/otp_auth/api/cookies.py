"""Cookie mode: the refresh token of a browser travels in a cookie that no script can read.

A browser sends a cookie along with whatever request, also one that another site has made. So the cookie
counts only beside the header `X-Token-Transport: cookie`. No form can send that header, and a script of
another origin only after a preflight, which CORS grants to the listed origins alone.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase

from otp_auth.api import schemas
from otp_auth.api.dependencies import CurrentSettings
from otp_auth.api.fields import LONGEST_REFRESH_TOKEN
from otp_auth.api.problems import NotAllowedError

TRANSPORT_HEADER = "X-Token-Transport"
# Browsers take this prefix only from the host itself, over TLS, for all paths (RFC 6265bis 4.1.3.2): no other
# subdomain can plant one. It needs Secure, which a development server without TLS can't have.
PRODUCTION_NAME, DEVELOPMENT_NAME = "__Host-refresh", "refresh"
NAME_IN = {True: PRODUCTION_NAME, False: DEVELOPMENT_NAME}


@dataclass(frozen=True)
class ShownCookie:
    """What a request brings of cookie mode."""

    is_asked_for: bool  # by the header
    values: list[str]  # of all cookies of the name

    @property
    def token(self) -> str | None:
        """The refresh token, if it is one: of two cookies nobody knows who has set which."""
        only = self.values[0] if len(self.values) == 1 else ""
        return only if 0 < len(only) <= LONGEST_REFRESH_TOKEN else None

    @property
    def counts(self) -> bool:
        return self.is_asked_for and bool(self.values)

    def refuse_without_header(self) -> None:
        """Raise NotAllowedError where a cookie came alone, as another site's form would send it."""
        if self.values and not self.is_asked_for:
            raise NotAllowedError


class CookieScheme(SecurityBase):
    """The refresh cookie, for the document and for the routes that read it."""

    def __init__(self) -> None:
        description = (
            f"The refresh token of cookie mode, with the header `{TRANSPORT_HEADER}: cookie`. "
            f"In development the cookie is called `{DEVELOPMENT_NAME}`."
        )
        self.model = APIKey.model_validate(
            {"in": APIKeyIn.cookie, "name": PRODUCTION_NAME, "description": description}
        )
        self.scheme_name = "RefreshCookie"

    async def __call__(self, request: Request) -> ShownCookie:
        name = NAME_IN[request.app.state.settings.in_production]
        is_asked_for = _means_cookie(request.headers.get(TRANSPORT_HEADER))
        return ShownCookie(is_asked_for, _values(request.headers.getlist("cookie"), name))


@dataclass(frozen=True)
class Transport:
    """How this client gets its refresh token: in the body, or in the cookie."""

    response: Response
    in_cookie: bool
    in_production: bool

    def deliver(self, tokens: schemas.Tokens) -> schemas.Tokens:
        """Return the body of the answer; in cookie mode without the refresh token, which the cookie gets."""
        if not self.in_cookie or tokens.refresh_token is None:
            return tokens
        self._set(tokens.refresh_token, tokens.refresh_expires_in)
        return tokens.model_copy(update={"refresh_token": None})

    def clear(self) -> None:
        """Have the browser forget its cookie.

        Only ever with a logout, never with a 401: by then a second tab may have got a new one.
        """
        self._set("", 0)

    def _set(self, value: str, max_age: int) -> None:
        self.response.set_cookie(
            NAME_IN[self.in_production],
            value,
            max_age=max_age,
            path="/",
            secure=self.in_production,
            httponly=True,
            samesite="strict",
        )


async def get_transport(
    response: Response,
    settings: CurrentSettings,
    transport: Annotated[
        str | None,
        Header(
            alias=TRANSPORT_HEADER,
            description="`cookie`: the refresh token goes into a cookie. Anything else: into the body",
            examples=["cookie"],
        ),
    ] = None,
) -> Transport:
    return Transport(response, _means_cookie(transport), settings.in_production)


def _means_cookie(transport: str | None) -> bool:
    return transport is not None and transport.lower() == "cookie"


def _values(headers: list[str], name: str) -> list[str]:
    """All values of a cookie, empty ones left out. Starlette's own reader keeps the last one alone.

    Only what RFC 6265 5.2 calls white space is none of theirs: to a browser `__Host-` after anything else is
    another name, which a neighbouring site may set.
    """
    pairs = (pair.partition("=") for pair in ";".join(headers).split(";"))
    trimmed = ((key.strip(" \t"), value.strip(" \t")) for key, _, value in pairs)
    return [value for key, value in trimmed if key == name and value]


COOKIE = CookieScheme()

RefreshCookie = Annotated[ShownCookie, Depends(COOKIE)]
CurrentTransport = Annotated[Transport, Depends(get_transport)]
