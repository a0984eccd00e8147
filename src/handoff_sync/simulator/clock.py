"""The clock of a simulated helpdesk: real time, plus what somebody moved it forward by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SimulatorClock:
    """Aware UTC time. Moving it forward makes limits refill, keys expire and waiting webhooks due. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._offset

    def unix(self) -> float:
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: `seconds` is negative; tickets would change before they were made.
        """
        if seconds < 0:
            raise ValueError(f"The clock only moves forward; {seconds} s is negative.")
        with self._lock:
            self._offset += timedelta(seconds=seconds)
        for listener in list(self._listeners):
            listener()

    def reset(self) -> None:
        """Back to real time. Only together with a reset of everything that remembers times."""
        with self._lock:
            self._offset = timedelta()

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each `advance`, on the thread that advanced."""
        self._listeners.append(listener)
