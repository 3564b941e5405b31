"""The trusted devices of an account: where no code is asked for, and how to end that."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from otp_auth.api import schemas
from otp_auth.api.answers import describe_device
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.credentials import Caller, CurrentCaller
from otp_auth.api.dependencies import ClientNetwork, Devices
from otp_auth.api.floods import RateLimitedError, RouteGroup, limited
from otp_auth.api.pages import PAGE_SIZE, Cursor, next_cursor
from otp_auth.api.problems import NotFoundError, ValidationFailedError, refusals
from otp_auth.errors import NotReadyError, OverloadedError
from otp_auth.identifiers import parse_id
from otp_auth.sessions.opening import Owner
from otp_auth.tokens.errors import InvalidTokenError

router = APIRouter(prefix="/me/devices", tags=["sessions"], route_class=ContractRoute)
EVERY_ROUTE = (InvalidTokenError, RateLimitedError, OverloadedError, NotReadyError)


@router.get(
    "",
    operation_id="listDevices",
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, ValidationFailedError),
    summary="List my trusted devices",
    response_description="One page of devices",
)
async def list_devices(caller: CurrentCaller, devices: Devices, cursor: Cursor = None) -> schemas.DevicePage:
    """Return the trusted devices of the account, the newest first, 50 at a time."""
    found = await devices.list_live(_owner(caller), cursor, PAGE_SIZE + 1)
    return schemas.DevicePage(
        items=[describe_device(each) for each in found[:PAGE_SIZE]],
        next_cursor=next_cursor([each.id for each in found]),
    )


@router.delete(
    "/{device_id}",
    operation_id="endDevice",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[limited(RouteGroup.ACCOUNT)],
    responses=refusals(*EVERY_ROUTE, NotFoundError),
    summary="Trust a device no more",
    response_description="The device is asked for a code again",
)
async def end_device(
    device_id: Annotated[str, Path(description="`id` of the list")],
    caller: CurrentCaller,
    devices: Devices,
    network: ClientNetwork,
) -> None:
    """Have a device asked for a code again. Sessions that it has opened go on."""
    # A malformed id, an ended device and somebody else's answer alike.
    found = parse_id(device_id)
    if found is None or not await devices.revoke(_owner(caller), found, network):
        raise NotFoundError


def _owner(caller: Caller) -> Owner:
    return Owner(caller.user.id, caller.user.password_version)
