"""Sinch's JSON, written as its documentation and its SDKs' fixtures show it."""

from typing import Any

from fastapi import Request

from otp_auth.simulator.languages import template_of
from otp_auth.simulator.prices import CHARGED, country_of, price_of
from otp_auth.simulator.records import Verification
from otp_auth.simulator.refusals import SinchAnswer
from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

VERIFICATIONS = "/verification/v1/verifications"
CALLS = {VerificationMethod.CALLOUT, VerificationMethod.FLASHCALL}
INTERCEPTION = 45  # seconds that a flash call stays open, where nobody says how many
_FAILED_CALLS = {VerificationStatus.ERROR: "FAILED", VerificationStatus.DENIED: None}
_ANSWERED_CALLS = {VerificationMethod.CALLOUT: "ANSWERED", VerificationMethod.FLASHCALL: "CANCEL"}

Json = dict[str, Any]


def started(request: Request, verification: Verification) -> SinchAnswer:
    """Answer a start. It has no status: a verification that was just started is open."""
    content: Json = {"id": verification.id, "method": verification.method}
    if details := _details(verification):
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


def status(verification: Verification) -> SinchAnswer:
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
    content |= _call(verification) | _price(verification)
    return SinchAnswer({name: value for name, value in content.items() if value is not None})


def _details(verification: Verification) -> Json:
    match verification.method:
        case VerificationMethod.SMS:
            return {
                "template": template_of(verification.method, verification.language),
                "interceptionTimeout": _lifetime(verification),
                "codeType": verification.code_type,
            }
        case VerificationMethod.WHATSAPP:
            return {"codeType": verification.code_type}
        case VerificationMethod.FLASHCALL:
            return _flash_call(verification)
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
    # Not request.base_url: that one forgets the prefix of a mount.
    root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    href = f"{root}{VERIFICATIONS}/id/{verification.id}"
    return [
        {"rel": "status", "href": href, "method": "GET"},
        {"rel": "report", "href": href, "method": "PUT"},
    ]


def _call(verification: Verification) -> Json:
    """A flash call is hung up while it rings; a call that was denied was never made."""
    if verification.method not in CALLS:
        return {}
    if verification.is_open:
        return {"callComplete": False}
    result = _FAILED_CALLS.get(verification.status, _ANSWERED_CALLS[verification.method])
    return {"callComplete": verification.status is not VerificationStatus.DENIED, "callResult": result}


def _price(verification: Verification) -> Json:
    if verification.status not in CHARGED:
        return {}
    return {"price": {"verificationPrice": price_of(verification.method, verification.number)}}
