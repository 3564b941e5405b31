"""What docs/verify-tokens.md says is so."""

import json
import re

import jwt
import page
import pytest
import yaml
from running_examples import PACKAGES

from otp_auth.settings import Settings
from otp_auth.tokens.timing import JWKS_MAX_AGE
from support.service import PUBLIC_URL, Service, new_number

RUN = {"orders.py", "orders.mjs", "check.mjs"}
PARSED = {"jwt_authn.yaml"}
BY_HAND = {"gateway.conf"}
SHOWN = ["json", "http", "bash"]
TYPES = {"string": str, "string, a UUID": str, "integer, seconds since 1970": int, "array of strings": list}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


def test_each_example_is_run_or_said_not_to_be() -> None:
    names = [block.name for block in page.blocks() if block.name]

    assert sorted(names) == sorted(RUN | PARSED | BY_HAND)
    assert [block.language for block in page.blocks() if not block.name] == SHOWN


async def test_the_claims_are_those_of_a_token(service: Service) -> None:
    token = (await service.register(new_number()))["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    table = {row[0].strip("`"): row[1] for row in page.rows("What a token says")}
    (shown,) = [json.loads(block.code) for block in page.blocks() if block.language == "json"]

    assert table.keys() == claims.keys() == shown.keys()
    for name, kind in table.items():
        assert type(claims[name]) is type(shown[name]) is TYPES[kind], name
    assert shown["exp"] - shown["iat"] == claims["exp"] - claims["iat"] == 600
    assert (shown["amr"], shown["acr"]) == (claims["amr"], claims["acr"])
    assert jwt.get_unverified_header(token).keys() == {"alg", "typ", "kid"}


def test_every_setting_that_it_names_exists() -> None:
    names = set(re.findall(r"OTP_AUTH_([A-Z0-9_]+)", page.text()))

    assert names
    for name in names:
        section: object = Settings()
        for step in name.lower().split("__"):
            section = getattr(section, step)


def test_envoy_checks_what_the_page_says() -> None:
    parsed = yaml.safe_load(page.example("jwt_authn.yaml"))
    config = parsed["http_filters"][0]["typed_config"]
    (provider,) = config["providers"].values()
    keys = provider["remote_jwks"]

    assert provider["audiences"] == [PUBLIC_URL] == [provider["issuer"]]
    assert keys["http_uri"]["uri"] == f"{PUBLIC_URL}/.well-known/jwks.json"
    assert keys["http_uri"]["cluster"] == parsed["clusters"][0]["name"]
    assert keys["cache_duration"] == f"{JWKS_MAX_AGE.total_seconds():.0f}s"
    assert provider["clock_skew_seconds"] <= 60
    assert [header["name"] for header in provider["from_headers"]] == ["Authorization"]
    assert config["rules"][0]["requires"]["provider_name"] in config["providers"]


def test_node_packages_are_pinned_by_hash_and_name_no_address() -> None:
    lock = json.loads((PACKAGES / "package-lock.json").read_text())
    wanted = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    installed = {name: package for name, package in lock["packages"].items() if name}

    assert set(wanted) <= {name.removeprefix("node_modules/") for name in installed}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert all(package["integrity"].startswith("sha512-") for package in installed.values())
