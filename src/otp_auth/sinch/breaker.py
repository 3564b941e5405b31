"""Stops asking Sinch while it is down, so that callers hear so at once instead of waiting for a timeout."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loguru import logger

from otp_auth import metrics
from otp_auth.settings import SinchSettings

Clock = Callable[[], float]  # seconds since some moment; never goes back


@dataclass
class Call:
    """A call that was let through."""

    began_at: float
    is_probe: bool
    was_answered: bool | None = None  # None: it was broken off, which says nothing about Sinch


class Breaker:
    """Opens after some failures within a window. Then it lets single probes through, until one is answered.

    It lives in one event loop: nothing here waits, so nothing comes between a look and a change.
    """

    def __init__(self, settings: SinchSettings, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._window = settings.breaker_window.total_seconds()
        self._probe_gap = settings.breaker_probe.total_seconds()
        self._failures: deque[float] = deque(maxlen=settings.breaker_failures)
        self._next_probe_at: float | None = None  # None: closed
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        return self._next_probe_at is not None

    @property
    def lets_through(self) -> bool:
        """Closed, or open and a probe is due."""
        if self._next_probe_at is None:
            return True
        return not self._is_probing and self._clock() >= self._next_probe_at

    @contextmanager
    def call(self) -> Iterator[Call | None]:
        """Let one call through, or none: then None. The caller writes into it whether Sinch answered."""
        if not self.lets_through:
            yield None
            return
        call = Call(self._clock(), is_probe=self.is_open)
        self._is_probing |= call.is_probe
        try:
            yield call
        finally:
            if call.is_probe:
                self._is_probing = False
            self._count(call)

    def _count(self, call: Call) -> None:
        if call.was_answered:
            self._close()
        elif call.was_answered is False:
            self._fail(call)

    def _close(self) -> None:
        if self.is_open:
            logger.info("Sinch answers again")
            metrics.set_breaker(False)
            self._failures.clear()
            self._next_probe_at = None

    def _fail(self, call: Call) -> None:
        if self.is_open:
            if call.is_probe:
                self._next_probe_at = call.began_at + self._probe_gap
            return
        now = self._clock()
        self._failures.append(now)
        if len(self._failures) == self._failures.maxlen and now - self._failures[0] <= self._window:
            logger.error("Sinch is down and not asked, but for probes", failures=len(self._failures))
            metrics.set_breaker(True)
            self._next_probe_at = now + self._probe_gap
