"""Sinch's JSON, written as its documentation and its SDKs' fixtures show it."""

from typing import Any

import phonenumbers
from fastapi import Request

from otp_auth.simulator.languages import template_of
from otp_auth.simulator.records import Verification
from otp_auth.simulator.refusals import SinchAnswer
from otp_auth.sinch.schemas import VerificationMethod, VerificationStatus

VERIFICATIONS = "/verification/v1/verifications"
NO_COUNTRY = "001"  # what the library says for numbers of no country, such as +800
_PRICES = {VerificationMethod.SMS: 0.0453, VerificationMethod.CALLOUT: 0.1852}

Json = dict[str, Any]


def started(request: Request, verification: Verification) -> SinchAnswer:
    """Answer a start. It has no status: a verification that was just started is open."""
    content: Json = {"id": verification.id, "method": verification.method}
    if verification.method is VerificationMethod.SMS:
        content["sms"] = _details(verification)
    content["_links"] = _links(request, verification)
    return SinchAnswer(content, headers={"Content-Language": verification.language})


def reported(verification: Verification) -> SinchAnswer:
    """Answer a report: 200 does not mean verified, `status` does."""
    content: Json = {"id": verification.id, "method": verification.method, "status": verification.status}
    if verification.reason:
        content["reason"] = verification.reason
    if verification.method is VerificationMethod.CALLOUT:
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
        "countryId": _country(verification.number),
        # Seven fraction digits and no offset, as Sinch writes it: parsers have to cope.
        "verificationTimestamp": f"{verification.created_at:%Y-%m-%dT%H:%M:%S.%f}0",
    }
    content |= _call(verification) | _end(verification)
    return SinchAnswer({name: value for name, value in content.items() if value is not None})


def _details(verification: Verification) -> Json:
    lifetime = verification.expires_at - verification.created_at
    return {
        "template": template_of(verification.method, verification.language),
        "interceptionTimeout": int(lifetime.total_seconds()),
        "codeType": verification.code_type,
    }


def _links(request: Request, verification: Verification) -> list[Json]:
    # Not request.base_url: that one forgets the prefix of a mount.
    root = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    href = f"{root}{VERIFICATIONS}/id/{verification.id}"
    return [
        {"rel": "status", "href": href, "method": "GET"},
        {"rel": "report", "href": href, "method": "PUT"},
    ]


def _country(number: str) -> str | None:
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return None if region == NO_COUNTRY else region


def _call(verification: Verification) -> Json:
    if verification.method is not VerificationMethod.CALLOUT:
        return {}
    is_complete = not verification.is_open
    return {"callComplete": is_complete, "callResult": "ANSWERED" if is_complete else None}


def _end(verification: Verification) -> Json:
    if verification.is_open:
        return {}
    price = {"currencyId": "EUR", "amount": _PRICES[verification.method]}
    is_reported_sms = (
        verification.method is VerificationMethod.SMS and verification.status is VerificationStatus.SUCCESSFUL
    )
    return {"price": {"verificationPrice": price}, "source": "manual" if is_reported_sms else None}
