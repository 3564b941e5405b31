import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import simulator_fixtures as fixtures
import time_machine
from simulator_client import CODE, NUMBER, OTHER_NUMBER, WRONG, Simulator, assert_refused

clock, simulator, simulators = fixtures.clock, fixtures.simulator, fixtures.simulators

Simulators = Callable[..., Simulator]


def _change(journal: Path, change: Callable[[bytes], bytes]) -> None:
    journal.write_bytes(change(journal.read_bytes()))


def _lines(journal: Path) -> list[bytes]:
    return journal.read_bytes().splitlines()


def _neighbours(journal: Path) -> list[str]:
    return [path.name for path in journal.parent.iterdir()]


def _mode(journal: Path) -> int:
    return stat.S_IMODE(journal.stat().st_mode)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "simulator.jsonl"


async def test_a_restart_keeps_everything(simulators: Simulators, journal: Path) -> None:
    before = simulators(journal=journal)
    aborted = await before.open(reference="one")
    still_open = await before.open()
    successful = await before.open(OTHER_NUMBER)
    for _ in range(2):
        await before.report(still_open, WRONG)
    await before.report(successful)
    messages, counters = await before.get("/messages"), await before.get("/stats")

    after = simulators(journal=journal)

    assert await after.get("/messages") == messages
    assert await after.get("/stats") == counters
    assert (await after.status(aborted))["status"] == "ABORTED"
    assert (await after.call("GET", f"/sms/number/{NUMBER}")).json()["id"] == still_open
    assert_refused(await after.start(reference="one"), 40900)
    assert_refused(await after.report(successful), 40003)
    assert (await after.report(still_open, WRONG)).json()["reason"] == "Invalid code"  # the third


async def test_a_restart_makes_no_price_come_earlier(
    simulators: Simulators, journal: Path, clock: time_machine.Traveller
) -> None:
    before = simulators(journal=journal, price_delay=20)
    verification_id = await before.open("+46701740610", "callout")  # busy
    charged = await before.open()
    clock.shift(30)
    await before.report(charged)

    after = simulators(journal=journal, price_delay=20)
    clock.shift(19.9)

    assert (await after.status(verification_id))["callResult"] == "BUSY"
    assert "price" not in await after.status(charged)
    clock.shift(0.1)
    assert "price" in await after.status(charged)


async def test_what_an_older_version_wrote_down_has_its_price(simulators: Simulators, journal: Path) -> None:
    before = simulators(journal=journal)
    verification_id = await before.open()
    await before.report(verification_id)
    ended_at = rb',\\"ended_at\\":(?:null|\\"[^"]*\\"),\\"call_result\\":null'
    _change(journal, lambda content: re.sub(ended_at, b"", content))
    assert b"ended_at" not in b"".join(_lines(journal))

    state = await simulators(journal=journal).status(verification_id)

    assert (state["status"], "price" in state) == ("SUCCESSFUL", True)


async def test_a_late_change_does_not_make_a_verification_the_newest(
    simulators: Simulators, journal: Path, clock: time_machine.Traveller
) -> None:
    before = simulators(journal=journal)
    await before.open()
    clock.shift(1)
    newest = await before.open()  # the first is aborted, so written again
    for _ in range(2):
        before = simulators(journal=journal)

    assert (await before.call("GET", f"/sms/number/{NUMBER}")).json()["id"] == newest
    assert (await before.report("", CODE, path=f"/number/{NUMBER}")).json()["id"] == newest


async def test_an_emptied_inbox_stays_empty(simulators: Simulators, journal: Path) -> None:
    before = simulators(journal=journal)
    await before.open()
    await before.http.delete("/messages")
    await before.open(OTHER_NUMBER)

    after = simulators(journal=journal)

    assert [message["to"] for message in await after.get("/messages")] == [OTHER_NUMBER]


async def test_a_line_cut_short_is_not_there(simulators: Simulators, journal: Path) -> None:
    before = simulators(journal=journal)
    verification_id = await before.open()
    await before.report(verification_id)
    _change(journal, lambda content: content[:-20])  # the success

    after = simulators(journal=journal)
    second = await after.open(OTHER_NUMBER)
    again = simulators(journal=journal)

    assert (await after.status(verification_id))["status"] == "PENDING"
    assert (await again.status(second))["status"] == "PENDING"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[]", id="no entry"),
        pytest.param(b'{"kind": "verification", "id": "x", "record": "{}"}', id="of another version"),
        pytest.param(b'{"kind": "pigeon", "id": "x", "record": "{}"}', id="of an unknown kind"),
    ],
)
async def test_what_cannot_be_read_is_passed_over(simulators: Simulators, journal: Path, line: bytes) -> None:
    verification_id = await simulators(journal=journal).open()
    _change(journal, lambda content: line + b"\n" + content)

    assert (await simulators(journal=journal).status(verification_id))["status"] == "PENDING"
    assert line not in _lines(journal)


async def test_a_restart_compacts(simulators: Simulators, journal: Path) -> None:
    simulator = simulators(journal=journal)
    verification_id = await simulator.open()
    for code in (WRONG, WRONG, CODE):
        await simulator.report(verification_id, code)
    simulators(journal=journal)

    # The verification, its message, and three counters: all, the number's, the verification's.
    assert len(_lines(journal)) == 5
    assert _neighbours(journal) == [journal.name]


async def test_only_the_owner_may_read_it(simulators: Simulators, journal: Path) -> None:
    simulator = simulators(journal=journal)
    assert _mode(journal) == 0o600
    await simulator.open()

    assert _mode(journal) == 0o600


def test_a_readable_journal_becomes_private(simulators: Simulators, journal: Path) -> None:
    simulators(journal=journal)
    journal.chmod(0o644)
    simulators(journal=journal)

    assert _mode(journal) == 0o600
