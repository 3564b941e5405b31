import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from otp_auth import phone_numbers
from otp_auth.phone_numbers import NumberKind, PhoneNumberInvalidError

EVERY_TYPE = range(11)
EXAMPLES = [
    (region, number)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in EVERY_TYPE
    if (number := phonenumbers.example_number_for_type(region, kind))
]


@pytest.mark.parametrize(
    ("text", "region"),
    [
        pytest.param("+46701234567", None, id="E.164"),
        pytest.param("+46 (0)70-123 45 67", None, id="national prefix in brackets"),
        pytest.param(" +46.70.123.45.67 ", None, id="dots"),
        pytest.param("+46/70/1234567", None, id="slashes"),
        pytest.param("+46\u00a070\u202f1234567", None, id="no-break spaces"),
        pytest.param("+46\u201370\u20111234567", None, id="typographic dashes"),
        pytest.param("(+46)701234567", None, id="country code in brackets"),
        pytest.param("\uff0b\uff14\uff16701234567", None, id="full-width plus and digits"),
        pytest.param("\uff08+46\uff09701234567", None, id="full-width brackets"),
        pytest.param("tel:+46-70-1234567", None, id="tel URI"),
        pytest.param("TEL:+46701234567", None, id="tel URI in capitals"),
        pytest.param("070-123 45 67", "SE", id="national"),
        pytest.param("070-123 45 67", "se", id="region in small letters"),
        pytest.param("0046701234567", "SE", id="00 prefix"),
        pytest.param("01146701234567", "US", id="011 prefix"),
        pytest.param("+46701234567", "US", id="plus beats region"),
    ],
)
def test_spellings_of_one_number_have_one_form(text: str, region: str | None) -> None:
    assert phone_numbers.parse(text, region) == "+46701234567"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("+", None, id="plus alone"),
        pytest.param("0701234567", None, id="national without region"),
        pytest.param("0046701234567", None, id="00 prefix without region"),
        pytest.param("0701234567", "XX", id="unknown region"),
        pytest.param("0701234567", "\u00df", id="letter that becomes SS in capitals"),
        pytest.param("+46701234567", "nowhere", id="unknown region beside a plus"),
        pytest.param("+1 800 FLOWERS", None, id="vanity"),
        pytest.param("+46701234567;ext=12", None, id="extension parameter"),
        pytest.param("+46701234567x12", None, id="x extension"),
        pytest.param("+46701234567 ext. 12", None, id="ext extension"),
        pytest.param("+46701234567#12", None, id="hash"),
        pytest.param("+46701234567,12", None, id="pause"),
        pytest.param("tel:0701234567;phone-context=+46", None, id="tel URI with parameter"),
        pytest.param("tel:tel:+46701234567", None, id="two tel prefixes"),
        pytest.param("+46701234567\u200b", None, id="zero-width space"),
        pytest.param("+46\u200d701234567", None, id="zero-width joiner"),
        pytest.param("\u202a+46701234567\u202c", None, id="bidi marks"),
        pytest.param("+46701234567\0", None, id="NUL"),
        pytest.param("+46701234567\n", None, id="newline"),
        pytest.param("+46701234567\ud800", None, id="lone surrogate"),
        pytest.param("+٤٦701234567", None, id="Arabic-Indic digits"),
        pytest.param("+4670123456\u00b2", None, id="superscript"),
        pytest.param("++46701234567", None, id="two pluses"),
        pytest.param("46+701234567", None, id="plus inside"),
        pytest.param("+46701234567/+46701234568", None, id="two numbers"),
        pytest.param("+4670", None, id="too short"),
        pytest.param("+99912345678", None, id="no such country"),
        pytest.param("+" + "4" * 50_000, None, id="50 kB"),
        pytest.param("+46701234567" + " " * 29, None, id="41 characters"),
    ],
)
def test_anything_else_is_refused_and_not_repeated(text: str, region: str | None) -> None:
    with pytest.raises(PhoneNumberInvalidError) as refusal:
        phone_numbers.parse(text, region)

    assert not re.search(r"\d", str(refusal.value))
    assert refusal.value.__cause__ is None


def test_every_form_of_every_example_number_is_one_number() -> None:
    forms = (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.RFC3966)
    for region, number in EXAMPLES:
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        spelt = [phonenumbers.format_number(number, form) for form in forms]

        assert {phone_numbers.parse(text, region) for text in spelt} == {e164}
        assert phone_numbers.parse(e164) == e164


def test_a_form_that_reads_as_another_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_numbers, "_format", _Drifting())

    with pytest.raises(PhoneNumberInvalidError):
        phone_numbers.parse("+46701234567")


class _Drifting:
    """A format that names another number each time, which no real metadata should do."""

    def __init__(self) -> None:
        self._last_digit = 0

    def __call__(self, _number: object) -> str:
        self._last_digit += 1
        return f"+4670123456{self._last_digit}"


@pytest.mark.parametrize("number", ["+46701234589", "+390236618389", "+299221289"])
def test_mask_shows_two_digits_and_not_the_length(number: str) -> None:
    assert phone_numbers.mask(number) == "•••••••• 89"


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+46701234567", "SE"),
        ("+12025550143", "US"),
        ("+16135550143", "CA"),
        ("+18765230123", "JM"),
        ("+447400123456", "GB"),
        ("+447781123456", "GG"),
        ("+80012345678", None),
    ],
)
def test_region_is_told_by_the_number_itself(number: str, region: str | None) -> None:
    assert phone_numbers.region_of(number) == region


def test_national_digits_are_without_codes_and_prefixes() -> None:
    assert phone_numbers.national_digits("+46701234567") == "701234567"


@pytest.mark.parametrize(
    ("text", "known"),
    [("SE", True), ("se", True), ("XX", False), ("001", False), ("\u00df", False), ("", False)],
)
def test_is_region(text: str, known: bool) -> None:
    assert phone_numbers.is_region(text) is known


@pytest.mark.parametrize(
    ("number", "kind", "country"),
    [
        pytest.param("+46701234567", NumberKind.MOBILE, "SE", id="mobile"),
        pytest.param("+12025550143", NumberKind.FIXED_LINE_OR_MOBILE, "US", id="fixed line or mobile"),
        pytest.param("+80012345678", NumberKind.TOLL_FREE, "001", id="toll free of no country"),
        pytest.param("+80812345678", NumberKind.SHARED_COST, "001", id="shared cost of no country"),
        pytest.param("+979123456789", NumberKind.PREMIUM_RATE, "001", id="premium rate of no country"),
        pytest.param("+870301234567", NumberKind.SATELLITE, "001", id="satellite that reads as mobile"),
        pytest.param("+883510012345", NumberKind.SATELLITE, "001", id="network of no country"),
        pytest.param("+61147101234", NumberKind.SATELLITE, "AU", id="satellite of a country"),
        pytest.param("+46100000", NumberKind.UNKNOWN, "SE", id="no such number"),
    ],
)
def test_kind_and_country(number: str, kind: NumberKind, country: str) -> None:
    assert (phone_numbers.number_kind(number), phone_numbers.country_of(number)) == (kind, country)


def test_every_kind_of_the_library_has_a_name() -> None:
    kinds = {
        phone_numbers.number_kind(phonenumbers.format_number(number, PhoneNumberFormat.E164))
        for _, number in EXAMPLES
    }

    assert kinds == set(NumberKind) - {NumberKind.UNKNOWN}


def test_a_thousand_numbers_share_a_block() -> None:
    assert phone_numbers.block_of("+46701234000") == phone_numbers.block_of("+46701234999") == "+46701234"
    assert phone_numbers.block_of("+46701235000") != "+46701234"
