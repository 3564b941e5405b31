"""The servers as an operator starts and stops them, each in processes of its own."""

import signal
import socket
from pathlib import Path
from typing import Any

import httpx
from commands import PASSWORDS, SETTINGS, Server, in_new_process, running

from otp_auth.cli.data_dir import DataFolder
from otp_auth.tokens.keys import generate_key
from support.databases import SqliteTemplate
from support.valkey import ValkeyServer

NUMBER = "+46701740605"
PASSWORD = "Quiet-Harbour-Lantern-58"


def register(server: Server) -> None:
    credentials = {"phone_number": NUMBER, "password": PASSWORD}
    with httpx.Client(base_url=server.address, trust_env=False, timeout=10) as http:
        pending = http.post("/api/v1/auth/register", json=credentials).json()
        code = http.get("/sandbox/messages", params={"to": NUMBER}).json()[0]["code"]
        bearer = {"Authorization": f"Bearer {pending['pending_token']}"}
        answer = http.post("/api/v1/auth/otp/verify", json={"code": code}, headers=bearer)
    assert answer.status_code == httpx.codes.OK, answer.text


def password_is_accepted(server: Server) -> bool:
    credentials = {"identifier": NUMBER, "password": PASSWORD}
    answer = httpx.post(f"{server.address}/api/v1/auth/login", json=credentials, trust_env=False, timeout=10)
    return answer.status_code == httpx.codes.OK


def secrets_of(folder: Path) -> dict[str, bytes]:
    files = [folder / "secrets.json", *(folder / "keys").iterdir()]
    return {file.name: file.read_bytes() for file in files}


def test_dev_shows_everything_and_ends_when_asked(tmp_path: Path) -> None:
    with running("dev", "--data-dir", "data", cwd=tmp_path) as server:
        statuses = {
            path: server.get(path).status_code
            for path in (
                "/health",
                "/health/ready",
                "/docs",
                "/openapi.json",
                "/sandbox/",
                "/sandbox/messages",
            )
        }
        keys = server.get("/.well-known/jwks.json").json()["keys"]
        code = server.terminate()

    assert len(keys) == 2  # one signs, one is published ahead
    assert set(statuses.values()) == {200}, statuses
    assert code == 0
    printed = server.output.read_text()
    for address in ("/api/v1", "/docs", "/sandbox/"):
        assert f"{server.address}{address}" in printed
    assert "Traceback" not in printed


def test_dev_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    arguments = ("dev", "--data-dir", "data")

    with running(*arguments, cwd=tmp_path, **PASSWORDS) as server:
        register(server)
        before = secrets_of(tmp_path / "data")
        server.kill()
    with running(*arguments, cwd=tmp_path, **PASSWORDS) as server:
        is_known = password_is_accepted(server)
        messages = server.get("/sandbox/messages").json()
        code = server.terminate()

    assert is_known
    assert len(messages) == 2
    assert secrets_of(tmp_path / "data") == before
    assert code == 0


def test_serve_with_two_workers(
    tmp_path: Path, postgres_database: str, valkey: ValkeyServer, signing_keys: Path
) -> None:
    variables = {
        **SETTINGS,
        "OTP_AUTH_DATABASE_URL": postgres_database,
        "OTP_AUTH_REDIS_URL": valkey.url(),
        "OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(signing_keys),
    }

    with running("serve", "--workers", "2", cwd=tmp_path, ready="/health/ready", **variables) as server:
        ready: dict[str, Any] = server.get("/health/ready").json()
        docs = server.get("/docs").status_code
        code = server.terminate()

    assert ready["checks"] == {"database": "ok", "migrations": "ok", "redis": "ok"}
    assert docs == 404
    assert code == 0
    assert "Traceback" not in server.output.read_text()


def test_serve_hands_the_folder_of_dev_to_its_workers(
    tmp_path: Path, sqlite_template: SqliteTemplate
) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    sqlite_template.copy_to(folder.path)
    kid = generate_key(folder.path / "keys")

    arguments = ("serve", "--workers", "2", "--data-dir", "data")
    with running(*arguments, cwd=tmp_path, ready="/health/ready") as server:
        keys = server.get("/.well-known/jwks.json").json()["keys"]
        code = server.terminate()

    assert [key["kid"] for key in keys] == [kid]
    assert code == 0


def test_simulator_stands_alone(tmp_path: Path) -> None:
    with running("simulator", cwd=tmp_path, ready="/", **SETTINGS) as server:
        messages = server.get("/messages")
        code = server.terminate(signal.SIGINT)

    assert messages.json() == []
    assert code == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = in_new_process("simulator", "--port", port, cwd=tmp_path, **SETTINGS)

    assert answer.returncode == 1
    assert f"otp-auth: the server could not start on 127.0.0.1:{port}" in answer.stderr
    assert "address already in use" in answer.stderr
    assert "Traceback" not in answer.stderr
