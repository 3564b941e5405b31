"""What routes get from the application around them."""

from typing import Annotated

from fastapi import Depends, Request

from otp_auth.simulator.authorization import authorize
from otp_auth.simulator.faults import Faults
from otp_auth.simulator.rules import Simulation


async def get_simulation(request: Request) -> Simulation:
    simulation: Simulation = request.app.state.simulation
    return simulation


async def get_faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


async def require_credentials(request: Request) -> None:
    """Refuse who is not the application."""
    await authorize(request, request.app.state.credentials)


CurrentSimulation = Annotated[Simulation, Depends(get_simulation)]
CurrentFaults = Annotated[Faults, Depends(get_faults)]
