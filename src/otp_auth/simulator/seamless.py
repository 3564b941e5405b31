"""Where a phone proves itself by opening an address over its mobile data. Nobody signs that request."""

from hmac import compare_digest

from fastapi import APIRouter

from otp_auth.simulator.answers import SEAMLESS
from otp_auth.simulator.dependencies import CurrentSimulation
from otp_auth.simulator.methods import Method
from otp_auth.simulator.records import Ending
from otp_auth.simulator.refusals import Refusal, RefusalError, SinchAnswer
from otp_auth.sinch.schemas import VerificationStatus

router = APIRouter()


@router.get(f"{SEAMLESS}/{{verification_id}}/{{secret}}")
async def opened(verification_id: str, secret: str, simulation: CurrentSimulation) -> SinchAnswer:
    """Take it that the phone has the number: here anybody is its operator."""
    verification = simulation.store.find(verification_id)
    if verification is None or verification.method is not Method.SEAMLESS or not verification.is_open:
        raise RefusalError(Refusal.NOT_FOUND)
    if not compare_digest(secret.encode(), verification.code.encode()):
        raise RefusalError(Refusal.NOT_FOUND)
    simulation.end(verification, Ending(VerificationStatus.SUCCESSFUL))
    return SinchAnswer({"id": verification.id, "status": VerificationStatus.SUCCESSFUL})
