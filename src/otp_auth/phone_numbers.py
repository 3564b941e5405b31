"""Phone numbers in their one form, E.164.

Two spellings of one number end in one form or are refused; nothing that could change the number is dropped.
Taken: ASCII and full-width digits and `+`, spaces, dashes, dots, slashes, round brackets, a `tel:` in front,
and, with a region, national numbers and that region's international prefix. Refused: letters, extensions,
parameters (`;ext=`), the digits of other scripts, zero-width and control characters.
"""

import re
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from otp_auth.errors import AuthError

LONGEST_TEXT = 40  # code points
LONGEST_E164 = 16  # a plus and 15 digits (ITU-T E.164, 6.2.1); the library knows longer national plans
NOT_A_COUNTRY = "001"  # what the library says for numbers of no country, such as +800

_SPACES = " \u00a0\u2007\u2009\u202f\u3000"
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_FULL_WIDTH = 0xFEE0  # from an ASCII character to its full-width form
_SEPARATORS = _SPACES + _DASHES + "()./" + "".join(chr(ord(character) + _FULL_WIDTH) for character in "-()./")
_PLAIN = str.maketrans(
    dict.fromkeys(_SEPARATORS) | {chr(ord(character) + _FULL_WIDTH): character for character in "+0123456789"}
)
_PREFIX = re.compile(r"^tel:", re.IGNORECASE)
_DIALLED = re.compile(r"\+?[0-9]{3,20}")


class NumberKind(StrEnum):
    """What a number is for. A network of no country counts as a satellite: it costs as much."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    VOIP = "voip"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    TOLL_FREE = "toll_free"
    PERSONAL_NUMBER = "personal_number"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"
    UNKNOWN = "unknown"


_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL_NUMBER,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.UAN: NumberKind.UAN,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
}
# Of no country, and yet no network of its own: +800, +808, +979.
_SERVICES = frozenset({NumberKind.TOLL_FREE, NumberKind.SHARED_COST, NumberKind.PREMIUM_RATE})
# Satellites within a country, which the library takes for VoIP: Canada's 600, Australia's 014.
_NATIONAL_SATELLITES = ("+1600", "+6114")


class PhoneNumberInvalidError(AuthError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "phone_number_invalid"
    title = "Not a phone number"
    detail = (
        "There is no such phone number. Write it in international form, with a plus and the country code, "
        "or pass the two-letter region it belongs to; leave out extensions and letters."
    )


def parse(text: str, region: str | None = None) -> str:
    """Return the number as E.164. `region` (ISO 3166 alpha-2) is read only for a number without `+`.

    Raises PhoneNumberInvalidError.
    """
    if len(text) > LONGEST_TEXT:
        raise PhoneNumberInvalidError
    dialled = _PREFIX.sub("", text.strip(_SPACES), count=1).translate(_PLAIN)
    if not _DIALLED.fullmatch(dialled) or not (region is None or is_region(region)):
        raise PhoneNumberInvalidError
    return _canonical(dialled, region.upper() if region else None)


def mask(e164: str) -> str:
    """Hide all but the last two digits; the same length for every number."""
    return f"{'•' * 8} {e164[-2:]}"


def region_of(e164: str) -> str | None:
    """Return the country (ISO 3166 alpha-2) a number belongs to; None for none, such as +800."""
    region = phonenumbers.region_code_for_number(_read(e164, None))
    return None if region == NOT_A_COUNTRY else region


def country_of(e164: str) -> str:
    """Return the country (ISO 3166 alpha-2) a number belongs to, or 001 for none."""
    return region_of(e164) or NOT_A_COUNTRY


def block_of(e164: str) -> str:
    """Return what a thousand adjacent numbers share."""
    return e164[:-3]


def number_kind(e164: str) -> NumberKind:
    """Say what the number is for, by the numbering plans that libphonenumber knows."""
    kind = _KINDS.get(phonenumbers.number_type(_read(e164, None)), NumberKind.UNKNOWN)
    has_no_country = country_of(e164) == NOT_A_COUNTRY and kind not in _SERVICES
    return NumberKind.SATELLITE if has_no_country or e164.startswith(_NATIONAL_SATELLITES) else kind


def national_digits(e164: str) -> str:
    """Return the digits without the country code and without the prefix of national calls."""
    return phonenumbers.national_significant_number(_read(e164, None))


def is_region(text: str) -> bool:
    """Say whether the text is a country code in use, in capitals or not."""
    return text.isascii() and text.upper() in phonenumbers.SUPPORTED_REGIONS


def _canonical(dialled: str, region: str | None) -> str:
    number = _read(dialled, region)
    e164 = _format(number)
    # A form that reads as another number would be a second spelling of somebody's number.
    is_second_spelling = _format(_read(e164, None)) != e164
    if not phonenumbers.is_valid_number(number) or is_second_spelling or len(e164) > LONGEST_E164:
        raise PhoneNumberInvalidError
    return e164


def _format(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=1024)  # a number is read a dozen times while one request is answered
def _read(dialled: str, region: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(dialled, region)
    except NumberParseException:
        # Without its cause: that one quotes what was typed.
        raise PhoneNumberInvalidError from None
