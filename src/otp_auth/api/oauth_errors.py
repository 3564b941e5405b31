"""Refusals in the form of RFC 6749 5.2, for the two routes that gateways speak by their RFCs."""

from http import HTTPStatus
from typing import Any, ClassVar

from fastapi.responses import JSONResponse

from otp_auth.api.body_errors import LARGEST_BODY
from otp_auth.api.oauth_answers import OAuthRefusal

REALM = "otp-auth"


class OAuthError(Exception):
    """A refusal that isn't a problem document: clients of the RFCs switch on `error`."""

    status: ClassVar[HTTPStatus]
    error: ClassVar[str]
    description: str

    def __init__(self, description: str | None = None) -> None:
        self.description = description or self.description
        super().__init__(self.description)


class InvalidClientError(OAuthError):
    # An unknown id and a wrong secret answer alike.
    status = HTTPStatus.UNAUTHORIZED
    error = "invalid_client"
    description = "Send id and secret of a configured service client with HTTP Basic."


class InvalidRequestError(OAuthError):
    status = HTTPStatus.BAD_REQUEST
    error = "invalid_request"
    description = "Send exactly one token, as application/x-www-form-urlencoded in UTF-8."


class RequestTooLargeError(InvalidRequestError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    description = f"Send at most {LARGEST_BODY} bytes."


def answer(error: OAuthError) -> JSONResponse:
    is_about_client = isinstance(error, InvalidClientError)
    headers = {"WWW-Authenticate": f'Basic realm="{REALM}"'} if is_about_client else {}
    return JSONResponse(_body(error), status_code=error.status, headers=headers)


def oauth_refusals() -> dict[int | str, dict[str, Any]]:
    """Describe these refusals for `responses=`."""
    errors = (InvalidRequestError(), InvalidClientError(), RequestTooLargeError())
    return {int(error.status): _described(error) for error in errors}


def _described(error: OAuthError) -> dict[str, Any]:
    examples = {error.error: {"summary": error.description, "value": _body(error)}}
    content = {"application/json": {"examples": examples}}
    return {"model": OAuthRefusal, "description": f"`{error.error}`", "content": content}


def _body(error: OAuthError) -> dict[str, str]:
    return {"error": error.error, "error_description": error.description}
