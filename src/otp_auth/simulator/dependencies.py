"""What routes get from the application around them."""

from typing import Annotated

from fastapi import Depends, Request

from otp_auth.simulator.authorization import authorize
from otp_auth.simulator.changes import Changes
from otp_auth.simulator.faults import Faults
from otp_auth.simulator.simulation import Simulation


async def get_simulation(request: Request) -> Simulation:
    """Bring the simulation up to now: a clock that tests move has no other way in."""
    simulation: Simulation = request.app.state.simulation
    simulation.watch()
    simulation.expire_due()
    return simulation


async def get_faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


async def get_changes(request: Request) -> Changes:
    changes: Changes = request.app.state.changes
    return changes


async def require_credentials(request: Request) -> None:
    """Refuse who is not the application."""
    simulation: Simulation = request.app.state.simulation
    await authorize(request, request.app.state.credentials, has_callback=bool(simulation.events.callback_url))


CurrentSimulation = Annotated[Simulation, Depends(get_simulation)]
CurrentFaults = Annotated[Faults, Depends(get_faults)]
CurrentChanges = Annotated[Changes, Depends(get_changes)]
