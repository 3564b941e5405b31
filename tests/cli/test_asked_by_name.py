"""A page of the web whose name is made to lead to this machine reads no code: a browser tells the name."""

import asyncio
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from commands import SETTINGS
from starlette.types import ASGIApp
from typer.testing import CliRunner

from otp_auth.cli import application


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def app_of(monkeypatch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> ASGIApp:
    """Return what a command would serve."""
    served: list[ASGIApp] = []
    command = import_module(f"otp_auth.cli.{arguments[0]}")  # the package has functions of these names
    monkeypatch.setattr(command, "run", lambda app, *_: served.append(app))
    monkeypatch.setattr(command, "configure_logs", lambda _: None)
    answer = CliRunner().invoke(application, arguments, env=variables)
    assert answer.exit_code == 0, answer.output
    return served[0]


def status(app: ASGIApp, path: str, host: str) -> int:
    async def ask() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://any") as http:
            return (await http.get(path, headers={"Host": host})).status_code

    return asyncio.run(ask())


def test_dev(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    app = app_of(
        monkeypatch,
        "dev",
        *("--data-dir", str(data), "--host", "192.0.2.7"),
        OTP_AUTH_PUBLIC_URL="https://login.example.com",
    )

    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000", "192.0.2.7:8000", "Login.example.com"):
        assert status(app, "/sandbox/messages", host) == 200, host
    for path in ("/sandbox/messages", "/demo/", "/health"):
        assert status(app, path, "evil.example") == 400, path
    assert status(app, "/sandbox/messages", "127.0.0.1.evil.example") == 400


@pytest.mark.parametrize(
    ("host", "stranger"),
    [("127.0.0.1", 400), ("::1", 400), ("localhost", 400), ("0.0.0.0", 200), ("::", 200), ("192.0.2.7", 200)],  # noqa: S104 - nothing listens
)
def test_the_simulator(monkeypatch: pytest.MonkeyPatch, host: str, stranger: int) -> None:
    app = app_of(monkeypatch, "simulator", "--host", host, **SETTINGS)

    assert status(app, "/messages", "evil.example") == stranger
    for own in ("localhost:9100", "127.0.0.1:9100", "[::1]"):
        assert status(app, "/messages", own) == 200


def test_dev_for_everybody(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    app = app_of(monkeypatch, "dev", "--data-dir", str(data), "--host", "0.0.0.0")  # noqa: S104 - nothing listens

    assert status(app, "/sandbox/messages", "box.example") == 200
