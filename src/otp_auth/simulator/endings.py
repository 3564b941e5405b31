"""Beside Sinch's API: let an open verification end in any way that Sinch knows, or has yet to invent."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from otp_auth.simulator.records import CallResult, Ending, Verification
from otp_auth.simulator.simulation import Simulation
from otp_auth.sinch.schemas import VerificationStatus

# Not SUCCESSFUL: that takes a right code.
Unsuccessful = Literal[
    VerificationStatus.FAIL, VerificationStatus.DENIED, VerificationStatus.ABORTED, VerificationStatus.ERROR
]


class WantedEnding(BaseModel, frozen=True, extra="forbid"):
    """Which verification ends, and how: the one with an id, or the latest of a number."""

    verification_id: str | None = None
    to: str | None = None
    status: Unsuccessful
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    call_result: CallResult | None = Field(None, description="of a call")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.verification_id is None) == (self.to is None):
            raise ValueError("name one verification: by verification_id, or by the number it went to")
        return self


def end(simulation: Simulation, wanted: WantedEnding) -> Verification | None:
    """End it and tell; None if nothing is open there."""
    store = simulation.store
    found = store.find_newest(wanted.to) if wanted.to else store.find(wanted.verification_id or "")
    if found is None or not found.is_open:
        return None
    return simulation.end(found, Ending(wanted.status, wanted.reason, wanted.call_result))
