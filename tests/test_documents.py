"""The pages of docs/ that aren't the README: their code runs against a started service."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.documents import ADDRESS, ROOT, block, read
from support.npm import NODE
from support.site import started_site

TIMEOUT = 60.0
FRONTEND = "docs/integrate-a-frontend.md"
# What a person and a page do with the examples.
WALK = """
import { call, logIn, Problem, register, sendCode, verify, whereItStands } from "./auth.mjs";
import { screenOf } from "./code-screen.mjs";
import { withRecentProof } from "./step-up.mjs";

const [, , site, number] = process.argv;
const PASSWORD = "Quiet-Harbour-Lantern-58";
const codeOf = async () =>
  (await (await fetch(`${site}/sandbox/messages?to=${encodeURIComponent(number)}`)).json())[0].code;
const refusalOf = (promise) => promise.then(() => null, (refusal) => refusal);

const pending = await register(number, PASSWORD);
const screen = screenOf(await whereItStands(pending));
const code = await codeOf();
const wrong = await refusalOf(verify(pending, code === "000000" ? "000001" : "000000"));
const soon = await refusalOf(sendCode(pending, "sms"));
const tokens = await verify(pending, code);
const again = await logIn(number, PASSWORD);
const byRecoveryCode = await verify(again, tokens.recovery_codes[0], "recovery_code");
const me = await call("GET", "/me", { token: byRecoveryCode.access_token });
const recoveryCodes = (token) => call("POST", "/me/recovery-codes", { token });
const fresh = await withRecentProof(recoveryCodes, tokens.access_token, () => codeOf());
const asked = [];
const once = (token) => {
  asked.push(token);
  if (asked.length > 1) return recoveryCodes(token);
  throw new Problem({ code: "insufficient_user_authentication", detail: "" }, null);
};
await withRecentProof(once, tokens.access_token, codeOf);
console.log(JSON.stringify({
  screen,
  wrong: [wrong.code, wrong.status, wrong.attempts_left, wrong.retryAfter],
  soon: [soon.code, soon.retryAfter > 0],
  number: me.phone_number,
  fresh: fresh.recovery_codes.length,
  elevated: asked[0] === tokens.access_token && asked[1] !== asked[0],
}));
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with started_site() as site:
        yield site.address


def run_node(folder: Path, script: str, *arguments: str) -> Any:
    """Run a script beside the modules of the page, and return what it prints."""
    for name in ("auth.mjs", "code-screen.mjs", "step-up.mjs"):
        (folder / name).write_text(block(FRONTEND, "javascript", f"// {name}").replace(ADDRESS, arguments[0]))
    (folder / "walk.mjs").write_text(script)
    done = subprocess.run(  # noqa: S603 - the page's own code
        [NODE, "walk.mjs", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestFrontend:
    def test_the_modules_lead_through_a_login(self, address: str, tmp_path: Path) -> None:
        said = run_node(tmp_path, WALK, address, "+46701740601")

        screen = said.pop("screen")
        assert said == {
            "wrong": ["wrong_code", 400, 2, None],
            "soon": ["resend_too_soon", True],
            "number": "+46701740601",
            "fresh": 10,
            "elevated": True,
        }
        assert (screen["numeric"], screen["length"], screen["triesLeft"]) == (True, 6, 3)
        assert 0 < screen["waitsFor"] <= 60
        assert 60 < screen["endsIn"] <= 300
        assert screen["line"]

    def test_every_delivery_and_channel_has_words(self, tmp_path: Path) -> None:
        shapes = json.loads(read("docs/openapi.json"))["components"]["schemas"]
        example = shapes["Pending"]["examples"][0]
        states = shapes["Challenge"]["properties"]["delivery"]["enum"]
        channels = shapes["SendBody"]["properties"]["method"]["enum"]
        script = """
            import { mayBeSent, screenOf } from "./code-screen.mjs";
            const [, , , given] = process.argv;
            const { pending, states, channels } = JSON.parse(given);
            const shown = (changes) =>
              screenOf({ ...pending, challenge: { ...pending.challenge, ...changes } });
            console.log(JSON.stringify({
              lines: states.map((delivery) => shown({ delivery }).line ?? null),
              labels: shown({ next_methods: channels }).buttons.map(({ label }) => label ?? null),
              spent: [shown({ sends_left: 0 }).waitsFor, shown({ resend_at: null }).waitsFor],
              past: shown({ resend_at: "2020-01-01T00:00:00.000Z" }).waitsFor,
              app: screenOf({ ...pending, challenge: null }).others,
              held: ["12345 ", "123456"].map((typed) => mayBeSent(typed, shown({}))),
              anyLength: ["", "1234"].map((typed) => mayBeSent(typed, shown({ code_length: null }))),
            }));
        """

        given = {"pending": example, "states": states, "channels": channels}
        said = run_node(tmp_path, script, ADDRESS, json.dumps(given))

        assert all(said["lines"])
        assert len(said["labels"]) == len(channels)
        assert all(said["labels"])
        assert (said["spent"], said["past"], said["app"]) == ([None, None], 0, ["recovery_code"])
        assert (said["held"], said["anyLength"]) == ([False, True], [False, True])


class TestQuickStart:
    def test_the_list_of_numbers_is_there(self, address: str) -> None:
        command = block("docs/quick-start.md", "bash", "curl").replace(ADDRESS, address)
        curl = shutil.which("curl")
        assert curl is not None

        printed = subprocess.run(  # noqa: S603 - the page's own command
            [curl, *shlex.split(command)[1:]], capture_output=True, text=True, timeout=TIMEOUT, check=True
        ).stdout

        assert {"never_delivered", "provider_down"} <= {each["behaviour"] for each in json.loads(printed)}

    def test_a_provider_that_is_down_is_seen_as_the_page_says(self, address: str) -> None:
        with httpx.Client(base_url=f"{address}/api/v1/auth", trust_env=False) as http:
            form = {"phone_number": "+46701740666", "password": "Quiet-Harbour-Lantern-58"}
            pending = http.post("/register", json=form).json()
            bearer = {"Authorization": f"Bearer {pending['pending_token']}"}

            refused = http.post("/otp/send", json={"method": "sms"}, headers=bearer)

        assert pending["challenge"]["delivery"] in {"failed", "unknown"}
        assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")


class TestProduction:
    def test_the_commands_before_the_first_start_work(self, tmp_path: Path) -> None:
        commands = block("docs/production.md", "bash", "./dev run otp-auth keys").splitlines()
        settings = {
            "OTP_AUTH_ENVIRONMENT": "development",
            "OTP_AUTH_PUBLIC_URL": ADDRESS,
            "OTP_AUTH_DATABASE_URL": "sqlite+aiosqlite:///service.db",
            "OTP_AUTH_SECRET_KEY": "a-secret-of-the-tests-0123456789-abcdef",
        }
        shown = [command.removeprefix("./dev run otp-auth ").split() for command in commands]

        assert [each[0] for each in shown] == ["keys", "migrate", "doctor", "serve"]
        for arguments in shown[:2]:
            done = subprocess.run(  # noqa: S603 - the page's own commands
                [sys.executable, "-m", "otp_auth", *arguments],
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], **settings},
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            assert done.returncode == 0, done.stderr

    def test_the_workers_of_the_page_are_taken(self) -> None:
        assert "--workers 2" in block("docs/production.md", "bash", "./dev run otp-auth keys")

    def test_what_doctor_says_is_what_sinch_setup_quotes(self) -> None:
        sources = "".join(path.read_text() for path in (ROOT / "src/otp_auth/cli").glob("*.py"))
        rows = [line for line in read("docs/sinch-setup.md").splitlines() if line.startswith("| `S")]

        quoted = [row.split("`")[1].partition(" (")[0] for row in rows]
        assert len(quoted) >= 4
        assert [words for words in quoted if words not in sources] == []
