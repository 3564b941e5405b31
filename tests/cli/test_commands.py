"""What each command says, and how it ends: 0 done, 1 refused with clear lines, 2 misuse."""

import sqlite3
import stat
from pathlib import Path

import commands
import pytest
from commands import SETTINGS, Run, assert_refused, in_new_process
from typer.testing import CliRunner

from otp_auth import migrations
from otp_auth.cli import application
from otp_auth.cli.data_dir import DataFolder
from otp_auth.tokens.keys import generate_key
from support.databases import SqliteTemplate, sqlite_url
from support.postgres import PostgresServer

run, launcher = commands.run, commands.launcher

KEYS = ["keys generate", "keys list", "keys rotate", "keys retire unknown"]
USERS = [f"users {name} nobody" for name in ("show", "lock", "unlock", "sessions", "revoke-sessions")]
COMMANDS = ["dev", "serve", "migrate", "simulator", "doctor", "purge", "keys", *KEYS, "users", *USERS]
ON_A_FOLDER = ["serve", "migrate", "migrate --check", "doctor", "purge", *KEYS, *USERS]


class TestHelp:
    def test_of_the_whole(self, tmp_path: Path) -> None:
        answer = in_new_process("--help", cwd=tmp_path)

        assert (answer.returncode, answer.stderr) == (0, "")
        assert all(
            name in answer.stdout for name in ("dev", "serve", "migrate", "simulator", "purge", "keys")
        )

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_each(self, command: str) -> None:
        answer = CliRunner().invoke(application, [*command.split(), "--help"])

        assert answer.exit_code == 0
        assert "Usage:" in answer.output


class TestMisuse:
    def test_an_unknown_option(self, tmp_path: Path) -> None:
        answer = in_new_process("serve", "--nonsense", cwd=tmp_path)

        assert (answer.returncode, answer.stdout) == (2, "")
        assert "Traceback" not in answer.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            "nonsense",
            "",
            "keys",
            "keys nonsense",
            "users",
            "users nonsense",
            "users show",
            "users lock one two",
            "keys retire",
            "serve --port 0",
            "serve --port 65536",
            "serve --port http",
            "serve --workers 0",
            "dev argument",
            "migrate --to",
            "simulator --data-dir x",
        ],
    )
    def test_exits_with_2(self, arguments: str) -> None:
        answer = CliRunner().invoke(application, arguments.split())

        assert answer.exit_code == 2


@pytest.fixture
def serving(sqlite_database: str, signing_keys: Path) -> dict[str, str]:
    """Settings with which `serve` would start."""
    return {
        **SETTINGS,
        "OTP_AUTH_DATABASE_URL": sqlite_database,
        "OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(signing_keys),
    }


class TestServeRefuses:
    def test_missing_settings(self, run: Run, tmp_path: Path) -> None:
        answer = run("serve", cwd=tmp_path)

        assert_refused(
            answer,
            "OTP_AUTH_SECRET_KEY is missing",
            "OTP_AUTH_SINCH__APPLICATION_KEY and OTP_AUTH_SINCH__APPLICATION_SECRET are needed",
            "OTP_AUTH_DATABASE_URL is missing",
            "OTP_AUTH_PUBLIC_URL is missing",
            "OTP_AUTH_SEND__COUNTRIES is empty",
        )

    def test_unsafe_production(self, run: Run, tmp_path: Path, serving: dict[str, str]) -> None:
        unsafe = {
            "OTP_AUTH_SINCH__BASE_URL": "http://sinch.test",
            "OTP_AUTH_SINCH__APPLICATION_SECRET": "visible-secret",
            "OTP_AUTH_RATE_LIMITS__ENABLED": "false",
        }

        answer = run("serve", "--workers", "2", cwd=tmp_path, **serving | unsafe)

        assert_refused(
            answer,
            "OTP_AUTH_SINCH__APPLICATION_SECRET is not base64",
            "OTP_AUTH_SINCH__BASE_URL must be https",
            "SQLite serves one worker only",
        )
        assert "visible-secret" not in answer.stderr

    def test_a_schema_that_is_behind(self, run: Run, tmp_path: Path, serving: dict[str, str]) -> None:
        url = sqlite_url(tmp_path / "empty.sqlite3")
        (tmp_path / "empty.sqlite3").touch()

        answer = run("serve", cwd=tmp_path, **serving | {"OTP_AUTH_DATABASE_URL": url})

        assert_refused(answer, f"not at {migrations.head()}: run `otp-auth migrate`")

    def test_no_signing_keys(self, run: Run, tmp_path: Path, serving: dict[str, str]) -> None:
        empty = {"OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(tmp_path / "none")}

        answer = run("serve", cwd=tmp_path, **serving | empty)

        assert_refused(answer, "run `otp-auth keys generate`")

    def test_a_database_that_does_not_exist(
        self, run: Run, tmp_path: Path, serving: dict[str, str], postgres: PostgresServer
    ) -> None:
        away = {"OTP_AUTH_DATABASE_URL": postgres.url("never-made")}

        answer = run("serve", cwd=tmp_path, **serving | away)

        assert_refused(answer, "the database can't be used (DBAPIError): see OTP_AUTH_DATABASE_URL")


class TestMigrate:
    def test_up_and_check(self, run: Run, tmp_path: Path) -> None:
        variables = {"OTP_AUTH_DATABASE_URL": sqlite_url(tmp_path / "new" / "folder" / "x.sqlite3")}

        before = run("migrate", "--check", cwd=tmp_path, **variables)
        up = run("migrate", cwd=tmp_path, **variables)
        after = run("migrate", "--check", cwd=tmp_path, **variables)

        assert_refused(before, "the schema stands at nothing")
        assert [up.returncode, after.returncode] == [0, 0]
        assert up.stdout == after.stdout == f"The schema stands at {migrations.head()}.\n"

    def test_check_makes_no_file(self, run: Run, tmp_path: Path) -> None:
        database = tmp_path / "x.sqlite3"

        answer = run("migrate", "--check", cwd=tmp_path, OTP_AUTH_DATABASE_URL=sqlite_url(database))

        assert_refused(
            answer, f"the schema stands at nothing, not at {migrations.head()}: run `otp-auth migrate`"
        )
        assert not database.exists()

    def test_a_revision_that_does_not_exist(self, run: Run, tmp_path: Path, sqlite_database: str) -> None:
        answer = run("migrate", "--to", "nonsense", cwd=tmp_path, OTP_AUTH_DATABASE_URL=sqlite_database)

        assert_refused(answer, "Can't locate revision identified by 'nonsense'")


def test_no_keys_are_no_failure(run: Run, tmp_path: Path) -> None:
    answer = run("keys", "list", cwd=tmp_path)

    assert (answer.returncode, answer.stdout) == (0, "")
    assert "run `otp-auth keys generate`" in answer.stderr


class TestPurge:
    def test_counts(self, run: Run, tmp_path: Path, sqlite_database: str) -> None:
        answer = run("purge", cwd=tmp_path, OTP_AUTH_DATABASE_URL=sqlite_database)

        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout == (
            "challenges: 0, sessions: 0, seals: 0, resets in force: 0, budgets: 0, cooldowns: 0, "
            "conversions: 0, known networks: 0, password resets: 0, unconfirmed apps: 0, "
            "provider events: 0, devices: 0, device seals: 0, audit events: 0, outgoing events: 0\n"
        )

    def test_a_database_without_a_schema(self, run: Run, tmp_path: Path) -> None:
        answer = run("purge", cwd=tmp_path, OTP_AUTH_DATABASE_URL=sqlite_url(tmp_path / "x.sqlite3"))

        assert_refused(answer, "the database can't be used (OperationalError)")


def test_simulator_without_credentials(run: Run, tmp_path: Path) -> None:
    assert_refused(run("simulator", cwd=tmp_path), "OTP_AUTH_SINCH__APPLICATION_SECRET are missing")


class TestDataDir:
    def test_of_another_making(self, run: Run, tmp_path: Path) -> None:
        answer = run("purge", "--data-dir", str(tmp_path), cwd=tmp_path)

        assert_refused(answer, "was not made by `otp-auth dev`")

    @pytest.mark.parametrize("command", ON_A_FOLDER)
    def test_of_another_making_is_left_alone(self, tmp_path: Path, command: str) -> None:
        answer = CliRunner().invoke(application, [*command.split(), "--data-dir", str(tmp_path)])

        assert answer.exit_code == 1
        assert f"{tmp_path} was not made by `otp-auth dev`" in answer.output
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param("", id="empty"),
            pytest.param("[]", id="list"),
            pytest.param('{"secret_key": "visible"}', id="half"),
            pytest.param('{"secret_key": "visi', id="cut short"),
        ],
    )
    def test_with_damaged_secrets(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "secrets.json").write_text(content)

        answer = CliRunner().invoke(application, ["keys", "list", "--data-dir", str(tmp_path)])

        assert answer.exit_code == 1
        assert "secrets.json can't be read: restore it" in answer.output
        assert "visible" not in answer.output

    def test_that_can_not_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")

        answer = CliRunner().invoke(application, ["dev", "--data-dir", str(tmp_path / "file" / "folder")])

        assert answer.exit_code == 1
        assert "can't be written (Not a directory)" in answer.output

    def test_commands_work_on_it(self, run: Run, tmp_path: Path) -> None:
        folder = DataFolder(tmp_path / "data")
        folder.prepare()
        arguments = ("--data-dir", "data")

        migrated = run("migrate", *arguments, cwd=tmp_path)
        key = run("keys", "generate", *arguments, cwd=tmp_path)

        assert (migrated.returncode, key.returncode) == (0, 0)
        assert {path.name for path in folder.path.iterdir()} == {"secrets.json", "keys", "otp-auth.sqlite3"}
        assert stat.S_IMODE(folder.secrets_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


class TestDevRefuses:
    @pytest.mark.parametrize(
        ("variable", "value", "words"),
        [
            pytest.param("SECRET_KEY", "visible", "OTP_AUTH_SECRET_KEY is weak", id="weak secret"),
            pytest.param("RATE_LIMITS__CODES", "visible", "OTP_AUTH_RATE_LIMITS__CODES can't be", id="rate"),
        ],
    )
    def test_unsafe_settings_of_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
    ) -> None:
        monkeypatch.setenv(f"OTP_AUTH_{variable}", value)

        answer = CliRunner().invoke(application, ["dev", "--data-dir", str(tmp_path)])

        assert answer.exit_code == 1
        assert words in answer.output
        assert "visible" not in answer.output

    def test_production(self, run: Run, tmp_path: Path) -> None:
        answer = run("dev", "--data-dir", "data", cwd=tmp_path, OTP_AUTH_ENVIRONMENT="production")

        assert_refused(answer, "`otp-auth dev` is not for production")
        assert not (tmp_path / "data" / "otp-auth.sqlite3").exists()

    def test_a_database_of_a_newer_version(
        self, run: Run, tmp_path: Path, sqlite_template: SqliteTemplate
    ) -> None:
        folder = tmp_path / "data"
        DataFolder(folder).prepare()
        url = sqlite_template.copy_to(folder)
        _set_revision(folder / "otp-auth.sqlite3", "9999")

        answer = run("dev", "--data-dir", str(folder), cwd=tmp_path, OTP_AUTH_DATABASE_URL=url)

        assert_refused(answer, "Can't locate revision identified by '9999'")

    def test_a_key_whose_file_is_gone(
        self, run: Run, tmp_path: Path, sqlite_template: SqliteTemplate
    ) -> None:
        folder = tmp_path / "data"
        DataFolder(folder).prepare()
        sqlite_template.copy_to(folder)
        kid = generate_key(folder / "keys")
        (folder / "keys" / f"{kid}.pem").unlink()

        answer = run("dev", "--data-dir", str(folder), cwd=tmp_path)

        assert_refused(answer, "can't be read: restore it from a backup")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        pytest.param(
            "SINCH__TIMEOUT", "visible", "OTP_AUTH_SINCH__TIMEOUT: this can't be read", id="duration"
        ),
        pytest.param("SINCH__TIMEOUT", "9" * 20, "OTP_AUTH_SINCH__TIMEOUT: this", id="endless duration"),
        pytest.param("SINCH__TIMEOUT", "9" * 10, "OTP_AUTH_SINCH__TIMEOUT: Input", id="long duration"),
        pytest.param("ENVIRONMENT", "visible", "OTP_AUTH_ENVIRONMENT: Input should be", id="word"),
        pytest.param("TRUSTED_PROXIES", "visible", "OTP_AUTH_TRUSTED_PROXIES: Input is not", id="network"),
        pytest.param(
            "SEND__RESEND_GAP", "60,visible", "OTP_AUTH_SEND__RESEND_GAP: Input", id="list of numbers"
        ),
        pytest.param("CHALLENGE__ATTEMPTS", "6", "OTP_AUTH_CHALLENGE__ATTEMPTS: Input", id="out of bounds"),
        pytest.param("SINCH", "visible", "OTP_AUTH_SINCH: this must be a JSON object", id="no JSON"),
        pytest.param(
            "SINCH",
            '{"application_secret": ["visible"]}',
            "OTP_AUTH_SINCH__APPLICATION_SECRET: Input should be a valid string",
            id="secret that is no text",
        ),
        pytest.param(
            "SERVICE_CLIENTS",
            '{"gateway": ["visible"]}',
            "OTP_AUTH_SERVICE_CLIENTS: Input should be a valid string",
            id="secret of a client that is no text",
        ),
        pytest.param(
            "SERVICE_CLIENTS", "visible", "OTP_AUTH_SERVICE_CLIENTS: this can't be read", id="no clients"
        ),
        pytest.param(
            "DATABASE_URL", "visible", "OTP_AUTH_DATABASE_URL can't be read: write", id="database address"
        ),
        pytest.param(
            "DATABASE_URL",
            "postgresql://otp:visible@db/otp",
            "OTP_AUTH_DATABASE_URL can't be read: write postgresql+asyncpg",
            id="database driver",
        ),
    ],
)
def test_errors_name_the_variable_and_never_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"OTP_AUTH_{variable}", value)

    answer = CliRunner().invoke(application, ["purge"])

    assert answer.exit_code == 1
    assert f"otp-auth: {words}" in answer.output
    assert "visible" not in answer.output


def _set_revision(database: Path, revision: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
