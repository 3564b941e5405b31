"""All forgeries together, and how they are shown to a service."""

from collections.abc import Mapping
from typing import Any

import forged_claims
import httpx
from api_surface import problem_of
from forged_headers import HEADERS
from forged_shapes import SHAPES
from forged_signatures import SIGNATURES

from otp_auth.tokens.errors import InvalidTokenError
from support.forgery import Forgery, Mint
from support.service import API, Service, new_number

ME, OTP = f"{API}/me", f"{API}/auth/otp"


def _together(*groups: dict[str, Forgery]) -> dict[str, Forgery]:
    """Each under a name of its own: none hides another."""
    everything = {name: forge for group in groups for name, forge in group.items()}
    assert len(everything) == sum(map(len, groups))
    return everything


ACCESS = _together(SIGNATURES, HEADERS, SHAPES, forged_claims.ACCESS)
PENDING = _together(SIGNATURES, HEADERS, SHAPES, forged_claims.PENDING)

Refusal = dict[str, Any]
REFUSED: Refusal = {
    "status": 401,
    "code": "invalid_token",
    "title": InvalidTokenError.title,
    "detail": InvalidTokenError.detail,  # no hint what was wrong
    "WWW-Authenticate": 'Bearer error="invalid_token"',
}


async def mints(service: Service, address: str = "http://127.0.0.1:9") -> tuple[Mint, Mint]:
    """For access tokens, and for pending ones."""
    mine, others = [await service.register(new_number()) for _ in range(2)]
    waiting, others_wait = [await service.start_registration(new_number()) for _ in range(2)]
    access, pending = mine["access_token"], waiting["pending_token"]
    keys = service.app.state.tokens.keys
    return (
        Mint(access, pending, others["access_token"], keys, address),
        Mint(pending, access, others_wait["pending_token"], keys, address),
    )


async def show(service: Service, path: str, token: str) -> httpx.Response:
    # As octets: what isn't ASCII comes through as it is.
    authorization = (b"Authorization", b"Bearer " + token.encode("utf-8", "surrogatepass"))
    return await service.http.get(path, headers=[authorization])


def refusal(answer: httpx.Response) -> Refusal | str:
    if answer.is_success:
        return "it opened"
    problem = problem_of(answer)
    told = {name: value for name, value in problem.items() if name not in {"type", "request_id"}}
    return told | {"WWW-Authenticate": answer.headers["www-authenticate"]}


async def try_all(
    service: Service, path: str, mint: Mint, forgeries: Mapping[str, Forgery]
) -> dict[str, Refusal | str]:
    """Return each one's refusal; the genuine token passes before and after each."""
    seen = {}
    assert (await show(service, path, mint.genuine)).is_success
    for name, forge in forgeries.items():
        seen[name] = refusal(await show(service, path, forge(mint)))
        assert (await show(service, path, mint.genuine)).is_success, f"after: {name}"
    return seen
