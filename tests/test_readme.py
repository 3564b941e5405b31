"""The pages do what they say: their commands run, tables are complete, links lead somewhere."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest
from typer import Typer

from otp_auth.cli import application
from support.documents import ADDRESS, PAGES, ROOT, block, read, rows
from support.site import started_site

WALK_TIMEOUT = 60.0
EMPTY = "\N{EN DASH}"  # how the README writes "no default"
PASSWORD = "Quiet-Harbour-Lantern-58"
# The phone's number comes twice: as it was sent, and as the service knows it.
WALK = r"""1\. Register (?P<number>\+4670\d{7})
2\. The inbox has the code \d{4,}
3\. Verified
4\. I am (?P=number)
5\. Refreshed
6\. Logout answers 204
7\. /me now answers 401
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with started_site() as site:
        yield site.address


def paste(text: str) -> subprocess.CompletedProcess[str]:
    """Type into a shell that stops at the first failure; as in a terminal, the commands share its input."""
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(  # noqa: S603 - the README's own commands
        [bash, "-euo", "pipefail"],
        input=text,
        capture_output=True,
        text=True,
        timeout=WALK_TIMEOUT,
        check=False,
    )


class TestCommands:
    def test_the_walk_works_and_works_again(self, address: str) -> None:
        walk = block("docs/quick-start.md", "bash", "BASE=")
        assert walk.count(ADDRESS) == 1

        done = paste(walk.replace(ADDRESS, address) * 2)

        assert done.returncode == 0, done.stdout + done.stderr
        numbers = [match["number"] for match in re.finditer(WALK, done.stdout)]
        assert len(numbers) == 2, done.stdout
        assert re.sub(WALK, "", done.stdout) == ""
        assert numbers[0] != numbers[1]
        assert done.stderr == ""

    def test_the_end_that_it_shows_is_the_end_that_comes(self) -> None:
        assert re.search(WALK.split("\n", 5)[5], block("docs/quick-start.md", "text", "6."))

    def test_the_addresses_that_it_shows_are_printed(self, address: str) -> None:
        shown = block("README.md", "console", "$ ./dev start").splitlines()[1:]
        with started_site() as other:
            printed = other.process.log.splitlines()

        assert address != other.address
        assert len(shown) == 4
        assert {line.replace(ADDRESS, other.address) for line in shown} <= set(printed)

    def test_every_command_of_dev_exists(self) -> None:
        sh = shutil.which("sh")
        assert sh is not None
        listed = subprocess.run([sh, str(ROOT / "dev"), "help"], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
        known = set(re.findall(r"^ *\./dev ([\w-]+)", listed.stdout, re.MULTILINE))
        used = {name for page in PAGES for name in re.findall(r"\./dev ([\w-]+)", read(page))}

        assert {"start", "test", "check"} <= used <= known | {"help"}

    def test_every_command_of_the_service_exists(self) -> None:
        known = set(commands_of(application))
        used = {
            name
            for page in PAGES
            for name in re.findall(r"(?:`|run )otp-auth ((?:keys|users) [a-z-]+|[a-z]+)", read(page))
        }

        assert {"serve", "migrate", "keys generate"} <= used <= known


def commands_of(app: Typer, prefix: str = "") -> Iterator[str]:
    for command in app.registered_commands:
        assert command.callback is not None
        yield prefix + (command.name or command.callback.__name__)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands_of(group.typer_instance, f"{prefix}{group.name} ")


def register(address: str) -> dict[str, Any]:
    """Return Pending of a new registration, with the tokens that its code earns under `tokens`."""
    number = f"+4670{int(time.time() * 1000) % 10**7:07d}"
    with httpx.Client(base_url=address, trust_env=False) as http:
        form = {"phone_number": number, "password": PASSWORD}
        pending: dict[str, Any] = http.post("/api/v1/auth/register", json=form).json()
        code = http.get("/sandbox/messages", params={"to": number}).json()[0]["code"]
        bearer = {"Authorization": f"Bearer {pending['pending_token']}"}
        tokens = http.post("/api/v1/auth/otp/verify", json={"code": code}, headers=bearer).json()
        return pending | {"tokens": tokens}


class TestExampleForServices:
    def test_it_takes_an_access_token_and_no_other(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        example = block("docs/quick-start.md", "python", "import jwt")
        assert example.count(ADDRESS) == 1
        names: dict[str, Any] = {}
        exec(example.replace(ADDRESS, address), names)  # noqa: S102 - the README's own example
        account_of: Callable[[str], str] = names["account_of"]
        registered = register(address)

        assert account_of(registered["tokens"]["access_token"]) == registered["tokens"]["user"]["id"]
        for refused in (registered["pending_token"], registered["tokens"]["refresh_token"]):
            with pytest.raises(jwt.PyJWTError):
                account_of(refused)

    def test_the_kind_of_token_is_looked_at(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        example = block("docs/quick-start.md", "python", "import jwt").replace(ADDRESS, address)
        # Were the audience not looked at, a pending token would still be no access token.
        example = example.replace("AUDIENCE = ", "").replace("AUDIENCE", f'"{address}/otp"')
        names: dict[str, Any] = {}
        exec(example.replace('"exp", "sub"', '"exp"'), names)  # noqa: S102 - as above

        with pytest.raises(jwt.InvalidTokenError, match="not an access token"):
            names["account_of"](register(address)["pending_token"])


class TestTables:
    def test_every_setting_is_there_with_its_default(self) -> None:
        settings = re.findall(r"^#(OTP_AUTH_\w+)=(.*)$", read(".env.example"), re.MULTILINE)
        expected = [[f"`{name}`", f"`{default}`" if default else EMPTY] for name, default in settings]

        shown = rows("README.md", "Settings")
        assert [row[:2] for row in shown] == expected
        assert all(len(row) == 3 and row[2] for row in shown)


def leads_somewhere(page: str, target: str) -> bool:
    """Say whether the file exists, and in it the heading behind `#`."""
    name, _, anchor = target.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    if not anchor:
        return path.exists()
    headings = (
        re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else []
    )
    return anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


class TestLinks:
    @pytest.mark.parametrize("page", PAGES)
    def test_every_relative_link_leads_somewhere(self, page: str) -> None:
        targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", read(page)) if "://" not in target]

        assert [target for target in targets if not leads_somewhere(page, target)] == []

    @pytest.mark.parametrize("page", PAGES)
    def test_every_file_that_is_named_exists(self, page: str) -> None:
        roots = (ROOT, ROOT / "src", ROOT / "src" / "otp_auth")
        named = re.findall(r"`([a-z_./-]+(?:\.py|/))`", read(page))
        folders_of_others = {".otp-auth/", "keys/"}

        missing = [name for name in named if not any((root / name).exists() for root in roots)]
        assert set(missing) <= folders_of_others

    def test_every_function_that_architecture_names_exists(self) -> None:
        sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
        named = re.findall(r"`(?:\w+\.)?([A-Za-z]*[_A-Z]\w+)`", read("docs/architecture.md"))
        words = {name for name in named if not name.isupper()}

        assert [name for name in sorted(words) if not re.search(rf"\b{name}\b", sources)] == []
