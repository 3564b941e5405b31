# ruff: noqa: INP001 - a script, not a package
"""Walks through a really started service, kills it the hard way, and looks whether everything is still there.

Needs the standard library only. Everything happens on 127.0.0.1 and in a temporary folder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT = 180  # the first start may have to make the environment
MESSAGE_TIMEOUT = 15
PHONE_NUMBER = "+46701740629"  # from a range kept free for fiction
PASSWORD = "Quiet-Harbour-Lantern-58"  # noqa: S105 - made up

Json = Any  # bodies differ from route to route; a missing member fails the walk
T = TypeVar("T")


class WalkError(Exception):
    """The service did something else than its contract says."""


def say(line: str) -> None:
    sys.stdout.write(f"smoke: {line}\n")
    sys.stdout.flush()


class Client:
    """Speaks to one started service."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: Json = None, token: str | None = None) -> tuple[int, Json]:
        """Return status and JSON of one request."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return response.status, json.loads(content) if content else None

    def expect(
        self, status: int, method: str, path: str, body: Json = None, token: str | None = None
    ) -> Json:
        """Return the answer's JSON, or fail with what came instead of `status`."""
        got, answer = self.ask(method, path, body, token)
        if got != status:
            raise WalkError(f"{method} {path} answered {got}, not {status}: {answer}")
        say(f"{method} {path.partition('?')[0]} {got}")
        return answer


def wait_for(what: str, seconds: float, look: Callable[[], T | None]) -> T:
    """Look again and again until there is something; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise WalkError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)
    return found


def newest_message(client: Client) -> Json:
    _, messages = client.ask("GET", "/sandbox/messages?" + urlencode({"to": PHONE_NUMBER}))
    return messages[0] if messages else None


def prove_phone(client: Client, pending: Json, before: Json) -> Json:
    """Answer with the code of the message that came after `before`."""
    if pending["status"] != "otp_required":
        raise WalkError(f"a code should be asked for, not: {pending}")

    def look() -> Json:
        message = newest_message(client)
        return message if message and message["id"] != (before or {}).get("id") else None

    message = wait_for("a message with a code", MESSAGE_TIMEOUT, look)
    answer = client.expect(
        200, "POST", "/api/v1/auth/otp/verify", {"code": message["code"]}, pending["pending_token"]
    )
    if answer["status"] != "authenticated":
        raise WalkError(f"the code was right, and yet: {answer}")
    return answer


def register(client: Client) -> Json:
    before = newest_message(client)
    body = {"phone_number": PHONE_NUMBER, "password": PASSWORD}
    return prove_phone(client, client.expect(202, "POST", "/api/v1/auth/register", body), before)


def log_in(client: Client) -> Json:
    before = newest_message(client)
    body = {"identifier": PHONE_NUMBER, "password": PASSWORD}
    return prove_phone(client, client.expect(200, "POST", "/api/v1/auth/login", body), before)


def refresh(client: Client, tokens: Json) -> Json:
    body = {"refresh_token": tokens["refresh_token"]}
    return client.expect(200, "POST", "/api/v1/auth/token/refresh", body)


def whose(client: Client, tokens: Json) -> str:
    """Return the id of the account behind the access token."""
    user = client.expect(200, "GET", "/api/v1/me", token=tokens["access_token"])
    if user["phone_number"] != PHONE_NUMBER:
        raise WalkError(f"somebody else's account: {user}")
    return str(user["id"])


def walk(client: Client) -> tuple[str, Json]:
    """Go from register to logout; return the account's id and the tokens of a second, living session."""
    tokens = register(client)
    account = whose(client, tokens)
    refreshed = refresh(client, tokens)
    if whose(client, refreshed) != account:
        raise WalkError("the refresh led to another account")
    other_session = log_in(client)
    client.expect(204, "POST", "/api/v1/auth/logout", token=refreshed["access_token"])
    client.expect(401, "GET", "/api/v1/me", token=refreshed["access_token"])
    return account, other_session


def walk_after_the_kill(client: Client, account: str, tokens: Json) -> None:
    """Fail unless session, account and password outlived the kill."""
    if whose(client, refresh(client, tokens)) != account:
        raise WalkError("the session from before the kill leads to another account")
    if whose(client, log_in(client)) != account:
        raise WalkError("the login after the kill leads to another account")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `./dev start` until the block ends; show its log if something went wrong."""
    command = ["./dev", "start", "--port", str(port), "--data-dir", str(folder / "data")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTP_AUTH_")}
    log = folder / "log"
    with log.open("wb") as output:
        service = subprocess.Popen(  # noqa: S603 - the repository's own command
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_healthy(service, port)
            yield service
        except BaseException:
            sys.stderr.write(log.read_text(errors="replace")[-20_000:])
            raise
        finally:
            end(service)


def wait_until_healthy(service: subprocess.Popen[bytes], port: int) -> None:
    began = time.monotonic()

    def look() -> bool | None:
        if service.poll() is not None:
            raise WalkError(f"./dev start ended with {service.returncode}")
        try:
            return Client(port).ask("GET", "/health")[0] == 200 or None  # noqa: PLR2004 - OK
        except (OSError, HTTPException):
            return None

    wait_for("/health", START_TIMEOUT, look)
    say(f"started in {time.monotonic() - began:.1f} s")


def end(service: subprocess.Popen[bytes]) -> None:
    """Stop the service kindly, and whatever it left in its session without asking."""
    if service.poll() is None:
        service.terminate()
        try:
            service.wait(30)
        except subprocess.TimeoutExpired:
            say("the service had to be killed: it did not stop within 30 s")
    try:
        os.killpg(service.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # all gone, as it should be
    finally:
        service.wait()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="otp-auth-smoke-") as name:
        folder, port = Path(name), free_port()
        with started(port, folder) as service:
            account, session = walk(Client(port))
            say("SIGKILL")
            service.kill()
            service.wait()
        with started(port, folder):
            walk_after_the_kill(Client(port), account, session)
    say("passed")


if __name__ == "__main__":
    try:
        main()
    except WalkError as error:
        sys.exit(f"smoke: FAILED: {error}")
