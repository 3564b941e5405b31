"""Is it alive, and can it work. Never limited, and without details for strangers."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Self

from fastapi import APIRouter, Request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from otp_auth import __version__
from otp_auth.api import schemas
from otp_auth.api.contract_route import ContractRoute
from otp_auth.api.problems import refusals
from otp_auth.errors import NotReadyError
from otp_auth.migrations import present_revision


class MissingPartsError(NotReadyError):
    """The code of any other outage; it names what is missing."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"Missing: {', '.join(missing)}.", missing=missing)

    @classmethod
    def example(cls) -> Self:
        return cls(["database"])


router = APIRouter(prefix="/health", tags=["operation"], route_class=ContractRoute)


@router.get(
    "", operation_id="getHealth", summary="See whether the process lives", response_description="It lives"
)
async def health() -> schemas.Health:
    """Answer without asking anything else. Never limited."""
    return schemas.Health(version=__version__)


@router.get(
    "/live",
    operation_id="getLiveness",
    summary="See whether the process lives",
    response_description="It lives",
)
async def live() -> schemas.Health:
    """Answer as `/health` does."""
    return schemas.Health(version=__version__)


@router.get(
    "/ready",
    operation_id="getReadiness",
    responses=refusals(MissingPartsError),
    status_code=HTTPStatus.OK,
    summary="See whether it can serve people",
    response_description="It can",
)
async def ready(request: Request) -> schemas.Ready:
    """Ask all that is needed; a 503 names what is missing in `missing`."""
    checks = {"database": _database, "migrations": _migrations}
    if request.app.state.redis is not None:
        checks["redis"] = _redis
    missing = [name for name, works in checks.items() if not await _answers(works(request))]
    if missing:
        raise MissingPartsError(missing)
    return schemas.Ready(checks=dict.fromkeys(checks, "ok"))


async def _answers(check: Awaitable[bool]) -> bool:
    try:
        return await check
    except (SQLAlchemyError, RedisError, OSError):
        return False


async def _database(request: Request) -> bool:
    await request.app.state.database.ping()
    return True


async def _migrations(request: Request) -> bool:
    present: str | None = await present_revision(request.app.state.database)
    head: str | None = request.app.state.schema_head
    return present == head


async def _redis(request: Request) -> bool:
    return bool(await request.app.state.redis.ping())
