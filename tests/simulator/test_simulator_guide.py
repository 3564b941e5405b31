"""The guide does what it says: its commands run, its tables are complete."""

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from typing import Any, get_args

import simulator_guide as guide
from simulator_client import KEY, SECRET

from otp_auth.simulator import controls, inbox, stream
from otp_auth.simulator.faults import Fault
from otp_auth.simulator.numbers import NUMBERS
from otp_auth.simulator.refusals import MESSAGES
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.schemas import VerificationStatus
from support.simulator import running_simulator

WALK_TIMEOUT = 60


async def _walk(address: str) -> list[Any]:
    """Run all examples in one shell, as somebody who pastes them; return the JSON they print."""
    script = guide.commands().replace(guide.ADDRESS, address)
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, stdout=PIPE, stderr=STDOUT, env={"PATH": os.environ["PATH"]}
    )
    async with asyncio.timeout(WALK_TIMEOUT):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return [json.loads(line) for line in output.decode().splitlines() if line]


async def test_its_commands_run() -> None:
    async with running_simulator() as running:
        wrong, right, state, messages, stats, numbers, *rest = await _walk(running.base_url)

    assert (wrong["errorCode"], right["status"], state["price"]) == (
        40003,
        "SUCCESSFUL",
        {"verificationPrice": {"currencyId": "EUR", "amount": 0.0453}},
    )
    assert ([message["to"] for message in messages], stats["starts"]) == (["+46701740605"], 1)
    assert len(numbers) == len(NUMBERS)
    fault, too_soon, _, slow, _, in_force, ended, call, _, denied, events = rest
    assert (fault["value"], too_soon["errorCode"], slow["method"]) == (42901, 42901, "sms")
    assert [one["on"] for one in in_force] == ["report"]
    assert (ended["status"], call["callResult"]) == ("FAIL", "NO_ANSWER")
    assert call["reason"] == "Hung up without entering valid code"
    assert (denied["status"], denied["reason"], events) == ("DENIED", "Fraud", [])


def test_its_pair_is_the_one_of_the_tests() -> None:
    assert f"{KEY}:{SECRET}" in guide.TEXT


def test_the_numbers_are_complete() -> None:
    listed = [
        [cell.strip("`") for cell in row] for row in guide.rows("Numbers with a behaviour of their own")
    ]

    assert listed == [[built_in.number, built_in.behaviour, built_in.description] for built_in in NUMBERS]


def test_the_faults_are_complete() -> None:
    kinds = get_args(Fault.model_fields["kind"].annotation)

    assert [row[0].strip("`") for row in guide.rows("Faults")] == list(kinds)


def test_every_error_code_is_named_and_no_other() -> None:
    section = guide.TEXT.partition("## Errors")[2].partition("## Sinch's SDKs")[0]

    assert {int(code) for code in re.findall(r"`(\d{5})`", section)} == set(MESSAGES)


def test_the_endings_are_those_that_there_are() -> None:
    listed = {row[0].strip("`") for row in guide.rows("Endings")}

    assert listed == set(VerificationStatus) - {"PENDING", "SUCCESSFUL"}


def test_every_control_is_there() -> None:
    listed = re.findall(
        r"`((?:GET|PUT|DELETE) /[a-z]*)", str(guide.rows("Beside Sinch's API")).replace("?", "`")
    )
    routes = [route for part in (inbox, stream, controls) for route in part.router.routes]
    ours = {f"{method} {route.path}" for route in routes for method in route.methods}

    assert set(listed) == {name for name in ours if "." not in name}  # those are parts of the page


def test_the_settings_are_complete() -> None:
    named = {name.lower() for name in re.findall(r"OTP_AUTH_SIMULATOR__([A-Z_]+)", guide.TEXT)}

    assert named == set(SimulatorSettings.model_fields)
