"""Forgeries of the claims, signed with our own key: only what is wrong in a claim can refuse them."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from forged_payloads import PAYLOADS, with_members

from support.forgery import GONE, Forgery, Json, Mint, read_segment

LEEWAY = 5  # seconds
A_MINUTE = 60
A_YEAR = 365 * 24 * 3600
Changes = Callable[[Mint], Json]


def _iat(mint: Mint) -> int:
    """About now."""
    return int(mint.claims["iat"])


def _changed(changes: Changes) -> Forgery:
    return lambda mint: mint.forge(claims=changes(mint))


def _all(changes: dict[str, Changes]) -> dict[str, Forgery]:
    return {name: _changed(each) for name, each in changes.items()}


def _set(name: str, value: object) -> Forgery:
    return lambda mint: mint.forge(claims={name: value})


def _made_of(name: str, known: Callable[[Mint], Any], make: Callable[[Any], object]) -> Forgery:
    """Make one claim of what is known."""
    return lambda mint: mint.forge(claims={name: make(known(mint))})


def _needed(*names: str) -> dict[str, Forgery]:
    missing = {f"{name} missing": _set(name, GONE) for name in names}
    return missing | {f"{name} null": _set(name, None) for name in names}


def _odd_ids(name: str) -> dict[str, Forgery]:
    """A claim that must be an id, in the one spelling that we write."""
    spellings: dict[str, Callable[[str], object]] = {
        "no UUID": lambda _: "ada",
        "empty": lambda _: "",
        "a number": lambda _: 7,
        "in a list": lambda known: [known],
        "in an object": lambda known: {"id": known},
        "a URN": lambda known: f"urn:uuid:{known}",
        "in braces": lambda known: f"{{{known}}}",
        "without hyphens": lambda known: known.replace("-", ""),
        "in capitals": lambda known: known.upper() if known.upper() != known else f"{known} ",
        "with a space": lambda known: f"{known} ",
        "with NUL": lambda known: f"{known}\0",
        "with SQL": lambda known: f"{known}' OR 1=1 --",
        "in other digits": lambda known: known.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
    }
    return {
        f"{name} {how}": _made_of(name, lambda mint: mint.claims[name], spell)
        for how, spell in spellings.items()
    }


def _odd_moments(name: str) -> dict[str, Forgery]:
    """A claim that must be a time: whole seconds since 1970."""
    values: dict[str, Callable[[int], object]] = {
        "as text": str,
        "with a fraction": lambda later: later + 0.5,
        "as a float": float,
        "true": lambda _: True,
        "in a list": lambda later: [later],
        "negative": lambda _: -1,
        "beyond the calendar": lambda _: 10**18,
        "of 400 digits": lambda _: 10**400,
    }
    return {f"{name} {how}": _made_of(name, _iat, make) for how, make in values.items()}


def _claims_of_other_kind(changes: Changes) -> Forgery:
    """Our typ, and what the other kind of token says."""
    return lambda mint: mint.forge(
        claims=json.dumps(read_segment(mint.of_other_kind.split(".")[1]) | changes(mint)).encode()
    )


ISSUER_AND_AUDIENCE: dict[str, Changes] = {
    "iss another": lambda _: {"iss": "https://evil.example.com"},
    "iss with a slash": lambda mint: {"iss": f"{mint.claims['iss']}/"},
    "iss that begins as ours": lambda mint: {"iss": f"{mint.claims['iss']}.evil.example.com"},
    "iss that ours begins with": lambda mint: {"iss": mint.claims["iss"][:-1]},
    "iss that contains ours": lambda mint: {"iss": f"https://evil.example.com/?{mint.claims['iss']}"},
    "iss in capitals": lambda mint: {"iss": mint.claims["iss"].upper()},
    "iss by http": lambda mint: {"iss": mint.claims["iss"].replace("https", "http")},
    "iss with its port": lambda mint: {"iss": f"{mint.claims['iss']}:443"},
    "iss with a space": lambda mint: {"iss": f" {mint.claims['iss']}"},
    "iss in a list": lambda mint: {"iss": [mint.claims["iss"]]},
    "iss empty": lambda _: {"iss": ""},
    "aud another": lambda _: {"aud": "https://evil.example.com"},
    "aud with a slash": lambda mint: {"aud": f"{mint.claims['aud']}/"},
    "aud that begins as ours": lambda mint: {"aud": f"{mint.claims['aud']}.evil.example.com"},
    "aud that ours begins with": lambda mint: {"aud": mint.claims["aud"][:-1]},
    "aud in capitals": lambda mint: {"aud": mint.claims["aud"].upper()},
    "aud in a list": lambda mint: {"aud": [mint.claims["aud"]]},
    "aud among others": lambda mint: {"aud": [mint.claims["aud"], "https://evil.example.com"]},
    "aud list empty": lambda _: {"aud": []},
    "aud an object": lambda mint: {"aud": {mint.claims["aud"]: True}},
    "aud empty": lambda _: {"aud": ""},
    "aud of the other kind": lambda mint: {"aud": read_segment(mint.of_other_kind.split(".")[1])["aud"]},
}
TIMES: dict[str, Changes] = {
    "expired": lambda mint: {"iat": _iat(mint) - A_YEAR, "exp": _iat(mint) - LEEWAY - 1},
    "expired a year ago": lambda mint: {"iat": _iat(mint) - 2 * A_YEAR, "exp": _iat(mint) - A_YEAR},
    "expired in 1970": lambda _: {"exp": 0},
    "iat in the future": lambda mint: {"iat": _iat(mint) + A_MINUTE},
    "iat in a year": lambda mint: {"iat": _iat(mint) + A_YEAR, "exp": _iat(mint) + 2 * A_YEAR},
    "nbf in the future": lambda mint: {"nbf": _iat(mint) + A_MINUTE},
    "nbf as text": lambda mint: {"nbf": str(_iat(mint))},
    "nbf true": lambda _: {"nbf": True},
}
EVERY_KIND: dict[str, Forgery] = {
    **_needed("iss", "aud", "exp", "iat", "jti"),
    **_all(ISSUER_AND_AUDIENCE),
    **_all(TIMES),
    **_odd_moments("exp"),
    **_odd_moments("iat"),
    **_odd_ids("jti"),
    **PAYLOADS,
    "the other kind of token": lambda mint: mint.of_other_kind,
    "typ of the other kind": lambda mint: mint.forge({"typ": _other_typ(mint)}),
    "claims of the other kind": _claims_of_other_kind(lambda _: {}),
    "claims of the other kind, our aud": _claims_of_other_kind(lambda mint: {"aud": mint.claims["aud"]}),
}


def _other_typ(mint: Mint) -> object:
    return read_segment(mint.of_other_kind.split(".")[0])["typ"]


def _others(mint: Mint) -> Json:
    return read_segment(mint.of_somebody_else.split(".")[1])


# Well signed, and the ids don't belong together: only the database can refuse these.
IDS: dict[str, Forgery] = _all(
    {
        "sub of somebody else, our sid": lambda mint: {"sub": _others(mint)["sub"]},
        "sid of somebody else, our sub": lambda mint: {"sid": _others(mint)["sid"]},
        "sub of nobody": lambda _: {"sub": str(uuid4())},
        "sid of nobody": lambda _: {"sid": str(uuid4())},
        "sid for a sub": lambda mint: {"sub": mint.claims["sid"], "sid": mint.claims["sub"]},
        "zeros for a sub": lambda _: {"sub": "00000000-0000-0000-0000-000000000000"},
    }
)
ACCESS: dict[str, Forgery] = {
    **EVERY_KIND,
    **IDS,
    **_needed("sub", "sid", "client_id", "auth_time", "amr", "acr"),
    **_odd_ids("sub"),
    **_odd_ids("sid"),
    **_odd_moments("auth_time"),
    **_all(
        {
            "client_id a number": lambda _: {"client_id": 1},
            "client_id empty": lambda _: {"client_id": ""},
            "amr as text": lambda _: {"amr": "mfa"},
            "amr of numbers": lambda _: {"amr": [1]},
            "acr in a list": lambda _: {"acr": ["aal2"]},
        }
    ),
    "two sub": with_members(before=b'"sub":"forged"'),
    "two sid": with_members(after=b'"sid":"forged"'),
}
PENDING: dict[str, Forgery] = {
    **EVERY_KIND,
    **_needed("challenge_id"),
    **_odd_ids("challenge_id"),
    "two challenge_id": with_members(before=b'"challenge_id":"forged"'),
}
