"""A Sinch to develop and test against: codes go to an inbox instead of a phone, and nothing costs money."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from otp_auth.simulator import controls, inbox, seamless, stream, verifications
from otp_auth.simulator.authorization import Credentials
from otp_auth.simulator.bodies import BoundedBodies
from otp_auth.simulator.callbacks import CallbackClient
from otp_auth.simulator.changes import Changes
from otp_auth.simulator.events import Events
from otp_auth.simulator.faults import Faults
from otp_auth.simulator.refusals import RefusalError, answer_crash, answer_http_error, answer_refusal
from otp_auth.simulator.simulation import NewCode, Simulation
from otp_auth.simulator.store import Store
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.signing import decode_secret


def random_code(alphabet: str, length: int) -> str:
    """Draw a code that nobody can foresee."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def create_simulator(
    settings: SimulatorSettings,
    *,
    application_key: str,
    application_secret: str,
    journal: Path | None = None,
    new_code: NewCode | None = None,
) -> FastAPI:
    """Make a simulator with an inbox page, to run at the root or to mount under a prefix.

    `journal` is a file that one process may use at a time; without it everything is forgotten at the end.
    `new_code` makes codes of an alphabet; by itself the simulator draws them.
    Needs no running loop. Who mounts it may await `app.state.simulation.close()` at the end.
    Raises ValueError if `application_secret` is not base64.
    """
    app = FastAPI(title="Sinch simulator", openapi_url=None, redirect_slashes=False, lifespan=_lifespan)
    credentials = Credentials(
        application_key=application_key,
        application_secret=application_secret,
        signing_key=decode_secret(application_secret),
    )
    changes = Changes()
    faults = Faults(changes)
    client = CallbackClient(settings.callback_timeout)
    events = Events(settings.callback_url, client, credentials, faults)
    app.state.credentials, app.state.faults, app.state.changes = credentials, faults, changes
    new_code = new_code or partial(random_code, length=settings.code_length)
    app.state.simulation = Simulation(Store(journal, changes), settings, new_code, events)
    app.add_exception_handler(RefusalError, answer_refusal)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(Exception, answer_crash)
    app.add_middleware(BoundedBodies)
    for part in (verifications, seamless, inbox, stream, controls):
        app.include_router(part.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run when the simulator stands alone. Under a mount the first request begins and the loop's end ends."""
    simulation: Simulation = app.state.simulation
    simulation.watch()
    yield
    await simulation.close()
