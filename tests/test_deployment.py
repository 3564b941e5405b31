"""The files that an operator starts from agree with the service and keep the promises made about them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from otp_auth.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = "docker-compose.yml"
PRODUCTION = "docker-compose.production.yml"
COMPOSE_FILES = [COMPOSE, PRODUCTION]
LOCK_FILES = sorted(path.name for path in (ROOT / "requirements").glob("*.lock"))
OURS = {"api", "migrate", "keys", "simulator"}

Services = dict[str, dict[str, Any]]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def services(name: str = COMPOSE) -> Services:
    found: Services = yaml.safe_load(read(name))["services"]
    return found


def settings_of(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, object]]:
    """Name each setting, at any level, with its type."""
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, f"{variable}__")
        else:
            yield variable, field.annotation


TYPES = dict(settings_of(Settings, "OTP_AUTH_"))
SETTING_NAMES = set(TYPES)


def instructions() -> list[tuple[str, str]]:
    """Split the Dockerfile into its instructions, comments left out and long lines joined."""
    lines = [line for line in read("Dockerfile").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(word.upper(), " ".join(rest.split())) for word, rest in words]


def arguments_of(instruction: str, *, in_final_stage: bool = False) -> list[str]:
    found = instructions()
    last_stage = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return [rest for word, rest in found[last_stage if in_final_stage else 0 :] if word == instruction]


class TestSettings:
    @pytest.mark.parametrize("name", [*COMPOSE_FILES, "Dockerfile", ".env.example"])
    def test_every_variable_that_is_named_is_a_setting(self, name: str) -> None:
        assert set(re.findall(r"\bOTP_AUTH_[A-Z0-9_]+", read(name))) <= SETTING_NAMES

    def test_the_example_lists_every_setting_once(self) -> None:
        listed = re.findall(r"^#(OTP_AUTH_\w+)=", read(".env.example"), re.MULTILINE)

        assert sorted(listed) == sorted(SETTING_NAMES)

    def test_the_example_changes_nothing_until_something_is_uncommented(self) -> None:
        assert [line for line in read(".env.example").splitlines() if line and not line.startswith("#")] == []

    def test_the_example_shows_the_defaults(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # away from a developer's own .env
        for name in SETTING_NAMES:
            monkeypatch.delenv(name, raising=False)
        defaults = load_settings()
        for name, value in re.findall(r"^#(OTP_AUTH_\w+)=(.+)$", read(".env.example"), re.MULTILINE):
            monkeypatch.setenv(name, value)

        assert load_settings() == defaults

    def test_every_setting_is_explained(self) -> None:
        lines = read(".env.example").splitlines()
        for place, line in enumerate(lines):
            if line.startswith("#OTP_AUTH_"):
                assert lines[place - 1].startswith(("# ", "#OTP_AUTH_")), line


class TestDockerfile:
    def test_the_base_is_a_choice_and_the_tools_stay_in_their_stage(self) -> None:
        stages = arguments_of("FROM")

        assert instructions()[0][0] == "ARG"
        assert len(stages) >= 2
        assert all(stage.split()[0] == "${BASE_IMAGE}" for stage in stages)
        final_runs = arguments_of("RUN", in_final_stage=True)
        assert not any(re.search(r"\b(pip|apt|apk|hatchling)\b", run) for run in final_runs)

    def test_it_runs_as_a_number_other_than_root(self) -> None:
        users = arguments_of("USER", in_final_stage=True)

        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1])

    def test_packages_are_held_by_hashes(self) -> None:
        commands = [part for run in arguments_of("RUN") for part in run.split("&&") if " install " in part]
        installs = [part for part in commands if "pip" in part]

        assert installs
        for install in installs:
            assert "--require-hashes" in install or "--no-deps --no-index" in install, install

    def test_what_it_copies_reaches_the_builder(self) -> None:
        allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
        copied = [copy.split()[:-1] for copy in arguments_of("COPY") if not copy.startswith("--from")]

        assert read(".dockerignore").splitlines()[1] == "*"
        assert {source for sources in copied for source in sources} == allowed

    def test_nothing_is_fetched_from_an_address(self) -> None:
        assert arguments_of("ADD") == []
        assert "://" not in read("Dockerfile")

    def test_it_says_how_it_lives_and_dies(self) -> None:
        assert "/health/live" in arguments_of("HEALTHCHECK", in_final_stage=True)[0]
        assert arguments_of("STOPSIGNAL", in_final_stage=True) == ["SIGTERM"]
        assert arguments_of("ENTRYPOINT", in_final_stage=True) == ['["otp-auth"]']
        assert arguments_of("CMD")[-1] == '["serve", "--host", "0.0.0.0", "--port", "8000"]'


class TestCompose:
    def test_the_stack_is_complete(self) -> None:
        assert set(services()) == {*OURS, "postgres", "valkey"}
        assert set(services(PRODUCTION)) == set(services())

    def test_plain_up_starts_everything_and_production_leaves_the_simulator_out(self) -> None:
        assert not any("profiles" in service for service in services().values())
        profiles = {name: service.get("profiles") for name, service in services(PRODUCTION).items()}
        assert {name: found for name, found in profiles.items() if found} == {"simulator": ["dev"]}

    def test_whoever_is_waited_for_can_be_waited_for(self) -> None:
        stack = services()
        for service in stack.values():
            for name, wait in service.get("depends_on", {}).items():
                if wait["condition"] == "service_healthy":
                    assert "test" in stack[name]["healthcheck"], name
                else:
                    assert wait["condition"] == "service_completed_successfully"
                    assert "restart" not in {**stack[name], **services(PRODUCTION)[name]}, name

    def test_nobody_waits_in_a_circle(self) -> None:
        waiting = {name: set(service.get("depends_on", {})) for name, service in services().items()}
        while free := {name for name, others in waiting.items() if not others & set(waiting)}:
            waiting = {name: others for name, others in waiting.items() if name not in free}

        assert waiting == {}

    def test_the_api_waits_for_schema_keys_and_stores(self) -> None:
        waits = {name: wait["condition"] for name, wait in services()["api"]["depends_on"].items()}

        assert waits == {
            "migrate": "service_completed_successfully",
            "keys": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        }

    @pytest.mark.parametrize("name", sorted(OURS))
    def test_our_containers_may_do_next_to_nothing(self, name: str) -> None:
        service = services()[name]

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a path in the container

    def test_no_door_is_open_to_the_network(self) -> None:
        ports = [port for service in services().values() for port in service.get("ports", [])]

        assert ports
        assert all(port.startswith("127.0.0.1:") for port in ports)

    def test_images_name_a_version(self) -> None:
        images = [service["image"] for service in services().values()]

        assert all(re.search(r":(?!latest)[\w.-]+$", image) for image in images)
        assert ":latest" not in read("Dockerfile")

    def test_production_demands_every_secret(self) -> None:
        environment = services(PRODUCTION)["api"]["environment"]
        secrets = {name for name in services()["api"]["environment"] if TYPES[name] is SecretStr}

        assert environment["OTP_AUTH_ENVIRONMENT"] == "production"
        assert secrets > {"OTP_AUTH_SECRET_KEY", "OTP_AUTH_DATABASE_URL"}
        for name in secrets - {"OTP_AUTH_REDIS_URL"}:  # which needs none inside the stack
            assert ":?" in environment[name], name

    @pytest.mark.parametrize("name", ["api", "migrate", "keys"])
    def test_no_development_secret_stays_in_production(self, name: str) -> None:
        base, overlay = services()[name]["environment"], services(PRODUCTION)[name]["environment"]
        merged = {**base, **overlay}

        assert [variable for variable, value in merged.items() if ":-" in str(value)] == [
            "OTP_AUTH_TRUSTED_PROXIES",
            "OTP_AUTH_CORS_ORIGINS",
        ]


class TestLockFiles:
    @pytest.mark.parametrize("name", LOCK_FILES)
    def test_every_package_is_pinned_with_hashes_and_no_address_is_named(self, name: str) -> None:
        lock = read(f"requirements/{name}")
        packages = [line for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)]

        assert "://" not in lock
        assert "index" not in re.findall(r"^-+([a-z]+)", lock, re.MULTILINE)
        assert packages
        for package in packages:
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+.*\\$", package), package
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(packages)

    def test_tests_run_on_what_production_runs_on(self) -> None:
        pins = {
            name: set(re.findall(r"^(\S+==\S+)", read(f"requirements/{name}"), re.MULTILINE))
            for name in LOCK_FILES
        }

        assert pins["runtime.lock"] <= pins["dev.lock"]
