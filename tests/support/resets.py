"""The walk of somebody who has forgotten a password."""

from typing import Any

import httpx

from otp_auth.background import Background
from support.service import Json, Service

NEW_PASSWORD = "Amber-Meadow-Compass-31"


async def forgot(service: Service, identifier: str, **fields: Any) -> Json:
    """Return Pending, once all that follows its answer is done."""
    answer = await service.post("/auth/password/forgot", {"identifier": identifier, **fields})
    assert answer.status_code == 202, answer.text
    await settled(service)
    body: Json = answer.json()
    return body


async def settled(service: Service) -> None:
    """Wait for the work that goes on after answers."""
    background: Background = service.app.state.background
    await background.idle()


async def allowed(service: Service, number: str, identifier: str = "") -> Json:
    """Prove the phone and return the answer with the reset token."""
    pending = await forgot(service, identifier or number)
    body = await service.prove(pending, number)
    assert body["status"] == "reset_allowed"
    return body


async def reset(
    service: Service, allowed: Json, password: str = NEW_PASSWORD, **proof: str
) -> httpx.Response:
    """Set the password; `proof` is method and code of a second factor."""
    body = {"new_password": password} | ({"proof": proof} if proof else {})
    return await service.post("/auth/password/reset", body, allowed["reset_token"])


async def cancel(service: Service, tokens: Json) -> httpx.Response:
    return await service.ask("DELETE", "/me/password-reset", token=tokens["access_token"])
