"""Nonsense for every field and body, and the table of what is legitimately taken all the same."""

CANARY = "Canary7Zq"
SECRET = CANARY.encode()


def _in_digits_from(zero: int) -> str:
    """A phone number in the digits of another script, which `int` and many patterns take for ours."""
    return "+46709999999".translate({ord("0") + digit: zero + digit for digit in range(10)})


# As they stand in the body.
VALUES: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "number": b"1",  # a lax reader takes it for true
    "fraction": b"1.5",
    "number too large for 64 bits": b"9" * 40,
    "number of 5,000 digits": b"9" * 5_000,
    "number beyond every float": b"1e999",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "list": b'["' + SECRET + b'"]',
    "object": b'{"' + SECRET + b'": "' + SECRET + b'"}',
    "empty": b'""',
    "space": b'" "',
    "lone surrogate, escaped": b'"' + SECRET + rb'\ud800"',
    "low surrogate, escaped": b'"' + SECRET + rb'\udc00"',
    "lone surrogate, in bytes": b'"' + SECRET + b'\xed\xa0\x80"',
    "bad UTF-8": b'"' + SECRET + b'\xff\xfe"',
    "overlong UTF-8": b'"' + SECRET + b'\xc0\xaf"',
    "NUL, escaped": b'"' + SECRET + rb'\u0000"',
    "NUL, in bytes": b'"' + SECRET + b'\x00"',
    "control characters": b'"' + SECRET + rb'\u0007\u001b[31m\u007f"',
    "line break": b'"' + SECRET + rb'\r\nSet-Cookie: a=b"',
    "line break at the end": b'"' + SECRET + rb'\n"',
    "right to left": b'"' + SECRET + rb'\u202e"',
    "zero width": b'"' + SECRET + rb'\u200b"',
    "emoji": b'"' + SECRET + rb'\ud83d\ude00"',
    "markup": b'"<script>' + SECRET + b'</script>"',
    "SQL": b"\"' OR 1=1; -- " + SECRET + b'"',
    "template": b'"{{7*7}}${7*7}%s{0}' + SECRET + b'"',
    "60 kB": b'"' + SECRET * 6_500 + b'"',
    "1 MB": b'"' + SECRET * 120_000 + b'"',
    "full-width digits": f'"{_in_digits_from(0xFF10)}"'.encode(),
    "Arabic-Indic digits": f'"{_in_digits_from(0x0660)}"'.encode(),
    "superscript digits": '"²²²²²²²²"'.encode(),
    "digits with a space": b'"482 915"',
    "exponent": b'"1e5"',
    "sign": b'"+482915"',
    "nested 20 deep": b"[" * 20 + b"]" * 20,
    "nested 20,000 deep": b"[" * 20_000 + b"]" * 20_000,
}

# Bodies in place of the object.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "space": b" ",
    "null": b"null",
    "list": b'["' + SECRET + b'"]',
    "list of an object": b"[{}]",
    "text": b'"' + SECRET + b'"',
    "number": b"7",
    "true": b"true",
    "NaN": b"NaN",
    "cut off": b'{"' + SECRET + b'": "',
    "single quotes": b"{'" + SECRET + b"': 1}",
    "comment": b"{} // " + SECRET,
    "bad UTF-8": b'{"' + SECRET + b'\xff": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "form": b"phone_number=" + SECRET,
    "20,000 opening braces": b'{"a":' * 20_000,
}

# What is taken, and answered with 2xx: (route, field, value).
PASSWORD_LIKE = {  # a password is any Unicode of the right length; one that is only tried answers 401
    "NUL, escaped",
    "control characters",
    "line break",
    "line break at the end",
    "right to left",
    "zero width",
    "emoji",
    "markup",
    "SQL",
    "template",
    "full-width digits",
    "Arabic-Indic digits",
}
PRINTABLE = {  # a name is any printable text of up to 100 characters
    "space",
    "emoji",
    "markup",
    "SQL",
    "template",
    "full-width digits",
    "Arabic-Indic digits",
    "superscript digits",
    "digits with a space",
    "exponent",
    "sign",
}
UNKNOWN_DEVICE = {  # what is no token of a trusted device: any text of up to 512 characters has no effect
    *PASSWORD_LIKE,
    *PRINTABLE,
}
OPTIONAL = {"null"}
TAKEN: dict[tuple[str, str], set[str]] = {
    # Full-width digits are folded to the number they show (see phone_numbers).
    ("register", "phone_number"): {"full-width digits"},
    ("register", "password"): PASSWORD_LIKE,
    ("register", "display_name"): PRINTABLE | OPTIONAL,
    **{("register", field): OPTIONAL for field in ("region", "email", "locale")},
    ("changePhone", "phone_number"): {"full-width digits"},
    **{("changePhone", field): OPTIONAL for field in ("region", "method")},
    ("logIn", "device_token"): UNKNOWN_DEVICE | OPTIONAL,
    ("logIn", "region"): OPTIONAL,
    ("register", "method"): OPTIONAL,
    ("logIn", "method"): OPTIONAL,
    ("stepUp", "method"): OPTIONAL,
    ("logOut", "everywhere"): {"true"},
    ("changeMe", "display_name"): PRINTABLE | OPTIONAL,
    ("changeMe", "email"): OPTIONAL,
    ("changeMe", "locale"): OPTIONAL,
    ("changePassword", "new_password"): PASSWORD_LIKE,
    # Whatever name is typed, it looks as if a code were on its way.
    ("forgotPassword", "identifier"): PRINTABLE - {"space"},
    **{("forgotPassword", field): OPTIONAL for field in ("region", "method")},
    ("resetPassword", "new_password"): PASSWORD_LIKE,
    ("resetPassword", "proof"): OPTIONAL,
}
# A wrong code that is looked at costs an attempt: these are tried apart from what must change nothing.
TRIED: dict[tuple[str, str], set[str]] = {
    ("verifyCode", "code"): {"sign", "exponent"},
    ("verifyCode", "method"): OPTIONAL,
    ("verifyCode", "trust_device"): {"true"},
    ("verifyCode", "device_name"): PRINTABLE | OPTIONAL,
}
# An optional body may be nothing, and null says the same.
NEEDS_NO_BODY = ("stepUp", "logOut", "changeMe", "renewRecoveryCodes")
TAKEN_BODIES = {(route, body) for route in NEEDS_NO_BODY for body in ("nothing", "null")}
