"""What operators watch: off without a token, and never limited."""

import asyncio
from hmac import compare_digest

from fastapi import APIRouter, Request, Response

from otp_auth import metrics
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import bearer_token
from otp_auth.api.dependencies import CurrentSettings
from otp_auth.api.problems import NotFoundError
from otp_auth.settings import Settings
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(route_class=ContractRoute)


# Not in the document of the API: its credential is the operator's and opens nothing else.
@router.get("/metrics", include_in_schema=False)
async def show_metrics(request: Request, settings: CurrentSettings) -> Response:
    """Return the counters of all workers as Prometheus text."""
    _admit(request, settings)
    return Response(await asyncio.to_thread(metrics.exposition), media_type=metrics.CONTENT_TYPE)


def _admit(request: Request, settings: Settings) -> None:
    """Raises NotFoundError where metrics are off, InvalidTokenError for a wrong token."""
    wanted = settings.metrics_token.get_secret_value().encode()
    if not wanted:
        raise NotFoundError
    # Headers are read as Latin-1: so these are the bytes that were sent.
    if not compare_digest(bearer_token(request).encode("latin-1"), wanted):
        raise InvalidTokenError
