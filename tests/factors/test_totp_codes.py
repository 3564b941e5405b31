"""Codes of authenticator apps against RFC 6238, and what is taken for one."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest
from loguru import logger

from otp_auth.factors.totp import Seeds, describe_enrolment, new_seed, step_of
from otp_auth.sealing import Sealer

SEED = b"12345678901234567890"  # RFC 6238, appendix B
STEP = timedelta(seconds=30)
SECRET, EARLIER = "the-present-secret-0123456789-abcdef", "an-earlier-secret-0123456789-abcdef"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# Appendix B has eight digits; the last six are the code of six.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_the_rfc(seconds: int, code: str) -> None:
    assert step_of(SEED, code, at(seconds)) == seconds // 30


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_each_side_is_taken(steps: int, is_taken: bool) -> None:
    now = at(1234567890)
    code = pyotp.TOTP(pyotp.random_base32()).at(now)  # any six digits
    assert re.fullmatch("[0-9]{6}", code)

    seen = step_of(SEED, pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").at(now + steps * STEP), now)

    assert seen == (1234567890 // 30 + steps if is_taken else None)


@pytest.mark.parametrize(
    "spell",
    [
        pytest.param(lambda code: code.translate({48 + n: 0xFF10 + n for n in range(10)}), id="full width"),
        pytest.param(lambda code: code.translate({48 + n: 0x0660 + n for n in range(10)}), id="Arabic-Indic"),
        pytest.param(lambda code: f" {code}", id="a space before"),
        pytest.param(lambda code: f"{code}\n", id="a line break after"),
        pytest.param(lambda code: f"+{code[1:]}", id="a sign"),
        pytest.param(lambda code: f"0{code}", id="a zero more"),
        pytest.param(lambda code: code[:5], id="a digit less"),
        pytest.param(lambda code: f"{code[:3]}-{code[3:]}", id="a dash"),
        pytest.param(lambda _: "", id="nothing"),
        pytest.param(lambda _: "²²²²²²", id="superscript"),
    ],
)
def test_one_spelling_alone_is_taken(spell: object) -> None:
    assert callable(spell)
    assert step_of(SEED, "005924", at(1234567890)) is not None
    assert step_of(SEED, spell("005924"), at(1234567890)) is None


def test_a_code_of_two_steps_stands_for_the_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would otherwise be good a second time."""
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", lambda *_: "123456")

    assert step_of(SEED, "123456", at(3000)) == 101


def test_seeds_are_of_160_bits_and_differ() -> None:
    seeds = [new_seed() for _ in range(100)]

    assert {len(seed) for seed in seeds} == {20}
    assert len(set(seeds)) == 100


def test_an_enrolment_is_one_secret_in_three_shapes() -> None:
    enrolment = describe_enrolment(SEED, "Ada & Co", "+46701740605")

    parsed = pyotp.parse_uri(enrolment.otpauth_uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.issuer, parsed.name) == (enrolment.secret, "Ada & Co", "+46701740605")
    assert (parsed.digits, parsed.interval) == (6, 30)
    assert parsed.at(at(59)) == "287082"


def test_the_picture_can_be_read_on_any_page() -> None:
    svg = describe_enrolment(SEED, "otp-auth", "+46701740605").qr_svg

    assert re.fullmatch(r"<svg [^<>]*>.*</svg>", svg)
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    # White over the whole square, four modules of it on each side (ISO/IEC 18004 6.3.8).
    whole, dark = re.findall(r"<path [^<>]*>", svg)
    assert 'fill="#fff" d="M0 0h' in whole
    assert 'stroke="#000" d="M4 4.5h7' in dark
    assert not {"script", "style", "href", "http"} & set(
        re.findall(r"[a-z]+", svg.replace("http://www.w3.org", ""))
    )


class TestSeeds:
    def test_one_opens_for_its_account_alone(self) -> None:
        ada, seeds = uuid4(), Seeds(Sealer(SECRET))
        sealed = seeds.seal(SEED, ada)

        assert seeds.open(sealed, ada) == SEED
        assert seeds.open(sealed, uuid4()) is None

    def test_the_log_says_once_what_an_operator_must_do(self) -> None:
        ada = uuid4()
        sealed = Seeds(Sealer(EARLIER)).seal(SEED, ada)
        seeds = Seeds(Sealer(SECRET))

        lines: list[str] = []
        sink = logger.add(lines.append)
        opened = [seeds.open(sealed, ada) for _ in range(3)]
        logger.remove(sink)

        assert opened == [None] * 3
        assert "".join(lines).count("OTP_AUTH_PREVIOUS_SECRET_KEYS") == 1
        assert Seeds(Sealer(SECRET, [EARLIER])).open(sealed, ada) == SEED
