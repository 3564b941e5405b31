import asyncio
import io
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import pytest
import time_machine
from loguru import logger
from pydantic import BaseModel, SecretStr, ValidationError

from otp_auth.logs import configure_logs, request_id
from otp_auth.redaction import LONGEST_TEXT, redact
from otp_auth.settings import Settings

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5"
CANARIES = {
    "phone": ("+46701234567", "70123456"),
    "phone in a URL": ("/messages?to=%2B46701234567", "70123456"),
    "phone with spaces": ("+46 70 123 45 67", "123 45"),
    "jwt": (JWT, "eyJzdWIi"),
    "bearer": ("Authorization: Bearer hunter2-value", "hunter2"),
    "application": ("Application 2b1c-key:c2lnbmF0dXJl+w==", "c2lnbmF0dXJl"),
    "basic": ("Basic Y2FuYXJ5OnB3", "Y2FuYXJ5"),
    "password pair": ("password=hunter2canary", "hunter2"),
    "json pair": ('{"new_password": "one hunter2 two"}', "hunter2"),
    "json in json": ('{\\"code\\": \\"482915\\"}', "482915"),
    "quoted pair": ("{'refresh_token': 'one hunter2 two'}", "hunter2"),
    "pair with stars": ("password=**hunter2", "hunter2"),
    "pair with a comma": ("password=one,hunter2", "hunter2"),
    "code": ("code: 482915", "482915"),
    "escaped quote": ('{"password": "one\\\\"hunter2"}', "hunter2"),
    "unended pair": ('{"password": "one hunter2', "hunter2"),
    "secret": ("application_secret = c2VjcmV0Y2FuYXJ5", "c2VjcmV0"),
    "camel case": ("applicationSecret=c2VjcmV0Y2FuYXJ5", "c2VjcmV0"),
    "database address": ("postgresql+asyncpg://auth:hunter2@db/auth", "hunter2"),
    "redis address": ("redis://:hunter2@cache:6379", "hunter2"),
    "hash": ("$bcrypt-sha256$v=2,t=2b,r=12$salt$hunter2", "hunter2"),
    "key": ("-----BEGIN PRIVATE KEY-----\nMIGHhunter2\n-----END PRIVATE KEY-----", "hunter2"),
    "refused value": ("[type=x, input_value='hunter2', input_type=str]", "hunter2"),
}
Lines = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    yield
    root.setLevel(before[0])
    root.handlers = before[1]
    logger.remove()
    logger.add(sys.stderr)


def _configure(environment: Literal["development", "production"]) -> Lines:
    stream = io.StringIO()
    configure_logs(Settings(environment=environment, log_level="DEBUG"), stream)
    return lambda: stream.getvalue().splitlines(keepends=False)


@pytest.fixture
def lines() -> Lines:
    return _configure("production")


@pytest.fixture
def text_lines() -> Lines:
    return _configure("development")


def _only(lines: Lines) -> dict[str, Any]:
    (line,) = lines()
    event: dict[str, Any] = json.loads(line)
    return event


def test_one_json_line_for_each_event(lines: Lines) -> None:
    token = request_id.set("request-1")
    with time_machine.travel(datetime(2026, 11, 24, 16, 23, 55, 120000, tzinfo=UTC), tick=False):
        logger.info("code sent", channel="sms", attempts=3, ratio=0.5, done=True, nothing=None)
    request_id.reset(token)

    assert _only(lines) == {
        "time": "2026-11-24T16:23:55.120Z",
        "level": "INFO",
        "logger": __name__,
        "message": "code sent",
        "request_id": "request-1",
        "channel": "sms",
        "attempts": 3,
        "ratio": 0.5,
        "done": True,
        "nothing": None,
    }


def test_no_request_no_id(lines: Lines) -> None:
    logger.info("started")

    assert _only(lines)["request_id"] is None


def test_one_readable_line_in_development(text_lines: Lines) -> None:
    logger.info("code sent", channel="sms")

    (line,) = text_lines()
    assert line.endswith(f"INFO     {__name__}: code sent channel='sms'")


@pytest.mark.parametrize(("canary", "secret"), CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("environment", ["production", "development"])
def test_no_canary_leaves(
    environment: Literal["development", "production"], canary: str, secret: str
) -> None:
    lines = _configure(environment)
    logger.info(
        canary.replace("{", "{{").replace("}", "}}"), detail=canary, nested={"list": [canary], canary: 1}
    )
    logger.bind(bound=canary.encode()).error("{}", canary)
    logging.getLogger("some.package").warning("said %s", canary)
    _raise_with(canary)

    written = "\n".join(lines())
    assert len(lines()) >= 4
    assert secret not in written


def _raise_with(canary: str) -> None:
    try:
        _fail(canary)
    except RuntimeError:
        logger.exception("failed")


def _fail(words: str) -> None:
    try:
        int(f"not a number: {words}")
    except ValueError as cause:
        raise RuntimeError(f"because of {words}") from cause


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "code", "token", "refresh_token", "secret", "Authorization", "Set-Cookie"],
)
def test_values_are_masked_by_name_whatever_they_are(lines: Lines, name: str) -> None:
    logger.info("event", **{name: "canary"}, nested={name: 482915}, listed=[{name: ["canary"]}])

    written = json.dumps(_only(lines))
    assert "canary" not in written
    assert "482915" not in written


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param("2026-11-24T16:23:55.120000+00:00", id="RFC 3339"),
        pytest.param("2026-11-24 16:23:55+0530", id="offset without colon"),
        pytest.param("Tue, 24 Nov 2026 16:23:55 GMT", id="RFC 9110"),
        pytest.param("0190b3c4-7f2e-7abc-8def-0123456789ab", id="UUID"),
        pytest.param("status code: 404", id="status code"),
        pytest.param("status_code=404", id="status code as a name"),
        pytest.param("token_type=Bearer", id="token type"),
        pytest.param("http://db.example.com:5432/auth", id="port"),
        pytest.param("1234567890123", id="milliseconds"),
        pytest.param("GET /api/v1/auth/otp/verify", id="route"),
        pytest.param("a password was changed", id="the word alone"),
    ],
)
def test_harmless_values_stay(harmless: str) -> None:
    assert redact(harmless) == harmless


def test_a_phone_number_keeps_its_last_two_digits() -> None:
    assert redact("sent to +46701234589.") == "sent to +***89."


def test_variables_are_not_shown_with_an_exception(lines: Lines) -> None:
    held = SecretStr("plain-canary").get_secret_value()
    try:
        assert len(held) == len("other") / 0
    except ZeroDivisionError:
        logger.exception("failed")

    event = _only(lines)
    assert event["exception"]["type"] == "ZeroDivisionError"
    assert "division by zero" in event["exception"]["traceback"]
    assert "'plain-canary'" not in event["exception"]["traceback"]


class _Body(BaseModel):
    password: int


def test_what_pydantic_refuses_is_not_quoted(lines: Lines) -> None:
    with pytest.raises(ValidationError) as refusal:
        _Body.model_validate({"password": "hunter2"})
    logger.opt(exception=refusal.value).error("unreadable")

    assert "hunter2" not in lines()[0]


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize(
    "forged",
    [
        "a\r\n2026 INFO forged",
        "a\x1b[2K\x1b[1Aforged",
        "a\u2028forged\u2029\x85forged",
        "a\0\x08\x7f\x9b",
        "a\u202eforged\u200b",
        "a\ud800",
        "{password} {0.__class__} {",
        "<red>forged</red> </> <",
    ],
    ids=["newlines", "ANSI", "separators", "controls", "bidi", "surrogate", "braces", "markup"],
)
def test_a_value_stays_on_its_line_and_means_nothing(
    environment: Literal["development", "production"], forged: str
) -> None:
    lines = _configure(environment)
    logger.info("event", agent=forged, **{"odd\nname": 1})
    logging.getLogger("uvicorn.error").warning(forged)
    logger.info("{}", forged)

    assert len(lines()) == 3
    assert all(line.isprintable() for line in lines())
    if environment == "production":
        assert json.loads(lines()[0])["agent"] == forged
        assert json.loads(lines()[1])["message"] == forged


def test_an_exception_does_not_forge_lines_in_development(text_lines: Lines) -> None:
    try:
        _fail("first\n2026-11-24 ERROR forged\x1b[31m")
    except RuntimeError:
        logger.exception("failed")

    first, *others = text_lines()
    assert first.endswith("failed")
    assert all(line.startswith("    | ") and line.isprintable() for line in others)


def test_fields_do_not_replace_ours(lines: Lines) -> None:
    logger.bind(level="NONE", message="forged", time="never", request_id="forged").info("event")

    event = _only(lines)
    assert (event["level"], event["message"], event["request_id"]) == ("INFO", "event", None)
    assert event["extra_message"] == "forged"


class _Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def test_whatever_can_not_be_serialised_is_described(lines: Lines) -> None:
    circle: list[object] = []
    circle.append(circle)
    logger.info(
        "event",
        hostile=_Hostile(),
        circle=circle,
        infinite=float("inf"),
        huge=10**5000,
        octets=b"\xff\0",
        many={1, 2},
        names={1: "one", None: "none"},
        secret_value=SecretStr("canary"),
        id=UUID(int=7),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    event = _only(lines)
    assert event["hostile"] == "<_Hostile>"
    assert event["infinite"] == "inf"
    assert event["names"] == {"1": "one", "None": "none"}
    assert event["id"] == str(UUID(int=7))
    assert event["at"] == "2026-01-01T00:00:00+00:00"


def test_an_endless_value_is_cut_off(lines: Lines) -> None:
    logger.info("event", value="x" * 10 * LONGEST_TEXT)

    assert len(_only(lines)["value"]) == LONGEST_TEXT


def test_an_event_that_fails_is_told_of_without_its_content(lines: Lines) -> None:
    class Broken(dict[str, object]):
        def items(self) -> Any:
            raise RuntimeError("canary")

    logger.info("canary", broken=Broken())

    assert _only(lines) == {"level": "ERROR", "message": "unprintable event", "cause": "RuntimeError"}


def test_a_closed_stream_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    configure_logs(Settings(environment="production"), stream)
    stream.close()
    logger.info("canary")

    assert capsys.readouterr().err == ""


def test_the_standard_library_is_routed(lines: Lines) -> None:
    try:
        _fail("gone")
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("server %s", "stopped")

    event = _only(lines)
    assert (event["logger"], event["level"], event["message"]) == ("uvicorn.error", "ERROR", "server stopped")
    assert event["exception"]["type"] == "RuntimeError"


def test_levels_of_other_packages(lines: Lines) -> None:
    for name in ("httpx", "httpcore", "sqlalchemy.engine", "aiosqlite", "asyncio"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("any.package").debug("chatter")
    logging.getLogger("uvicorn.access").critical("address with its query")
    assert lines() == []

    logging.getLogger("httpx").warning("problem")
    assert _only(lines)["level"] == "WARNING"


def test_arguments_that_do_not_fit_are_left_out(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if handler.__module__ == configure_logs.__module__]
    misfits: tuple[str, ...] = ("canary",)
    logging.getLogger("any.package").warning("no place for it", *misfits)

    assert _only(lines)["message"] == "no place for it"
    assert "canary" not in capsys.readouterr().err


def test_configuring_twice_writes_once() -> None:
    _configure("production")
    lines = _configure("production")
    logging.getLogger("any.package").warning("once")
    logger.info("once")

    assert len(lines()) == 2


async def test_each_task_has_its_own_request_id(lines: Lines) -> None:
    async def handle(identifier: str) -> None:
        request_id.set(identifier)
        await asyncio.sleep(0)
        logger.info("event")

    await asyncio.gather(*(handle(f"request-{number}") for number in range(3)))

    assert {json.loads(line)["request_id"] for line in lines()} == {"request-0", "request-1", "request-2"}


def test_masking_is_linear() -> None:
    started = time.perf_counter()
    for text in ("a" * 50_000, "-" * 50_000, '"' * 50_000, "+1" * 25_000, "password=" * 6000, "://" * 20_000):
        redact(text)

    assert time.perf_counter() - started < 1
