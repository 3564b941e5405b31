"""What `otp-auth doctor` finds, line by line, and when it says no."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import commands
import pytest
from commands import SETTINGS, Answer, Run, running
from starlette.responses import Response
from typer.testing import CliRunner

from otp_auth import migrations
from otp_auth.accounts.models import User
from otp_auth.challenges.models import Challenge, CodeMaker, Purpose
from otp_auth.cli import application
from otp_auth.cli.data_dir import DataFolder
from otp_auth.database import Database
from otp_auth.factors.models import TotpAuthenticator
from otp_auth.factors.totp import Seeds, new_seed
from otp_auth.identifiers import new_id
from otp_auth.sealing import Sealer
from otp_auth.sending.channels import Channel
from otp_auth.tokens.keys import generate_key
from support.databases import SqliteTemplate, sqlite_url
from support.ports import free_port
from support.service import new_number
from support.simulator import RunningSimulator, served
from support.valkey import ValkeyServer

run, launcher = commands.run, commands.launcher

Doctor = Callable[..., Awaitable[Answer]]
LONG_AGO = timedelta(days=31)


@pytest.fixture
def healthy(database_url: str, signing_keys: Path, simulator: RunningSimulator) -> dict[str, str]:
    """Settings of a service that is well, with a simulator that answers."""
    return {
        **SETTINGS,
        "OTP_AUTH_ENVIRONMENT": "development",
        "OTP_AUTH_DATABASE_URL": database_url,
        "OTP_AUTH_TOKENS__SIGNING_KEYS_DIR": str(signing_keys),
        "OTP_AUTH_SINCH__BASE_URL": simulator.base_url,
    }


@pytest.fixture
def doctor(run: Run, tmp_path: Path, healthy: dict[str, str]) -> Doctor:
    """Run it with some settings otherwise. In a thread: the simulator answers in this event loop."""

    async def ask(**changed: str) -> Answer:
        variables = healthy | {f"OTP_AUTH_{name}": value for name, value in changed.items()}
        return await asyncio.to_thread(run, "doctor", cwd=tmp_path, **variables)

    return ask


def lines(answer: Answer, level: str) -> list[str]:
    assert "Traceback" not in answer.stderr
    return [line.removeprefix(level).strip() for line in answer.stdout.splitlines() if line.startswith(level)]


def the_only_unsafe(answer: Answer) -> str:
    (line,) = lines(answer, "unsafe")
    assert (answer.returncode, answer.stderr) == (1, "")
    return line


async def send(
    url: str, *makers: CodeMaker, channel: Channel = Channel.SMS, ago: timedelta = timedelta()
) -> None:
    """Write down messages that went out, the newest last."""
    then = datetime.now(UTC) - ago
    database = Database(url)
    for maker in makers:
        challenge = Challenge(
            purpose=Purpose.REGISTER,
            phone_number=new_number(),
            method=channel,
            verification_method=channel,
            verification_id=str(new_id()),
            code_maker=maker,
            attempts_left=3,
            sends_left=3,
            created_at=then,
            expires_at=then,
            pending_until=then,
        )
        async with database.write() as tx:
            tx.add(challenge)
    await database.close()


async def test_all_is_well(doctor: Doctor) -> None:
    answer = await doctor()

    assert (answer.returncode, answer.stderr) == (0, "")
    assert lines(answer, "unsafe") == []
    assert {line.split()[0] for line in answer.stdout.splitlines()} == {"ok", "note"}
    good = lines(answer, "ok")
    for words in (
        "the settings are fit for development",
        f"the database answers, its schema stands at {migrations.head()}",
        "access tokens are signed by ",
        "Sinch takes our application's key and secret",
        "no proxy is trusted",
        "somebody who has the password guesses a code within a year with odds of 0.00097: 973 guesses",
        "while the owner never logs in the odds end at 5e-05: 50 wrong codes in a row",
        "0.365 guessed registrations a year",
    ):
        assert any(line.startswith(words) for line in good), words
    assert lines(answer, "note") == [
        "no text or call went out of late: whether Sinch's callbacks arrive isn't known yet",
        "without callbacks the odds would be 0.093: 10,000 codes of Sinch's (sms)",
    ]


class TestApps:
    @pytest.fixture
    def database_url(self, sqlite_database: str) -> str:
        return sqlite_database

    async def enrol(self, url: str, secret: str) -> None:
        """Write down somebody with an app whose seed this secret has sealed."""
        now, user_id = datetime.now(UTC), new_id()
        seed = Seeds(Sealer(secret)).seal(new_seed(), user_id)
        database = Database(url)
        async with database.write() as tx:
            tx.add(
                User(
                    id=user_id,
                    phone_number=new_number(),
                    phone_verified_at=now,
                    password_hash="none",
                    created_at=now,
                )
            )
            await tx.flush()
            tx.add(TotpAuthenticator(user_id=user_id, sealed_seed=seed, created_at=now, confirmed_at=now))
        await database.close()

    async def test_a_seed_that_nobody_can_open_is_unsafe(self, doctor: Doctor, database_url: str) -> None:
        await self.enrol(database_url, "a-secret-that-was-forgotten-9876543210")

        assert the_only_unsafe(await doctor()).startswith(
            "1 authenticator apps can't be used: another secret"
        )
        known = await doctor(PREVIOUS_SECRET_KEYS="a-secret-that-was-forgotten-9876543210")
        assert known.returncode == 0
        assert any(line.startswith("1 seeds of authenticator apps are") for line in lines(known, "note"))

    async def test_the_odds_of_an_account_with_an_app(self, doctor: Doctor, database_url: str) -> None:
        await self.enrol(database_url, SETTINGS["OTP_AUTH_SECRET_KEY"])

        [line] = [line for line in lines(await doctor(), "note") if "authenticator app" in line]
        assert "within a year are 0.0029: 3 of 1,000,000 codes" in line


class TestOdds:
    @pytest.fixture
    def database_url(self, sqlite_database: str) -> str:
        return sqlite_database

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            pytest.param({"GUESSES__CODES_30_DAYS": "83"}, "1010 guesses among 1,000,000", id="30 days"),
            pytest.param(
                {"GUESSES__CODES_30_DAYS": "9999"}, "odds of 0.018: 18250 guesses", id="50 a day alone"
            ),
            pytest.param({"GUESSES__YEARLY_ODDS": "0.0009"}, "the limit is 0.0009", id="a lower limit"),
            pytest.param({"SEND__METHODS": "sms,whatsapp"}, "10,000 codes (whatsapp)", id="whatsapp"),
            pytest.param(
                {"SEND__METHODS_BY_COUNTRY": '{"IN": ["whatsapp", "sms"]}'},
                "10,000 codes (whatsapp)",
                id="whatsapp for one country",
            ),
        ],
    )
    async def test_too_good_for_a_guesser(self, doctor: Doctor, changed: dict[str, str], words: str) -> None:
        assert words in the_only_unsafe(await doctor(**changed))

    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"GUESSES__CODES_30_DAYS": "82"}, id="just within"),
            pytest.param({"GUESSES__CODES_30_DAYS": "83", "GUESSES__YEARLY_ODDS": "0.0011"}, id="limit"),
            pytest.param({"GUESSES__CODES_30_DAYS": "9999", "GUESSES__CODES_DAY": "2"}, id="another window"),
            pytest.param(
                {"SEND__METHODS": "sms,whatsapp", "SINCH__CODE_TYPE": "alphanumeric"}, id="whatsapp letters"
            ),
        ],
    )
    async def test_bad_enough(self, doctor: Doctor, changed: dict[str, str]) -> None:
        answer = await doctor(**changed)

        assert (answer.returncode, lines(answer, "unsafe")) == (0, [])


class TestCallbacks:
    async def test_that_arrive(self, doctor: Doctor, database_url: str) -> None:
        await send(database_url, CodeMaker.SINCH, CodeMaker.SINCH, *[CodeMaker.WE] * 20)
        await send(database_url, CodeMaker.SINCH, channel=Channel.FLASHCALL)  # always Sinch's
        await send(database_url, CodeMaker.WE, channel=Channel.VOICE)

        answer = await doctor()

        assert answer.returncode == 0
        expected = "Sinch's callbacks arrive: the last 20 texts and calls carried codes of our own"
        assert expected in lines(answer, "ok")

    async def test_that_do_not(self, doctor: Doctor, database_url: str) -> None:
        await send(database_url, CodeMaker.WE, CodeMaker.SINCH)

        answer = await doctor()

        assert "odds of 0.093: 973 guesses among 10,000 codes (sms)" in the_only_unsafe(answer)
        (words,) = lines(answer, "note")
        assert "of the last 2 texts and calls 1 carried a code of Sinch's" in words

    async def test_that_did_not_long_ago(self, doctor: Doctor, database_url: str) -> None:
        await send(database_url, CodeMaker.SINCH, ago=LONG_AGO)

        assert (await doctor()).returncode == 0

    async def test_letters_make_up_for_them_in_texts_alone(self, doctor: Doctor, database_url: str) -> None:
        await send(database_url, CodeMaker.SINCH)

        with_calls = await doctor(SINCH__CODE_TYPE="alphanumeric")
        texts = await doctor(SINCH__CODE_TYPE="alphanumeric", SEND__METHODS="sms")

        assert "10,000 codes (voice)" in the_only_unsafe(with_calls)
        assert texts.returncode == 0
        assert any(
            "odds of 0.00058: 973 guesses among 1,679,616 codes (sms)" in line for line in lines(texts, "ok")
        )


class TestUnsafe:
    @pytest.fixture
    def database_url(self, sqlite_database: str) -> str:
        return sqlite_database

    async def test_a_shield_that_only_watches(self, doctor: Doctor) -> None:
        answer = await doctor(SEND__MODE="watch")

        assert answer.returncode == 0
        assert any("only watches" in line for line in lines(answer, "note"))

    async def test_devices_in_place_of_the_second_factor(self, doctor: Doctor) -> None:
        off, on = await doctor(), await doctor(TRUSTED_DEVICES__ENABLED="true")

        assert (off.returncode, on.returncode) == (0, 0)
        told = [any("SP 800-63B-4 5.1" in line for line in lines(answer, "note")) for answer in (off, on)]
        assert told == [False, True]

    async def test_a_reason_not_to_start(self, doctor: Doctor) -> None:
        assert the_only_unsafe(await doctor(SECRET_KEY="visible")).startswith("OTP_AUTH_SECRET_KEY is weak")

    @pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
    async def test_everybody_is_a_proxy(self, doctor: Doctor, network: str) -> None:
        answer = await doctor(TRUSTED_PROXIES=f"10.0.0.0/8,{network}")

        assert the_only_unsafe(answer).startswith(f"OTP_AUTH_TRUSTED_PROXIES names {network}:")

    async def test_some_proxies_are_safe(self, doctor: Doctor) -> None:
        answer = await doctor(TRUSTED_PROXIES="10.0.0.0/8,fd00::/8")

        assert answer.returncode == 0
        assert "2 networks of proxies are trusted to name the caller" in lines(answer, "ok")

    @pytest.mark.parametrize("authentication", ["signed", "basic"])
    async def test_credentials_that_sinch_refuses(self, doctor: Doctor, authentication: str) -> None:
        other = "BAECAwQFBgcICQoLDA0ODw=="

        answer = await doctor(SINCH__APPLICATION_SECRET=other, SINCH__AUTHENTICATION=authentication)

        assert the_only_unsafe(answer).startswith("Sinch refuses our application (401")
        assert other not in answer.stdout

    async def test_no_credentials(self, doctor: Doctor) -> None:
        answer = await doctor(SINCH__APPLICATION_KEY="")

        assert "OTP_AUTH_SINCH__APPLICATION_SECRET are needed" in the_only_unsafe(answer)

    @pytest.mark.parametrize("url", ["http://[", "https://a b", "nonsense"])
    async def test_an_address_that_is_none(self, doctor: Doctor, url: str) -> None:
        answer = await doctor(SINCH__BASE_URL=url)

        assert "Traceback" not in answer.stderr
        assert "OTP_AUTH_SINCH__BASE_URL" in answer.stdout

    async def test_sinch_is_away(self, doctor: Doctor) -> None:
        nobody = f"https://127.0.0.1:{free_port()}"

        developing = await doctor(SINCH__BASE_URL=nobody)
        serving = await doctor(SINCH__BASE_URL=nobody, ENVIRONMENT="production")

        assert developing.returncode == 0
        assert lines(developing, "note")[0].startswith("Sinch gives no usable answer")
        assert the_only_unsafe(serving).startswith("Sinch gives no usable answer")

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            pytest.param(
                402, '{"errorCode": 40200}', "Sinch gave an answer that it shouldn't (40200)", id="credit"
            ),
            pytest.param(403, '{"errorCode": 40303}', "Sinch refuses our application (40303)", id="level"),
            pytest.param(404, "<html>", "Sinch gave an answer that it shouldn't (404)", id="not Sinch"),
            pytest.param(200, "<html>", "Sinch gives no usable answer", id="garbage"),
            pytest.param(503, "", "Sinch gives no usable answer", id="down"),
        ],
    )
    async def test_sinch_answers_otherwise(self, doctor: Doctor, status: int, body: str, words: str) -> None:
        async with served(Response(body, status)) as address:
            answer = await doctor(SINCH__BASE_URL=address)

        assert f"  {words}" in answer.stdout
        assert answer.returncode == (1 if status == 403 else 0)

    async def test_no_signing_keys(self, doctor: Doctor, tmp_path: Path) -> None:
        answer = await doctor(TOKENS__SIGNING_KEYS_DIR=str(tmp_path / "none"))

        assert "run `otp-auth keys generate`" in the_only_unsafe(answer)

    async def test_a_schema_that_is_behind(self, doctor: Doctor, tmp_path: Path) -> None:
        file = tmp_path / "empty.sqlite3"
        missing = await doctor(DATABASE_URL=sqlite_url(file))
        made = file.exists()
        file.touch()
        empty = await doctor(DATABASE_URL=sqlite_url(file))

        assert the_only_unsafe(missing) == the_only_unsafe(empty)
        assert the_only_unsafe(empty).endswith("run `otp-auth migrate`")
        assert not made

    async def test_a_database_that_is_away(self, doctor: Doctor) -> None:
        answer = await doctor(DATABASE_URL=f"postgresql+asyncpg://otp:visible@127.0.0.1:{free_port()}/otp")

        assert the_only_unsafe(answer).startswith("the database can't be used (")
        assert "visible" not in answer.stdout

    async def test_redis(self, doctor: Doctor, valkey: ValkeyServer) -> None:
        there = await doctor(REDIS_URL=valkey.url())
        away = await doctor(REDIS_URL=f"redis://:visible@127.0.0.1:{free_port()}/0")

        assert "Redis answers" in lines(there, "ok")
        assert the_only_unsafe(away).startswith("Redis can't be used (ConnectionError)")
        assert "visible" not in away.stdout

    async def test_settings_that_cant_be_read(self, doctor: Doctor) -> None:
        answer = await doctor(GUESSES__CODES_DAY="visible")

        commands.assert_refused(answer, "OTP_AUTH_GUESSES__CODES_DAY: Input should be a valid integer")


class TestOnAFolder:
    def test_that_nobody_serves(self, run: Run, tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
        DataFolder(tmp_path / "data").prepare()
        sqlite_template.copy_to(tmp_path / "data")
        generate_key(tmp_path / "data" / "keys")
        nobody = f"http://127.0.0.1:{free_port()}/sandbox"

        answer = run("doctor", "--data-dir", "data", cwd=tmp_path, OTP_AUTH_SINCH__BASE_URL=nobody)

        assert (answer.returncode, lines(answer, "unsafe")) == (0, [])
        assert lines(answer, "note")[0].startswith("Sinch gives no usable answer")

    def test_while_dev_serves_it(self, run: Run, tmp_path: Path) -> None:
        with running("dev", "--data-dir", "data", cwd=tmp_path) as server:
            sandbox = {"OTP_AUTH_SINCH__BASE_URL": f"{server.address}/sandbox"}
            answer = run("doctor", "--data-dir", "data", cwd=tmp_path, **sandbox)

        assert (answer.returncode, lines(answer, "unsafe")) == (0, [])
        assert "Sinch takes our application's key and secret" in lines(answer, "ok")

    def test_of_another_making(self, tmp_path: Path) -> None:
        answer = CliRunner().invoke(application, ["doctor", "--data-dir", str(tmp_path)])

        assert answer.exit_code == 1
        assert f"{tmp_path} was not made by `otp-auth dev`" in answer.output


def test_help() -> None:
    answer = CliRunner().invoke(application, ["doctor", "--help"])

    assert answer.exit_code == 0
    assert "on anything unsafe" in answer.output
