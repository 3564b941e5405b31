"""What is counted, under which labels, and that the numbers of several workers add up."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from otp_auth import metrics

# A worker as uvicorn starts it: the folder stands in its environment before it imports anything. It counts
# for each line that it reads, and dies with its input.
WORKER = """
import sys
from otp_auth import metrics
metrics.set_breaker(True)
for line in sys.stdin:
    metrics.count_send("sms", "SE", "sent")
    metrics.count_event("result", "accepted")
    print(line, flush=True)
"""
TIMES = 25


def _series() -> dict[tuple[str, str], float]:
    """Every value there is, by its name and its labels."""
    return {
        (sample.name, ",".join(map("=".join, sorted(sample.labels.items())))): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def _gained(count: Callable[[], None]) -> dict[tuple[str, str], float]:
    before = _series()
    count()
    return {
        name: value - before.get(name, 0) for name, value in _series().items() if value != before.get(name)
    }


@pytest.mark.parametrize(
    ("count", "name", "labels"),
    [
        pytest.param(
            lambda: metrics.count_send("sms", "SE", "sent"),
            "otp_auth_sends_total",
            "country=SE,method=sms,outcome=sent",
            id="send",
        ),
        pytest.param(
            lambda: metrics.count_send("voice", "001", "unknown"),
            "otp_auth_sends_total",
            "country=001,method=voice,outcome=unknown",
            id="send to no country",
        ),
        pytest.param(
            lambda: metrics.count_send_refused("country_budget", watched=False),
            "otp_auth_sends_refused_total",
            "mode=refused,reason=country_budget",
            id="refused send",
        ),
        pytest.param(
            lambda: metrics.count_send_refused("block", watched=True),
            "otp_auth_sends_refused_total",
            "mode=watched,reason=block",
            id="watched send",
        ),
        pytest.param(
            lambda: metrics.count_verdict("we", "wrong"),
            "otp_auth_codes_judged_total",
            "maker=we,outcome=wrong",
            id="verdict",
        ),
        pytest.param(
            lambda: metrics.count_delivery("delivered"),
            "otp_auth_deliveries_total",
            "outcome=delivered",
            id="delivery",
        ),
        pytest.param(
            lambda: metrics.count_event("request", "refused"),
            "otp_auth_sinch_events_total",
            "event=request,outcome=refused",
            id="event",
        ),
        pytest.param(
            lambda: metrics.count_session_end("refresh_reuse"),
            "otp_auth_sessions_ended_total",
            "event=refresh_reuse",
            id="end of a session",
        ),
        pytest.param(
            lambda: metrics.count_device_end("device_theft"),
            "otp_auth_devices_ended_total",
            "event=device_theft",
            id="end of a device",
        ),
        pytest.param(
            lambda: metrics.count_outgoing("failed"),
            "otp_auth_outgoing_events_total",
            "outcome=failed",
            id="outgoing event",
        ),
    ],
)
def test_each_count_is_one_more_of_one_series(count: Callable[[], None], name: str, labels: str) -> None:
    assert _gained(count) == {(name, labels): 1}
    assert _gained(count) == {(name, labels): 1}


def test_the_breaker_is_open_or_shut() -> None:
    stands = []
    for is_open in (True, True, False):
        metrics.set_breaker(is_open)
        stands.append(_series()["otp_auth_sinch_breaker_open", ""])

    assert stands == [1, 1, 0]


@pytest.mark.parametrize(
    "text",
    [
        "+46701740605",
        "46701740605",
        "123456",
        "0190b3c4-7b1e-7000-8000-0123456789ab",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "198.51.100.1",
        "2001:db8::1",
        "WIKING",
        "se",
        "\u0661\u0662",
        "sms\n",
        'sms"} 1',
        "",
    ],
)
def test_what_is_no_word_of_ours_makes_no_label(text: str) -> None:
    other = ("otp_auth_sends_total", "country=other,method=sms,outcome=sent")

    assert _gained(lambda: metrics.count_send("sms", text, "sent")) == {other: 1}
    if text != "se":
        assert list(_gained(lambda: metrics.count_event(text, "refused")).values()) == [1]
        assert list(_gained(lambda: metrics.count_send_refused(text, watched=False)).values()) == [1]
        assert text not in {value for labels in _label_values() for value in labels}


def _label_values() -> Iterator[list[str]]:
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            yield list(sample.labels.values())


def test_the_text_is_what_prometheus_reads() -> None:
    metrics.count_delivery("failed")
    lines = metrics.exposition().decode().splitlines()

    assert metrics.CONTENT_TYPE.startswith("text/plain; version=0.0.4")
    assert "# TYPE otp_auth_deliveries_total counter" in lines
    assert "# TYPE otp_auth_sinch_breaker_open gauge" in lines
    assert not [line for line in lines if "_created" in line]


@contextmanager
def _worker(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {metrics.FOLDER: str(folder)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _let_count(worker: "subprocess.Popen[str]", times: int) -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None
    for number in range(times):
        print(number, file=worker.stdin, flush=True)
        assert worker.stdout.readline() == f"{number}\n"
        worker.stdout.readline()


def _end(worker: "subprocess.Popen[str]") -> None:
    worker.kill()
    worker.wait(30)


def _totals() -> tuple[float, float, float]:
    series = _series()
    return (
        series["otp_auth_sends_total", "country=SE,method=sms,outcome=sent"],
        series["otp_auth_sinch_events_total", "event=result,outcome=accepted"],
        series["otp_auth_sinch_breaker_open", ""],
    )


def test_the_numbers_of_workers_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))

    with _worker(tmp_path) as one, _worker(tmp_path) as other:
        _let_count(one, TIMES)
        _let_count(other, 2 * TIMES)
        both = _totals()
        _end(one)
        with _worker(tmp_path) as successor:
            _let_count(successor, 1)
            later = _totals()

    # Nothing that was counted is lost with its worker; a breaker that stood open is gone with it.
    assert [both, later] == [(3 * TIMES, 3 * TIMES, 2), (3 * TIMES + 1, 3 * TIMES + 1, 2)]


def test_without_the_guard_a_dead_worker_would_stand_open_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    monkeypatch.setattr(metrics, "_is_alive", lambda _pid: True)

    with _worker(tmp_path) as worker:
        _let_count(worker, 1)
        _end(worker)

    assert _totals() == (1, 1, 1)
    monkeypatch.undo()
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    assert ("otp_auth_sinch_breaker_open", "") not in _series()


def test_a_folder_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))

    assert metrics.exposition() == b""


def test_the_folder_lives_as_long_as_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.FOLDER, raising=False)

    modes: dict[Path, int] = {}

    def serve() -> None:
        with metrics.shared_by_workers(2):
            folder = Path(os.environ[metrics.FOLDER])
            (folder / "counter_1.db").touch()
            modes[folder] = folder.stat().st_mode & 0o777
            sys.exit(0)  # as uvicorn's runner ends

    with pytest.raises(SystemExit):
        serve()

    assert [(mode, folder.exists()) for folder, mode in modes.items()] == [(0o700, False)]
    assert metrics.FOLDER not in os.environ


def test_one_worker_counts_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.FOLDER, raising=False)

    with metrics.shared_by_workers(1):
        assert metrics.FOLDER not in os.environ
