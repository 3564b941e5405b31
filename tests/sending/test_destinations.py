from typing import Any

import pytest

from otp_auth import phone_numbers
from otp_auth.phone_numbers import NumberKind
from otp_auth.sending.channels import Channel
from otp_auth.sending.destinations import TAKEN_BY, channels_for, refusal_of
from otp_auth.sending.reasons import Reason
from otp_auth.settings import SendSettings

SMS_AND_VOICE = [
    ("+46701234567", "SE mobile"),
    ("+4915123456789", "DE mobile"),
    ("+447400123456", "GB mobile"),
    ("+33612345678", "FR mobile"),
    ("+393123456789", "IT mobile"),
    ("+34612345678", "ES mobile"),
    ("+918123456789", "IN mobile"),
    ("+2348021234567", "NG mobile"),
    ("+5511961234567", "BR mobile"),
    ("+819012345678", "JP mobile"),
    ("+61412345678", "AU mobile"),
    ("+48512345678", "PL mobile"),
    ("+31612345678", "NL mobile"),
    ("+41781234567", "CH mobile"),
    ("+77710009998", "KZ mobile"),
    ("+27711234567", "ZA mobile"),
    ("+12015550123", "US fixed line or mobile"),
    ("+15062345678", "CA fixed line or mobile"),
    ("+917410410123", "IN fixed line or mobile"),
    ("+522221234567", "MX fixed line or mobile"),
]
VOICE_ALONE = [
    ("+468123456", "SE fixed line"),
    ("+4930123456", "DE fixed line"),
    ("+441212345678", "GB fixed line"),
    ("+33123456789", "FR fixed line"),
    ("+390212345678", "IT fixed line"),
    ("+81312345678", "JP fixed line"),
    ("+551123456789", "BR fixed line"),
    ("+27101234567", "ZA fixed line"),
    ("+445612345678", "GB VoIP"),
    ("+33912345678", "FR VoIP"),
    ("+31851234567", "NL VoIP"),
    ("+815012345678", "JP VoIP"),
    ("+48391234567", "PL VoIP"),
    ("+43780123456", "AT VoIP"),
]
NOTHING = [
    ("+469001234567", "SE premium rate"),
    ("+499001234567", "DE premium rate"),
    ("+449012345678", "GB premium rate"),
    ("+19002345678", "US premium rate"),
    ("+81990123456", "JP premium rate"),
    ("+979123456789", "international premium rate"),
    ("+46771234567", "SE shared cost"),
    ("+4918012345", "DE shared cost"),
    ("+33884012345", "FR shared cost"),
    ("+611300123456", "AU shared cost"),
    ("+80812345678", "international shared cost"),
    ("+4620123456", "SE toll free"),
    ("+498001234567890", "DE toll free"),
    ("+448001234567", "GB toll free"),
    ("+18002345678", "US toll free"),
    ("+80012345678", "international toll free"),
    ("+46751234567", "SE personal number"),
    ("+447012345678", "GB personal number"),
    ("+15002345678", "US personal number"),
    ("+46740123456", "SE pager"),
    ("+447640123456", "GB pager"),
    ("+812012345678", "JP pager"),
    ("+46102345678", "SE company number"),
    ("+445512345678", "GB company number"),
    ("+27861123456", "ZA company number"),
    ("+46254123456789", "SE voicemail"),
    ("+49177991234567", "DE voicemail"),
    ("+870301234567", "Inmarsat"),
    ("+881612345678", "Iridium"),
    ("+8823421234", "international network 882"),
    ("+883510012345", "international network 883"),
    ("+878101234567890", "universal personal number"),
    ("+88812345678901", "network of a relief agency"),
    ("+16002012345", "CA satellite"),
    ("+61147101234", "AU satellite"),
    ("+46100000", "SE unknown"),
]
DECISIONS = [
    *((number, name, True, True) for number, name in SMS_AND_VOICE),
    *((number, name, False, True) for number, name in VOICE_ALONE),
    *((number, name, False, False) for number, name in NOTHING),
]


def policy(**settings: Any) -> SendSettings:
    return SendSettings(**{"countries": ("*",), "methods": ("sms", "voice"), **settings})


@pytest.mark.parametrize(
    ("number", "sms", "voice"), [pytest.param(row[0], *row[2:], id=row[1]) for row in DECISIONS]
)
def test_what_goes_where(number: str, sms: bool, voice: bool) -> None:
    answers = {channel: refusal_of(number, policy(), channel) for channel in Channel}

    assert answers == {
        channel: None if (voice if channel is Channel.VOICE else sms) else Reason.NUMBER_TYPE
        for channel in Channel
    }


def test_the_table_is_long_enough_and_names_every_kind() -> None:
    assert len({number for number, *_ in DECISIONS}) >= 60
    assert {phone_numbers.number_kind(number) for number, *_ in DECISIONS} == set(NumberKind)


def test_a_kind_that_is_not_named_gets_nothing() -> None:
    assert {kind for kind in NumberKind if kind not in TAKEN_BY} >= {NumberKind.UNKNOWN, NumberKind.SATELLITE}


@pytest.mark.parametrize(
    ("number", "countries", "reason"),
    [
        pytest.param("+46701234567", ("SE",), None, id="on the list"),
        pytest.param("+46701234567", ("DE", "SE"), None, id="second on the list"),
        pytest.param("+46701234567", ("*",), None, id="everywhere"),
        pytest.param("+46701234567", ("DE",), Reason.COUNTRY, id="not on the list"),
        pytest.param("+46701234567", (), Reason.COUNTRY, id="empty list"),
        pytest.param("+447781123456", ("GB",), Reason.COUNTRY, id="Guernsey isn't Britain"),
        pytest.param("+18765230123", ("US",), Reason.COUNTRY, id="Jamaica isn't America"),
        pytest.param("+77710009998", ("RU",), Reason.COUNTRY, id="Kazakhstan isn't Russia"),
        pytest.param("+881612345678", ("US",), Reason.COUNTRY, id="no country"),
        pytest.param("+881612345678", ("001",), Reason.NUMBER_TYPE, id="no country, and listed"),
        pytest.param("+469001234567", ("DE",), Reason.COUNTRY, id="the country comes first"),
    ],
)
@pytest.mark.parametrize("channel", [None, Channel.SMS, Channel.VOICE], ids=["any", "sms", "voice"])
def test_countries(
    number: str, countries: tuple[str, ...], reason: Reason | None, channel: Channel | None
) -> None:
    assert refusal_of(number, policy(countries=countries), channel) is reason


def test_without_a_channel_one_that_is_offered_must_take_the_number() -> None:
    fixed_line = "+468123456"

    assert refusal_of(fixed_line, policy()) is None
    assert refusal_of(fixed_line, policy(methods=("sms", "whatsapp"))) is Reason.NUMBER_TYPE
    assert refusal_of(fixed_line, policy(methods_by_country={"SE": ("sms",)})) is Reason.NUMBER_TYPE


def test_watching_still_knows_why() -> None:
    watching = policy(mode="watch", countries=("DE",))

    assert refusal_of("+469001234567", watching) is Reason.COUNTRY


@pytest.mark.parametrize(
    ("number", "settings", "expected"),
    [
        pytest.param("+46701234567", {}, ["sms", "voice"], id="mobile"),
        pytest.param("+468123456", {}, ["voice"], id="fixed line"),
        pytest.param("+469001234567", {}, [], id="premium rate"),
        pytest.param("+46701234567", {"methods": ("voice", "sms")}, ["voice", "sms"], id="in order"),
        pytest.param(
            "+918123456789",
            {"methods_by_country": {"IN": ("whatsapp", "sms")}},
            ["whatsapp", "sms"],
            id="country of its own",
        ),
        pytest.param(
            "+46701234567",
            {"methods_by_country": {"IN": ("whatsapp",)}},
            ["sms", "voice"],
            id="another country",
        ),
        pytest.param("+468123456", {"mode": "watch"}, ["sms", "voice"], id="fixed line while watching"),
    ],
)
def test_channels(number: str, settings: dict[str, Any], expected: list[str]) -> None:
    assert channels_for(number, policy(**settings)) == expected
