"""Puts the parts together: one application from settings."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import redis.asyncio
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from otp_auth import __version__, migrations
from otp_auth.accounts.password_policy import common_passwords
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.api.docs import add_docs
from otp_auth.api.edge import Edge, LastResort
from otp_auth.api.floods import new_gates
from otp_auth.api.openapi import DESCRIPTION, TAGS, TITLE
from otp_auth.api.problems import add_problem_handlers
from otp_auth.api.routes import ROUTES
from otp_auth.api.service_clients import ServiceClients
from otp_auth.audit.delivery import deliver_regularly, open_delivery
from otp_auth.audit.outbox import open_database
from otp_auth.audit.trail import AuditTrail
from otp_auth.background import background_work
from otp_auth.challenges.codes import Codes
from otp_auth.challenges.deliveries import DeliveryRepository
from otp_auth.challenges.following import Following, follow_regularly
from otp_auth.challenges.models import CodeType
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.challenges.sending import Sending
from otp_auth.challenges.sends import SendRepository
from otp_auth.database import Database
from otp_auth.factors.totp import Seeds
from otp_auth.hashing import HashingPool
from otp_auth.housekeeping import carry_out_resets_regularly, purge_regularly
from otp_auth.logs import configure_logs
from otp_auth.sealing import new_sealer
from otp_auth.sessions.trusted_devices import new_device_trust
from otp_auth.settings import Settings, load_settings
from otp_auth.sinch.client import SinchVerificationClient, new_http_client
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.keys import load_keys
from otp_auth.tokens.watching import follow_keys

REDIS_TIMEOUT = 1.0  # seconds


def create_app(settings: Settings, mounts: Mapping[str, ASGIApp] | None = None) -> FastAPI:
    """Build the application; `mounts` are applications that stand beside it, by their path.

    Raises SigningKeysError when there is no key to sign with.
    """
    app = FastAPI(
        title=TITLE,
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url=None,
        routes=list(ROUTES),
        redirect_slashes=False,
        # What FastAPI would export on a word in the environment holds exception messages.
        telemetry={"auto_configure": False, "logs": False},
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.gates = new_gates(settings)
    app.state.tokens = _new_tokens(settings)
    app.state.service_clients = ServiceClients(settings.service_clients)
    app.state.schema_head = migrations.head()
    add_problem_handlers(app)
    if settings.docs_enabled:
        add_docs(app)
    for path, mounted in (mounts or {}).items():
        app.mount(path, mounted)
        app.add_route(path, _add_slash, include_in_schema=False)
    _add_middleware(app, settings, tuple(mounts or ()))
    return app


def from_environment() -> FastAPI:
    """Build the application of one worker of `otp-auth serve`."""
    settings = load_settings()
    configure_logs(settings)
    return create_app(settings)


async def _add_slash(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{request.url.path}/")


def _add_middleware(app: FastAPI, settings: Settings, unguarded: tuple[str, ...]) -> None:
    """From the inside out: the last resort stands inside CORS, so that a browser can read its answer."""
    app.add_middleware(LastResort, unguarded=unguarded)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-Request-ID", "X-Token-Transport"],
        allow_credentials=True,
        expose_headers=["X-Request-ID", "Retry-After", "WWW-Authenticate"],
    )
    app.add_middleware(Edge, in_production=settings.in_production, unguarded=unguarded)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what a running application needs, and close it in the opposite order."""
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        database = open_database(settings)
        stack.push_async_callback(database.close)
        http = await stack.enter_async_context(new_http_client(settings.sinch))
        pool = HashingPool(settings.passwords.hash_threads, settings.passwords.hash_queue)
        stack.callback(pool.close)
        app.state.database = database
        app.state.sinch = SinchVerificationClient(http, settings.sinch)
        app.state.seeds = Seeds(new_sealer(settings))
        app.state.codes = Codes(settings.secret_key.get_secret_value())
        app.state.hasher = PasswordHasher(pool, settings.passwords.bcrypt_cost)
        app.state.device_trust = new_device_trust(settings)
        app.state.redis = _new_redis(settings, stack)
        app.state.background = await stack.enter_async_context(background_work())
        await app.state.hasher.prepare()
        await asyncio.to_thread(common_passwords)
        await stack.enter_async_context(_running(purge_regularly(database, settings, app.state.seeds)))
        await stack.enter_async_context(_running(carry_out_resets_regularly(database)))
        keys_dir = settings.tokens.signing_keys_dir
        await stack.enter_async_context(_running(follow_keys(keys_dir, app.state.tokens)))
        following = _new_following(database, app.state.sinch, settings)
        await stack.enter_async_context(_running(follow_regularly(following)))
        if settings.events.url:
            delivery = await stack.enter_async_context(open_delivery(database, settings.events))
            await stack.enter_async_context(_running(deliver_regularly(delivery)))
        yield


def _new_following(database: Database, sinch: SinchVerificationClient, settings: Settings) -> Following:
    challenges = ChallengeRepository(database, settings.guesses)
    texts = CodeType(settings.sinch.code_type)
    sends = SendRepository(database, settings.challenge)
    sending = Sending(challenges, sends, AuditTrail(database), sinch, settings.send, texts, network=None)
    return Following(sending, DeliveryRepository(database, settings.send, texts))


def _new_redis(settings: Settings, stack: AsyncExitStack) -> "redis.asyncio.Redis | None":
    url = settings.redis_url.get_secret_value()
    if not url:
        return None
    client = redis.asyncio.from_url(url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
    stack.push_async_callback(client.aclose)
    return client


def _new_tokens(settings: Settings) -> Tokens:
    return Tokens(
        load_keys(settings.tokens.signing_keys_dir),
        issuer=settings.public_url,
        audience=settings.audience,
        client_id=settings.tokens.client_id,
        access_lifetime=settings.tokens.access_lifetime,
    )


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
