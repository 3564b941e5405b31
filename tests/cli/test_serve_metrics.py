"""Workers of `serve` count into a folder of their own, which goes when they do."""

import time
from pathlib import Path

import httpx
from commands import PATIENCE, SETTINGS, Server, running

from support.valkey import ValkeyServer

TOKEN = "mM0-8q3VfZ1hKbW5YcFJ0Y2dKd2ZsT3hQ"


def _ask(server: Server) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.get(f"{server.address}/metrics", headers=headers, trust_env=False, timeout=10)


def _wait_for_files(folder: Path, pattern: str, how_many: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(list(folder.glob(pattern))) < how_many:
        assert time.monotonic() < deadline, list(folder.rglob("*"))
        time.sleep(0.05)


def test_the_folder_of_two_workers(
    tmp_path: Path, postgres_database: str, valkey: ValkeyServer, signing_keys: Path
) -> None:
    variables = {
        **SETTINGS,
        "OTP_AUTH_DATABASE_URL": postgres_database,
        "OTP_AUTH_REDIS_URL": valkey.url(),
        "OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(signing_keys),
        "OTP_AUTH_METRICS_TOKEN": TOKEN,
        "TMPDIR": str(tmp_path),
    }

    with running("serve", "--workers", "2", cwd=tmp_path, ready="/health/ready", **variables) as server:
        _wait_for_files(tmp_path, "otp-auth-metrics-*/gauge_livesum_*.db", 2)
        answer = _ask(server)
        code = server.terminate()

    assert answer.status_code == httpx.codes.OK
    assert "otp_auth_sinch_breaker_open 0.0" in answer.text.splitlines()
    assert code == 0
    assert list(tmp_path.glob("otp-auth-metrics-*")) == []
    assert "Traceback" not in server.output.read_text()
