"""Recovery codes: a new set, for somebody who has proved a second factor of late."""

from fastapi import APIRouter

from otp_auth.accounts.recovery import renew_recovery_codes
from otp_auth.api import schemas
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import RecentlyProvedCaller
from otp_auth.api.dependencies import ClientNetwork, CurrentDatabase
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.problems import BODY_REFUSALS, refusals
from otp_auth.ceremonies.step_up import InsufficientAuthenticationError
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/recovery-codes", tags=["factors"], route_class=ContractRoute)


@router.post(
    "",
    operation_id="renewRecoveryCodes",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(
        *BODY_REFUSALS,
        InvalidTokenError,
        InsufficientAuthenticationError,
        RateLimitedError,
        OverloadedError,
        NotReadyError,
    ),
    summary="Get new recovery codes",
    response_description="Ten codes, shown this once",
)
async def renew(
    caller: RecentlyProvedCaller,
    database: CurrentDatabase,
    network: ClientNetwork,
    _body: schemas.EmptyBody | None = None,
) -> schemas.RecoveryCodes:
    """Make a new set of recovery codes, shown this once. The old set is void.

    Have people print or save them before the page goes on.
    """
    codes = await renew_recovery_codes(database, caller.user.id, caller.session.id, network)
    return schemas.RecoveryCodes(recovery_codes=codes)
