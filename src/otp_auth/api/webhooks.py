"""Sinch's callbacks. Signed over the raw body, and checked before anything of it is read."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase
from loguru import logger

from otp_auth import metrics
from otp_auth.api.body_errors import MalformedRequestError, PayloadTooLargeError
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.dependencies import Deliveries, OurCodes
from otp_auth.api.problems import refusals
from otp_auth.challenges.callbacks import answer_request, take_delivery, take_result
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.settings import Settings
from otp_auth.sinch.events import (
    DeliveredEvent,
    Event,
    EventNotAuthenticError,
    RequestEvent,
    ResultEvent,
    UnknownEvent,
    authenticate_event,
    parse_event,
)
from otp_auth.tokens.errors import InvalidTokenError

EVENT = {
    "schema": {"type": "object", "required": ["id", "event"]},
    "examples": {
        "request": {
            "summary": "Sinch is about to send",
            "value": {
                "id": "01990c5e-7a10-7c3e-9d54-2f6b7f0e9a11",
                "event": "VerificationRequestEvent",
                "method": "sms",
                "identity": {"type": "number", "endpoint": "+46701234567"},
                "price": {"currencyId": "EUR", "amount": 0.0453},
                "reference": "0190b3c4-7a10-7c3e-9d54-2f6b7f0e9a11",
            },
        },
        "delivered": {
            "summary": "A text has arrived",
            "value": {
                "id": "01990c5e-7a10-7c3e-9d54-2f6b7f0e9a11",
                "event": "VerificationSmsDeliveredEvent",
                "method": "sms",
                "identity": {"type": "number", "endpoint": "+46701234567"},
                "reference": "0190b3c4-7a10-7c3e-9d54-2f6b7f0e9a11",
                "smsResult": "Successful",
            },
        },
    },
}
DECISION = {"action": "allow", "sms": {"code": "482915", "codeType": "Numeric", "expiry": "00:05:00"}}


class SinchSignature(SecurityBase):
    """Sinch's signature over the raw body and the path, checked before anything is read."""

    def __init__(self) -> None:
        self.model = APIKey(
            **{"in": APIKeyIn.header},
            name="Authorization",
            description="`application key:signature`, with `x-timestamp`, as Sinch signs its callbacks",
        )
        self.scheme_name = "SinchSignature"

    async def __call__(self, request: Request) -> Event | UnknownEvent:
        """Return the event. Raises InvalidTokenError, MalformedRequestError, PayloadTooLargeError."""
        body = await request.body()
        settings: Settings = request.app.state.settings
        _authenticate(request, settings, body)
        try:
            return parse_event(body)
        except ValueError:
            raise MalformedRequestError from None


def _authenticate(request: Request, settings: Settings, body: bytes) -> None:
    try:
        authenticate_event(
            settings.sinch,
            method=request.method,
            paths=_signable_paths(request, settings.public_url),
            headers=request.headers.raw,
            body=body,
            now=datetime.now(UTC),
        )
    except EventNotAuthenticError as error:
        metrics.count_event("unknown", "refused")
        logger.warning("a callback is not Sinch's", reason=str(error))
        raise InvalidTokenError from None


def _signable_paths(request: Request, public_url: str) -> set[str]:
    """The path as it arrived, and as Sinch knows it where a proxy cuts a prefix off."""
    path: str = request.scope["path"]
    raw: bytes = request.scope.get("raw_path") or path.encode()
    return {path, raw.partition(b"?")[0].decode("latin-1"), f"{urlsplit(public_url).path}{path}"}


SignedEvent = Annotated[Event | UnknownEvent, Depends(SinchSignature())]

router = APIRouter(prefix="/webhooks", tags=["operation"], route_class=ContractRoute)


@router.post(
    "/sinch",
    operation_id="takeSinchEvent",
    response_class=JSONResponse,
    responses={
        200: {
            "description": "The decision on a request event; nothing for the others",
            "content": {"application/json": {"schema": {"type": "object"}, "example": DECISION}},
        },
        **refusals(
            InvalidTokenError, MalformedRequestError, PayloadTooLargeError, OverloadedError, NotReadyError
        ),
    },
    summary="Take a callback from Sinch",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": EVENT}}},
)
async def take_event(event: SignedEvent, deliveries: Deliveries, codes: OurCodes) -> Response:
    """Decide on a message that Sinch is about to send, or take note of how one went.

    Signed by Sinch with the application's secret; enter this address as the callback URL in its dashboard.
    """
    if isinstance(event, RequestEvent):
        return JSONResponse(await answer_request(deliveries, codes, event))
    if isinstance(event, ResultEvent):
        await take_result(deliveries, event)
    elif isinstance(event, DeliveredEvent):
        await take_delivery(deliveries, event)
    return Response(status_code=HTTPStatus.OK)
