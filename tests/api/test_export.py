"""GET /me/export: all that is stored about a person, and docs/personal-data.md says so of every column."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table

from conftest import NewService
from otp_auth.api.client_address import masked_address
from otp_auth.database import Base
from support.devices import ON, WIDE
from support.service import Json, Service, new_number
from support.whole_account import WholeAccount, rows_of, use_everything

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "personal-data.md").read_text(encoding="utf-8")
TABLES = {table.name: table for table in Base.metadata.sorted_tables}
# Whose columns are told one by one: what an account has, and itself.
OF_PEOPLE = {name for name, table in TABLES.items() if "user_id" in table.c} | {"users", "refresh_tokens"}
PATH = re.compile(r"`([a-z_]+)(\[\])?\.([a-z_]+)`")


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[Service]:
    async with new_service(send=WIDE, trusted_devices=ON) as running:
        yield running


async def export_of(service: Service, token: str) -> Json:
    answer = await service.get("/me/export", token)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def columns_on_the_page(table: str) -> dict[str, str]:
    """Each column of a table, and what the page says of it."""
    (section,) = re.findall(rf"^### `{table}`\n(.*?)(?=^###? |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE)
    told = [(name, what) for names, what in rows for name in re.findall(r"`(\w+)`", names)]
    assert len(dict(told)) == len(told), "a column stands there twice"
    return dict(told)


def as_written(column: str, value: Any) -> Any:
    """A stored value as answers write it."""
    if column == "network":
        return masked_address(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value


def belongs_to(row: dict[str, Any], table: Table, account: WholeAccount) -> bool:
    return bool(row["id" if table.name == "users" else "user_id"] == account.user_id)


class TestPage:
    def test_every_table_is_in_the_inventory(self) -> None:
        (inventory,) = re.findall(r"^## Inventory\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)

        assert set(re.findall(r"^\| `(\w+)` \|", inventory, re.MULTILINE)) == set(TABLES)

    def test_the_tables_of_people_are_told_column_by_column(self) -> None:
        assert set(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)) == OF_PEOPLE

    @pytest.mark.parametrize("table", sorted(OF_PEOPLE))
    def test_every_column_is_exported_or_not_for_a_reason(self, table: str) -> None:
        told = columns_on_the_page(table)

        assert set(told) == {column.name for column in TABLES[table].c}
        for column, what in told.items():
            assert PATH.fullmatch(what) or re.match(r"no: \w+", what), column


class TestExport:
    @pytest.mark.parametrize("table", sorted(OF_PEOPLE - {"refresh_tokens"}))
    async def test_what_the_page_says_is_in_it_and_is_what_is_stored(
        self, service: Service, table: str
    ) -> None:
        account = await use_everything(service)
        export = await export_of(service, account.token)

        rows = [
            row
            for row in await rows_of(service.database, TABLES[table])
            if belongs_to(row, TABLES[table], account)
        ]
        assert rows
        for column, what in columns_on_the_page(table).items():
            if path := PATH.fullmatch(what):
                part = export[path[1]]
                told = [item[path[3]] for item in (part if path[2] else [part])]
                stored = [as_written(column, row[column]) for row in rows]
                assert sorted(map(str, told)) == sorted(map(str, stored)), column

    async def test_nothing_secret_is_in_it(self, service: Service) -> None:
        account = await use_everything(service)
        text = (await service.get("/me/export", account.token)).text

        secret = {"password_hash", "digest", "previous_digest", "token_digest", "sealed_seed"}
        secret |= {"sealed_successor", "payload", "verification_id", "reference"}
        values = [
            value
            for table in OF_PEOPLE
            for row in await rows_of(service.database, TABLES[table])
            for column, value in row.items()
            if column in secret and isinstance(value, str) and len(value) > 1
        ]
        assert len(values) > 15
        assert [value for value in values if value in text] == []
        for token in (account.token, account.tokens["refresh_token"], account.others["refresh_token"]):
            assert token not in text

    async def test_refreshes_are_counted(self, service: Service) -> None:
        account = await use_everything(service)

        sessions = (await export_of(service, account.token))["sessions"]

        assert {session["id"]: session["refreshes"] for session in sessions}[
            account.others["session_id"]
        ] == 1
        assert sum(session["refreshes"] for session in sessions) == 1
        assert [session["id"] for session in sessions] == sorted(
            (session["id"] for session in sessions), reverse=True
        )

    async def test_of_others_nothing_is_in_it(self, service: Service) -> None:
        other = await use_everything(service)
        tokens = await service.register(new_number())

        answer = await service.get("/me/export", tokens["access_token"])

        assert not [name for name in other.names if name in answer.text]
        empty = ("devices", "wrong_codes", "password_resets", "challenges")
        assert {name: answer.json()[name] for name in empty} == {name: [] for name in empty}
        assert answer.json()["authenticator_app"] is None

    async def test_a_browser_saves_it_as_a_file(self, service: Service) -> None:
        tokens = await service.register(new_number())

        answer = await service.get("/me/export", tokens["access_token"])

        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-disposition"] == 'attachment; filename="otp-auth-export.json"'
        assert answer.headers["cache-control"] == "no-store"
