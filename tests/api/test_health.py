"""Is it alive, and can it work."""

import pytest
from api_surface import problem_of
from sqlalchemy import text

from conftest import NewService
from otp_auth import __version__
from support.service import Service
from support.valkey import ValkeyServer


@pytest.mark.parametrize("path", ["/health", "/health/live"])
async def test_a_living_service_says_so_with_its_version(service: Service, path: str) -> None:
    answer = await service.http.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


async def test_a_service_with_all_it_needs_is_ready(service: Service) -> None:
    answer = await service.http.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}}


async def test_redis_is_asked_where_there_is_one(new_service: NewService, valkey: ValkeyServer) -> None:
    async with new_service(redis_url=valkey.url(8)) as service:
        answer = await service.http.get("/health/ready")

    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "redis": "ok"}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE alembic_version SET version_num = '0000'", id="behind"),
        pytest.param("DELETE FROM alembic_version", id="empty"),
        pytest.param("DROP TABLE alembic_version", id="never migrated"),
    ],
)
async def test_a_schema_that_is_behind_is_named(service: Service, statement: str) -> None:
    async with service.database.write() as tx:
        await tx.execute(text(statement))

    answer = await service.http.get("/health/ready")

    problem = problem_of(answer)
    assert (answer.status_code, problem["code"]) == (503, "not_ready")
    assert problem["missing"] == ["migrations"]
    assert "migrations" in problem["detail"]
