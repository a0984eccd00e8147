"""When a helpdesk fails again and again, leave it alone for a while (reliability.md section 4)."""

from __future__ import annotations

import threading
from collections import deque

WINDOW = 20
MIN_CALLS = 10
FAILED_SHARE = 0.5
OPEN_S = 60.0


class Breaker:
    """Counts the last calls of one connection in this process; what it decides is shared through the connection row."""

    def __init__(self) -> None:
        self._calls: deque[bool] = deque(maxlen=WINDOW)
        self._probing = False
        self._lock = threading.Lock()

    def worked(self) -> None:
        with self._lock:
            if self._probing:
                self._calls.clear()
                self._probing = False
            self._calls.append(True)

    def failed(self) -> bool:
        """Whether the connection should now be paused for `OPEN_S`. After such a pause one failure is enough."""
        with self._lock:
            self._calls.append(False)
            share = self._calls.count(False) / len(self._calls)
            self._probing = self._probing or (len(self._calls) >= MIN_CALLS and share >= FAILED_SHARE)
            return self._probing
