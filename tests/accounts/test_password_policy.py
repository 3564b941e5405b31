import time

import pytest

from otp_auth.accounts.password_policy import (
    PasswordTooShortError,
    WeakPasswordError,
    check_password,
    common_passwords,
    may_stand_alone,
)

PERSON = ("+46701234567", "ada.lovelace@example.com", "Ada Zarkonidas")


def _rule(password: str) -> str:
    with pytest.raises(WeakPasswordError) as refusal:
        check_password(password, context=PERSON)
    return str(refusal.value.members["errors"][0]["rule"])


COMMON = (
    "password PassWord password1 iloveyou sunshine football baseball trustno1 starwars superman 1qaz2wsx "
    "letmein princess computer michelle jennifer corvette"
)


@pytest.mark.parametrize("password", COMMON.split())
def test_common_passwords_in_any_case(password: str) -> None:
    assert _rule(password) == "common"


def test_the_whole_list_is_refused() -> None:
    for password in common_passwords():
        with pytest.raises(WeakPasswordError):
            check_password(password.upper(), context=())


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        pytest.param("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "common", id="full-width letters"),
        pytest.param("passwordpassword", "common", id="a common one twice"),
        pytest.param("xxxxxxxxxxxx", "repeated", id="one letter"),
        pytest.param("xXxXxXxXxXxX", "repeated", id="one letter in two cases"),
        pytest.param("\U0001f40e" * 8, "repeated", id="one emoji"),
        pytest.param("abcdefgh", "sequence", id="alphabet"),
        pytest.param("HGFEDCBA", "sequence", id="alphabet backwards"),
        pytest.param("12345678", "sequence", id="digits"),
        pytest.param("87654321", "sequence", id="digits backwards"),
        pytest.param("1234567890" * 12 + "12345678", "sequence", id="digits to the end"),
        pytest.param("34567890", "sequence", id="digits from the middle"),
        pytest.param("123123123", "sequence", id="a run again and again"),
        pytest.param("qwertyui", "sequence", id="keys"),
        pytest.param("qwertzuiop", "sequence", id="keys of another country"),
        pytest.param("lkjhgfdsa", "sequence", id="keys backwards"),
        pytest.param("otp-auth", "context", id="service"),
        pytest.param("OTP Auth", "context", id="service, spelt otherwise"),
        pytest.param("otpauthotpauth", "context", id="service twice"),
        pytest.param("+46701234567", "context", id="phone"),
        pytest.param("46701234567", "context", id="phone without plus"),
        pytest.param("0046701234567", "context", id="phone with 00"),
        pytest.param("070-123 45 67", "context", id="national phone"),
        pytest.param("701234567", "context", id="national phone without 0"),
        pytest.param("ada.lovelace", "context", id="local part"),
        pytest.param("Ada.Lovelace@Example.com", "context", id="e-mail"),
        pytest.param("ada zarkonidas", "context", id="display name"),
        pytest.param("zarkonidas", "context", id="a word of the display name"),
    ],
)
def test_other_obvious_ones(password: str, rule: str) -> None:
    assert _rule(password) == rule


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("correct horse battery", id="words"),
        pytest.param("alllowercaseletters", id="no rule of composition"),
        pytest.param("my password is long", id="a common one inside"),
        pytest.param("zarkonidas-engine", id="a name inside"),
        pytest.param("ÅÄÖ åäö ñ", id="not English"),
        pytest.param("        x", id="spaces"),
        pytest.param("\ud800\0 odd but long", id="surrogate and NUL"),
        pytest.param("!?!?-#+=", id="signs alone"),
        pytest.param("gggdfklweqz", id="made up"),
    ],
)
def test_anything_else_is_accepted(password: str) -> None:
    check_password(password, context=PERSON)


@pytest.mark.parametrize(
    ("password", "is_long"),
    [
        pytest.param("Quiet-Harbour-", False, id="14"),
        pytest.param("Quiet-Harbour-L", True, id="15"),
        pytest.param("e\u0301" * 8 + "-Harbo", False, id="14 letters of 22 code points"),
        pytest.param("\U0001f40e\U0001f98a" * 7 + "!", True, id="15 code points, more in UTF-16"),
    ],
)
def test_what_may_stand_alone_has_15_characters(password: str, is_long: bool) -> None:
    assert may_stand_alone(password) is is_long
    if is_long:
        check_password(password, context=(), shortest=15)
        return
    with pytest.raises(PasswordTooShortError) as refusal:
        check_password(password, context=(), field="body.new_password", shortest=15)
    (error,) = refusal.value.members["errors"]
    assert (error["field"], error["rule"]) == ("body.new_password", "too_short")
    assert "15" in error["message"]


def test_signs_do_not_match_an_empty_word() -> None:
    check_password("!?!?-#+=", context=["", "...", "@"])


def test_the_reason_is_told_and_the_password_is_not() -> None:
    with pytest.raises(WeakPasswordError) as refusal:
        check_password("trustno1", context=(), field="body.new_password")

    (error,) = refusal.value.members["errors"]
    assert (error["field"], error["rule"]) == ("body.new_password", "common")
    assert refusal.value.detail == error["message"]
    assert "trustno1" not in str(refusal.value)


def test_the_longest_password_is_judged_at_once() -> None:
    common_passwords()
    started = time.perf_counter()
    for _ in range(100):
        check_password("ab" * 63 + "ac", context=PERSON)

    assert time.perf_counter() - started < 1
