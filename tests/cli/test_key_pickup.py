"""Running workers take what `otp-auth keys` changes, without a restart and without a refusal."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
from commands import PATIENCE, SETTINGS, Server, in_new_process, running

from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.key_files import list_keys
from otp_auth.tokens.keys import generate_key, load_keys
from support.valkey import ValkeyServer

JWKS = "/.well-known/jwks.json"
ADDRESS = SETTINGS["OTP_AUTH_PUBLIC_URL"]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pending_token(directory: Path) -> str:
    """A token of the key that signs now, for a challenge that there never was."""
    tokens = Tokens(
        load_keys(directory),
        issuer=ADDRESS,
        audience=ADDRESS,
        client_id="first-party",
        access_lifetime=timedelta(minutes=10),
    )
    return tokens.issue_pending(challenge_id=uuid4(), expires_at=datetime.now(UTC) + timedelta(minutes=5))


def outcomes(server: Server, token: str) -> set[int]:
    """What several connections are answered: 410 for a token that holds, 401 for one that doesn't."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.address}/api/v1/auth/otp"
    return {httpx.get(url, headers=headers, trust_env=False, timeout=10).status_code for _ in range(10)}


def published(server: Server) -> list[str]:
    return [key["kid"] for key in server.get(JWKS).json()["keys"]]


def test_two_workers_follow_rotate_and_retire(
    tmp_path: Path, postgres_database: str, valkey: ValkeyServer, signing_keys: Path
) -> None:
    directory = tmp_path / "keys"
    shutil.copytree(signing_keys, directory)
    generate_key(directory)
    first, second = (entry.kid for entry in list_keys(directory))
    keys = {"OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(directory)}
    variables = {
        **SETTINGS,
        **keys,
        "OTP_AUTH_DATABASE_URL": postgres_database,
        "OTP_AUTH_REDIS_URL": valkey.url(),
    }

    with running("serve", "--workers", "2", cwd=tmp_path, ready="/health/ready", **variables) as server:

        def both_sign_with(kid: str) -> None:
            line = f'"signing keys changed", "request_id": null, "kid": "{kid}"'
            wait_until(lambda: server.output.read_text().count(line) >= 2)

        old = pending_token(directory)
        assert outcomes(server, old) == {410}

        rotated = in_new_process("keys", "rotate", cwd=tmp_path, **keys)
        # Signed at once, as by the worker that is first to learn of it.
        new = pending_token(directory)
        assert outcomes(server, new) == {410}
        both_sign_with(second)
        third = list_keys(directory)[2].kid
        assert outcomes(server, old) == outcomes(server, new) == {410}
        assert published(server) == [first, second, third]

        retired = in_new_process("keys", "retire", second, cwd=tmp_path, **keys)
        both_sign_with(third)
        assert outcomes(server, new) == {401}
        assert outcomes(server, old) == outcomes(server, pending_token(directory)) == {410}
        fourth = list_keys(directory)[3].kid
        wait_until(lambda: {tuple(published(server)) for _ in range(10)} == {(first, third, fourth)})
        code = server.terminate()

    assert (rotated.returncode, retired.returncode, code) == (0, 0, 0)
    assert "Traceback" not in server.output.read_text()
    assert "can't be read" not in server.output.read_text()
