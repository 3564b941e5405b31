"""Every route of the service, put together once: a process may build several applications of them."""

from fastapi import APIRouter
from starlette.routing import BaseRoute

from otp_auth.api import (
    account,
    devices,
    events,
    factors,
    farewell,
    health,
    login,
    metadata,
    metrics,
    oauth2,
    otp,
    password,
    password_reset,
    phone,
    problem_pages,
    recovery_codes,
    registration,
    sessions,
    step_up,
    tokens,
    webhooks,
    well_known,
)

_CREDENTIALS = (registration, login, otp, step_up, password, password_reset, tokens)
_ACCOUNT = (account, phone, factors, recovery_codes, sessions, devices, events, farewell)
_BESIDE = (well_known, metadata, oauth2, webhooks, problem_pages, metrics, health)


def _all_routes() -> list[BaseRoute]:
    version_1 = APIRouter(prefix="/api/v1")
    for story in (*_CREDENTIALS, *_ACCOUNT):
        version_1.include_router(story.router)
    everything = APIRouter()
    for router in (version_1, *(beside.router for beside in _BESIDE)):
        everything.include_router(router)
    return everything.routes


# What FastAPI works out about a route it keeps with the route, so the next application has it at once.
ROUTES = tuple(_all_routes())
