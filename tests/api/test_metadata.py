"""What a library finds when it knows only the issuer (RFC 8414)."""

import pytest
from api_surface import operations

from conftest import NewService
from support.service import PUBLIC_URL, Service

METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


async def test_it_says_where_everything_is(service: Service) -> None:
    answer = await service.http.get(METADATA)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "issuer": PUBLIC_URL,
        "jwks_uri": f"{PUBLIC_URL}/.well-known/jwks.json",
        "response_types_supported": ["none"],
        "acr_values_supported": ["aal1", "aal2"],
        "introspection_endpoint": f"{PUBLIC_URL}/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "revocation_endpoint": f"{PUBLIC_URL}/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic"],
        "service_documentation": f"{PUBLIC_URL}/docs",
    }


async def test_there_is_something_at_every_address(service: Service) -> None:
    metadata = (await service.http.get(METADATA)).json()
    addresses = {value for name, value in metadata.items() if name.endswith(("_uri", "_endpoint"))}

    assert addresses <= {f"{PUBLIC_URL}{each.path}" for each in operations(service.app)}
    assert len(addresses) == 3
    assert (await service.http.get(metadata["service_documentation"])).status_code == 200


async def test_without_docs_none_are_named(new_service: NewService) -> None:
    async with new_service(docs=False) as service:
        metadata = (await service.http.get(METADATA)).json()

    assert "service_documentation" not in metadata


async def test_addresses_are_those_of_the_public_url(new_service: NewService) -> None:
    async with new_service(public_url="https://example.com/auth/") as service:
        headers = {
            "Host": "evil.example.net",
            "X-Forwarded-Host": "evil.example.net",
            "Forwarded": "host=evil",
        }
        metadata = (await service.http.get(METADATA, headers=headers)).json()

    assert metadata["issuer"] == "https://example.com/auth"
    assert metadata["jwks_uri"] == "https://example.com/auth/.well-known/jwks.json"
    assert "evil" not in str(metadata)


async def test_it_may_be_kept_and_asked_for_again(service: Service) -> None:
    first = await service.http.get(METADATA)
    etag = first.headers["etag"]

    again = [
        await service.http.get(METADATA, headers={"If-None-Match": condition})
        for condition in (etag, f"W/{etag}", f'"other", {etag}', "*")
    ]
    other = [
        await service.http.get(METADATA, headers={"If-None-Match": condition})
        for condition in ('"other"', "", '"', f'"x{etag}', etag.strip('"'))
    ]

    assert first.headers["cache-control"] == "public, max-age=300"
    assert [answer.status_code for answer in again] == [304] * 4
    assert {(answer.content, answer.headers["etag"]) for answer in again} == {(b"", etag)}
    assert {answer.headers["cache-control"] for answer in again} == {"public, max-age=300"}
    assert [answer.status_code for answer in other] == [200] * 5


async def test_the_document_shows_an_example_of_the_same_shape(service: Service) -> None:
    (operation,) = [each for each in operations(service.app) if each.name == "getMetadata"]
    described = operation.description["responses"]["200"]["content"]["application/json"]

    metadata = (await service.http.get(METADATA)).json()

    assert described["example"].keys() == metadata.keys()
    assert described["schema"]["required"] == ["issuer", "jwks_uri", "response_types_supported"]
    assert set(described["schema"]["properties"]) == metadata.keys()
