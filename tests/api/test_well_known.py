"""The public keys."""

import shutil
from pathlib import Path

import jwt
import pytest

from conftest import NewService
from otp_auth.tokens.keys import generate_key
from support.service import PUBLIC_URL, Service, new_number

JWKS = "/.well-known/jwks.json"
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


async def test_the_keys_are_public_and_complete(service: Service) -> None:
    keys = (await service.http.get(JWKS)).json()["keys"]

    assert len(keys) == 1
    assert keys[0].keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (keys[0]["alg"], keys[0]["use"], keys[0]["kty"]) == ("ES256", "sig", "EC")


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_no_private_member_is_published(
    new_service: NewService, signing_keys: Path, tmp_path: Path, algorithm: str
) -> None:
    folder = tmp_path / "keys"
    shutil.copytree(signing_keys, folder)
    generate_key(folder, algorithm)  # type: ignore[arg-type]  # pytest hands out plain text
    async with new_service(tokens={"signing_keys_dir": folder}) as service:
        keys = (await service.http.get(JWKS)).json()["keys"]

    assert [key["alg"] for key in keys] == ["ES256", algorithm]
    assert not [key for key in keys if key.keys() & PRIVATE_MEMBERS]


async def test_another_service_can_check_an_access_token(service: Service) -> None:
    tokens = await service.register(new_number())
    published = jwt.PyJWKSet.from_dict((await service.http.get(JWKS)).json())
    key = published[jwt.get_unverified_header(tokens["access_token"])["kid"]]

    claims = jwt.decode(
        tokens["access_token"], key, algorithms=["ES256"], audience=PUBLIC_URL, issuer=PUBLIC_URL
    )

    assert claims["sub"] == tokens["user"]["id"]


async def test_the_keys_may_be_kept_and_asked_for_again(service: Service) -> None:
    first = await service.http.get(JWKS)
    etag = first.headers["etag"]

    again = [
        await service.http.get(JWKS, headers={"If-None-Match": condition})
        for condition in (etag, f"W/{etag}", f'"other", {etag}', f'"with,comma",{etag}', "*")
    ]

    assert first.headers["cache-control"] == "public, max-age=300"
    assert [answer.status_code for answer in again] == [304] * 5
    assert {answer.content for answer in again} == {b""}
    assert {answer.headers["etag"] for answer in again} == {etag}
    assert {answer.headers["cache-control"] for answer in again} == {"public, max-age=300"}


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param('"other"', id="other"),
        pytest.param("", id="empty"),
        pytest.param('"', id="quote"),
        pytest.param("ETAG", id="without quotes"),
        pytest.param('"xETAG"', id="a part of another"),
        pytest.param('"x,ETAG,x"', id="inside of another"),
    ],
)
async def test_other_keys_are_sent_whole(service: Service, condition: str) -> None:
    etag = (await service.http.get(JWKS)).headers["etag"].strip('"')
    condition = condition.replace("ETAG", etag)
    answer = await service.http.get(JWKS, headers={"If-None-Match": condition})

    assert answer.status_code == 200
    assert answer.json()["keys"]
