from importlib import import_module

import pytest
from simulator_client import KEY, SECRET
from typer.testing import CliRunner

from otp_auth.cli import application

URL = "http://127.0.0.1:8000/webhooks/sinch"


@pytest.mark.parametrize("url", ["", URL])
def test_the_command_says_where_callbacks_go(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    served: list[object] = []
    command = import_module("otp_auth.cli.simulator")  # the package has a function of that name
    monkeypatch.setattr(command, "run", lambda app, *_: served.append(app))
    monkeypatch.setattr(command, "configure_logs", lambda _: None)
    environment = {
        "OTP_AUTH_SINCH__APPLICATION_KEY": KEY,
        "OTP_AUTH_SINCH__APPLICATION_SECRET": SECRET,
        "OTP_AUTH_SIMULATOR__CALLBACK_URL": url,
    }

    answer = CliRunner().invoke(application, ["simulator"], env=environment)

    assert (answer.exit_code, len(served)) == (0, 1)
    assert ("callbacks go to" in answer.output) == bool(url)
    assert url in answer.output
