"""One simulated Sinch: what it remembers, how it plays, and whom it tells."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from otp_auth.simulator.background import Background
from otp_auth.simulator.events import Events
from otp_auth.simulator.records import Ending, Reason, Verification
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.store import Store
from otp_auth.simulator_settings import SimulatorSettings
from otp_auth.sinch.schemas import VerificationStatus

NewCode = Callable[[str], str]  # from an alphabet
EXPIRED = Ending(VerificationStatus.FAIL, Reason.EXPIRED)
CAPACITY_WINDOW = timedelta(minutes=1)
EXPIRY_EVERY = 1.0  # seconds between two looks for what has expired


class Simulation:
    """All state of one simulator. What it does between two awaits is atomic under asyncio."""

    def __init__(self, store: Store, settings: SimulatorSettings, new_code: NewCode, events: Events) -> None:
        self.store = store
        self.settings = settings
        self.new_code = new_code
        self.events = events
        self.background = Background()
        self._last_starts: deque[datetime] = deque()
        self._watches = False

    def end(self, verification: Verification, ending: Ending) -> Verification:
        """Write down how a verification ended, and tell. For open ones only, so that each is told once."""
        ended = verification.ended(ending, datetime.now(UTC))
        self.store.keep(ended)
        self.events.tell_result(ended)
        return ended

    def charge_start(self, now: datetime) -> None:
        """Count a start of the last minute. Raises RefusalError if there are too many of all numbers."""
        if not self.settings.starts_per_minute:
            return
        while self._last_starts and self._last_starts[0] <= now - CAPACITY_WINDOW:
            self._last_starts.popleft()
        if len(self._last_starts) >= self.settings.starts_per_minute:
            raise RefusalError(Refusal.CAPACITY)
        self._last_starts.append(now)

    def expire_due(self) -> None:
        """End what is open beyond its time. A running loop is needed where there is a callback URL."""
        for verification in self.store.pop_expired(datetime.now(UTC)):
            self.end(verification, EXPIRED)

    def watch(self) -> None:
        """From now on tell by itself what expires, if there is anybody to tell. Needs a running loop."""
        if self.events.callback_url and not self._watches:
            self._watches = True
            self.background.spawn(self._expire_for_ever())

    async def close(self) -> None:
        """End everything that goes on beside the requests."""
        await self.background.close()
        await self.events.close()

    async def _expire_for_ever(self) -> None:
        try:
            while True:
                self.expire_due()
                await asyncio.sleep(EXPIRY_EVERY)
        finally:
            self._watches = False
