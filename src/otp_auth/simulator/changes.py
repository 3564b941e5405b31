"""Who watches the simulator hears that something is different now, not what."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Needs a running loop only where somebody watches."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()

    def tell(self) -> None:
        """Wake everybody who watches."""
        for changed in self._watchers:
            changed.set()

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Return an event that each change sets until the block ends; whoever waits for it clears it."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            yield changed
        finally:
            self._watchers.discard(changed)

    @property
    def is_watched(self) -> bool:
        return bool(self._watchers)
