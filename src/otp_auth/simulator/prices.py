"""What a verification costs, made up: by method and group of countries, in one currency."""

from dataclasses import dataclass
from typing import Any

import phonenumbers

from otp_auth.simulator.methods import Method
from otp_auth.simulator.records import CallResult
from otp_auth.sinch.schemas import VerificationStatus

CURRENCY = "EUR"
NO_COUNTRY = "001"  # what the library says for numbers of no country, such as +800
# Sinch charges what was tried; it does not charge what it could not deliver or was told not to send.
CHARGED = {VerificationStatus.SUCCESSFUL, VerificationStatus.FAIL, VerificationStatus.ABORTED}


@dataclass(frozen=True)
class Tariff:
    """What a group of countries costs: a verification, and a minute of its call."""

    prices: dict[Method, float]
    minute: float


_NORTH_AMERICA = {"CA", "US"}
# fmt: off
_EUROPE = {
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
}
# fmt: on
_SMS, _CALLOUT = Method.SMS, Method.CALLOUT
_FLASHCALL, _WHATSAPP, _SEAMLESS = Method.FLASHCALL, Method.WHATSAPP, Method.SEAMLESS
_EUROPEAN = Tariff(
    {_SMS: 0.0453, _CALLOUT: 0.1852, _FLASHCALL: 0.0125, _WHATSAPP: 0.0391, _SEAMLESS: 0.0200}, minute=0.0240
)
_NORTH_AMERICAN = Tariff(
    {_SMS: 0.0085, _CALLOUT: 0.0270, _FLASHCALL: 0.0060, _WHATSAPP: 0.0135, _SEAMLESS: 0.0100}, minute=0.0120
)
_OTHER = Tariff(
    {_SMS: 0.1150, _CALLOUT: 0.3100, _FLASHCALL: 0.0240, _WHATSAPP: 0.0620, _SEAMLESS: 0.0400}, minute=0.0900
)
_TAKEN = {CallResult.ANSWERED, CallResult.COMPLETED}
SPOKEN = 18  # seconds that the phone call of a code lasts


def price_of(method: Method, number: str) -> dict[str, Any]:
    """Return Sinch's money object for one verification of a number (E.164)."""
    return {"currencyId": CURRENCY, "amount": _tariff_of(country_of(number)).prices[method]}


def minutes_of(number: str, result: CallResult | None) -> dict[str, Any]:
    """Return what a call adds where minutes are debited; one that nobody took lasts no time."""
    seconds = SPOKEN if result in _TAKEN else 0
    amount = round(_tariff_of(country_of(number)).minute * seconds / 60, 4)
    return {"terminationPrice": {"currencyId": CURRENCY, "amount": amount}, "billableDuration": seconds}


def country_of(number: str) -> str | None:
    """Return the number's country (ISO 3166 alpha-2); None for numbers of no country."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return None if region == NO_COUNTRY else region


def _tariff_of(country: str | None) -> Tariff:
    if country in _EUROPE:
        return _EUROPEAN
    return _NORTH_AMERICAN if country in _NORTH_AMERICA else _OTHER
