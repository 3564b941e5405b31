"""What operators watch, in Prometheus' words. Labels are words of ours: never a number, an address or an id.

Several workers share a folder (`shared_by_workers`), which their environment names before they import this:
each writes its own files, and whoever is asked adds them up. One worker counts in memory.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
OTHER = "other"  # in place of what is no word, so that a mistake can't make labels without end

EventOutcome = Literal["accepted", "ignored", "refused"]

_WORD = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,3}")
_COUNTRY = re.compile(r"[A-Z]{2}|001")  # 001: of no country
_LIVE_GAUGES = re.compile(r"gauge_live[a-z]+_([0-9]+)\.db")

disable_created_metrics()  # type: ignore[no-untyped-call] # moments of creation, which nobody can add up
_REGISTRY = CollectorRegistry()
_SENDS = Counter(
    "otp_auth_sends",
    "Messages that Sinch was asked to send.",
    ("method", "country", "outcome"),
    registry=_REGISTRY,
)
_SENDS_REFUSED = Counter(
    "otp_auth_sends_refused",
    "Reasons against messages: each one counts that stood against one. Watched ones went out all the same.",
    ("reason", "mode"),
    registry=_REGISTRY,
)
_VERDICTS = Counter(
    "otp_auth_codes_judged",
    "Codes that were judged, by their maker.",
    ("maker", "outcome"),
    registry=_REGISTRY,
)
_DELIVERIES = Counter(
    "otp_auth_deliveries", "What became of messages that Sinch took.", ("outcome",), registry=_REGISTRY
)
_EVENTS = Counter("otp_auth_sinch_events", "Callbacks of Sinch.", ("event", "outcome"), registry=_REGISTRY)
_SESSIONS_ENDED = Counter(
    "otp_auth_sessions_ended",
    "Sessions that were ended before their time; `refresh_reuse` is a stolen refresh token.",
    ("event",),
    registry=_REGISTRY,
)
_DEVICES_ENDED = Counter(
    "otp_auth_devices_ended",
    "Trusted devices that were ended before their time; `device_theft` is a stolen token of one.",
    ("event",),
    registry=_REGISTRY,
)
_OUTGOING = Counter(
    "otp_auth_outgoing_events",
    "Tries to send an event to the application: `dropped` ones are lost to it.",
    ("outcome",),
    registry=_REGISTRY,
)
_OUTGOING_BACKLOG = Gauge(
    "otp_auth_outgoing_backlog",
    "Events that the application has yet to take.",
    registry=_REGISTRY,
    multiprocess_mode="livemostrecent",
)
_BREAKER = Gauge(
    "otp_auth_sinch_breaker_open",
    "Workers that don't ask Sinch now, because it failed too often.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)


def count_send(method: str, country: str, outcome: str) -> None:
    """Count a start: `sent`, `failed`, or `unknown` where the answer got lost."""
    _SENDS.labels(_word(method), country if _COUNTRY.fullmatch(country) else OTHER, _word(outcome)).inc()


def count_send_refused(reason: str, *, watched: bool) -> None:
    """Count one reason against a message; `watched`: the shield only looks on."""
    _SENDS_REFUSED.labels(_word(reason), "watched" if watched else "refused").inc()


def count_verdict(maker: str, outcome: str) -> None:
    """Count a judged code, by who made it: `we` or `sinch`."""
    _VERDICTS.labels(_word(maker), _word(outcome)).inc()


def count_delivery(outcome: str) -> None:
    """Count news of a message that Sinch took, such as `delivered` or `failed`."""
    _DELIVERIES.labels(_word(outcome)).inc()


def count_event(event: str, outcome: EventOutcome) -> None:
    """Count a callback. The event is a word of ours: what a stranger writes there is his to choose."""
    _EVENTS.labels(_word(event), outcome).inc()


def count_session_end(event: str) -> None:
    """Count a session that was ended, by the event that the audit trail has for it."""
    _SESSIONS_ENDED.labels(_word(event)).inc()


def count_device_end(event: str) -> None:
    """Count a trusted device that was ended, by the event that the audit trail has for it."""
    _DEVICES_ENDED.labels(_word(event)).inc()


def count_outgoing(outcome: Literal["delivered", "failed", "dropped"]) -> None:
    """Count a try to send an event to the application."""
    _OUTGOING.labels(outcome).inc()


def set_outgoing_backlog(events: int) -> None:
    """Say how many events wait, over all workers."""
    _OUTGOING_BACKLOG.set(events)


def set_breaker(is_open: bool) -> None:
    """Say how the circuit breaker of this worker stands."""
    _BREAKER.set(is_open)


def exposition() -> bytes:
    """Everything counted so far, by all workers, in Prometheus' text format 0.0.4. Reads files."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return generate_latest(_REGISTRY)
    _forget_dead_workers(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@contextmanager
def shared_by_workers(workers: int) -> Iterator[None]:
    """Lend the workers that are started within the block a folder to count in. One alone needs none."""
    if workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="otp-auth-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else OTHER


def _forget_dead_workers(folder: Path) -> None:
    """What a dead worker has counted stays; how it stood doesn't."""
    for file in folder.glob("gauge_live*"):
        named = _LIVE_GAUGES.fullmatch(file.name)
        if named and not _is_alive(int(named[1])):
            file.unlink(missing_ok=True)  # another worker may be faster


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # alive, and not ours
        return True
    return True
