"""Routes that take a form with a token and refuse in the form of RFC 6749 5.2, not as problem documents."""

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request, Response

from otp_auth.api.body_errors import MalformedRequestError, PayloadTooLargeError
from otp_auth.api.contract_route import ContractRoute, has_media_type
from otp_auth.api.oauth_errors import InvalidRequestError, OAuthError, RequestTooLargeError, answer
from otp_auth.api.service_clients import CurrentServiceClient

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")  # urllib would take it for a plain %


class OAuthRoute(ContractRoute):
    """A route whose callers know the RFCs of OAuth. 405, 429, 500 and 503 stay problem documents."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        judge = super().get_route_handler()

        async def judge_as_oauth(request: Request) -> Response:
            try:
                return await judge(request)
            except OAuthError as error:
                return answer(error)
            except PayloadTooLargeError:
                return answer(RequestTooLargeError())
            except MalformedRequestError as error:  # of a body that didn't arrive
                return answer(InvalidRequestError(error.detail))

        return judge_as_oauth


async def read_token(request: Request, _client: CurrentServiceClient) -> str:
    """Return the token that a service client asks about. Raises InvalidClientError, InvalidRequestError.

    A `token_type_hint` changes nothing (RFC 7009 2.1, RFC 7662 2.1): kinds of tokens are told apart anyway.
    """
    if not has_media_type(request, FORM):
        raise InvalidRequestError
    fields = parse_form(await request.body())
    tokens, hints = fields.get("token", []), fields.get("token_type_hint", [])
    if len(tokens) != 1 or not tokens[0] or len(hints) > 1:
        raise InvalidRequestError
    return tokens[0]


def parse_form(raw: bytes) -> dict[str, list[str]]:
    """Return all values by their name. Raises InvalidRequestError, RequestTooLargeError."""
    if raw.count(b"&") >= MOST_FIELDS:
        raise RequestTooLargeError(f"Send at most {MOST_FIELDS} fields.")
    if _BROKEN_ESCAPE.search(raw):
        raise InvalidRequestError
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError:  # not UTF-8
        raise InvalidRequestError from None


FormToken = Annotated[str, Depends(read_token)]
