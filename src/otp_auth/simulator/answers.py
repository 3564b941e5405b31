"""Sinch's JSON, written as its documentation and its SDKs' fixtures show it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request

from otp_auth.simulator.languages import template_of
from otp_auth.simulator.methods import CALLS, Method
from otp_auth.simulator.prices import CHARGED, country_of, minutes_of, price_of
from otp_auth.simulator.records import CallResult, Verification
from otp_auth.simulator.refusals import SinchAnswer
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.schemas import VerificationStatus

VERIFICATIONS = "/verification/v1/verifications"
SEAMLESS = "/verification/v1/seamless"  # where phones open the address of a seamless verification
INTERCEPTION = 45  # seconds that a flash call stays open, where nobody says how many
_FAILED_CALLS = {VerificationStatus.ERROR: CallResult.FAILED, VerificationStatus.DENIED: None}
_ANSWERED_CALLS = {Method.CALLOUT: CallResult.ANSWERED, Method.FLASHCALL: CallResult.CANCEL}

Json = dict[str, Any]


def started(request: Request, verification: Verification) -> SinchAnswer:
    """Answer a start. It has no status: a verification that was just started is open."""
    content: Json = {"id": verification.id, "method": verification.method}
    if details := _details(request, verification):
        content[verification.method.member] = details
    content["_links"] = _links(request, verification)
    return SinchAnswer(content, headers={"Content-Language": verification.language})


def reported(verification: Verification) -> SinchAnswer:
    """Answer a report: 200 does not mean verified, `status` does."""
    content: Json = {"id": verification.id, "method": verification.method, "status": verification.status}
    if verification.reason:
        content["reason"] = verification.reason
    if verification.method in CALLS:
        content["callComplete"] = True
    return SinchAnswer(content)


def status(verification: Verification, settings: SimulatorSettings) -> SinchAnswer:
    """Tell how a verification stands. Members that don't apply are left out."""
    content: Json = {
        "id": verification.id,
        "method": verification.method,
        "status": verification.status,
        "reason": verification.reason,
        "reference": verification.reference,
        "identity": {"type": "number", "endpoint": verification.number},
        "countryId": country_of(verification.number),
        # Seven fraction digits and no offset, as Sinch writes it: parsers have to cope.
        "verificationTimestamp": f"{verification.created_at:%Y-%m-%dT%H:%M:%S.%f}0",
        "source": verification.source,
    }
    content |= _call(verification) | _price(verification, settings)
    return SinchAnswer({name: value for name, value in content.items() if value is not None})


def _details(request: Request, verification: Verification) -> Json:
    match verification.method:
        case Method.SMS:
            return {
                "template": template_of(verification.method, verification.language),
                "interceptionTimeout": _lifetime(verification),
                "codeType": verification.code_type,
            }
        case Method.WHATSAPP:
            return {"codeType": verification.code_type}
        case Method.FLASHCALL:
            return _flash_call(verification)
        case Method.SEAMLESS:
            return {"targetUri": f"{_root(request)}{SEAMLESS}/{verification.id}/{verification.code}"}
    return {}


def _flash_call(verification: Verification) -> Json:
    """The filter names the part of the caller's number that is no secret."""
    lifetime = _lifetime(verification)
    return {
        "cliFilter": f"(.*){verification.code[2:-4]}(.*)",
        "interceptionTimeout": verification.interception or min(INTERCEPTION, lifetime),
        "reportTimeout": lifetime,
        "denyCallAfter": 0,
    }


def _lifetime(verification: Verification) -> int:
    return int((verification.expires_at - verification.created_at).total_seconds())


def _links(request: Request, verification: Verification) -> list[Json]:
    href = f"{_root(request)}{VERIFICATIONS}/id/{verification.id}"
    return [
        {"rel": "status", "href": href, "method": "GET"},
        {"rel": "report", "href": href, "method": "PUT"},
    ]


def _root(request: Request) -> str:
    # Not request.base_url: that one forgets the prefix of a mount.
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def _call(verification: Verification) -> Json:
    """A flash call is hung up while it rings; a call that was denied was never made."""
    if verification.method not in CALLS:
        return {}
    if verification.is_open:
        return {"callComplete": False}
    is_made = verification.status is not VerificationStatus.DENIED
    return {"callComplete": is_made, "callResult": _call_result(verification)}


def _call_result(verification: Verification) -> CallResult | None:
    usual = _FAILED_CALLS.get(verification.status, _ANSWERED_CALLS[verification.method])
    return verification.call_result or usual


def _price(verification: Verification, settings: SimulatorSettings) -> Json:
    """It is known some time after the end."""
    known_at = (verification.ended_at or verification.created_at) + timedelta(seconds=settings.price_delay)
    if verification.status not in CHARGED or datetime.now(UTC) < known_at:
        return {}
    price = {"verificationPrice": price_of(verification.method, verification.number)}
    if settings.termination_debiting and verification.method in CALLS:
        price |= minutes_of(verification.number, _call_result(verification))
    return {"price": price}
