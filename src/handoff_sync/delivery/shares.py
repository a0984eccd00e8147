"""Who may have how many of a process's threads, so that a place which hangs takes none from the others.

A place is where a lane's work goes: a connection, a callback endpoint, the mail server. A place that answers may have
all threads but a few, which are kept for the others. One that has been seen to hang may have few, and all such places
together no more than half.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

SLOW_S: Final = 3.0
"""A lane that takes longer may have met a place that hangs; one alone may as well be carrying a large file."""


def spare(threads: int) -> int:
    """How many threads a process has beyond those that one place may fill."""
    return max(1, threads // 4)


class Turn(Enum):
    """What a lane may do. BUSY: the place has all that it may have, so wait for one to end. SLOW: come back later."""

    NOW = auto()
    BUSY = auto()
    SLOW = auto()


class Shares:
    """The running lanes of one process by place. `threads` is the most that one place may have."""

    def __init__(self, threads: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = threads
        self._few = max(1, threads // 4)
        self._half = max(self._few, threads // 2)
        self._monotonic = monotonic
        self._running: dict[str, dict[str, float]] = {}
        self._waiting: dict[str, dict[str, None]] = {}
        self._slow: set[str] = set()
        self._lock = threading.Lock()

    @property
    def crowded(self) -> bool:
        """Whether some place has all that it may have. A hint: it costs no lock."""
        return any(len(lanes) >= self._most for lanes in tuple(self._running.values()))

    def enter(self, place: str, lane: str) -> Turn:
        """Counts the lane as running when its turn is NOW; then `leave` must follow."""
        with self._lock:
            running = self._running.get(place, {})
            if self._hangs(place):
                slow = sum(len(lanes) for name, lanes in self._running.items() if self._hangs(name))
                if len(running) >= self._few or slow >= self._half:
                    return Turn.SLOW
            elif len(running) >= self._most:
                return Turn.BUSY
            self._running.setdefault(place, {})[lane] = self._monotonic()
            return Turn.NOW

    def queue(self, place: str, lane: str) -> bool:
        """Remembers a lane for when a running one of its busy place ends; false where the place is not busy (now)."""
        with self._lock:
            if len(self._running.get(place, ())) < self._most or self._hangs(place):
                return False
            self._waiting.setdefault(place, {})[lane] = None
            return True

    def leave(self, place: str, lane: str, *, worked: bool) -> None:
        """The lane has ended. `worked`: the place did what was asked; only that proves that it hangs no more."""
        with self._lock:
            took = self._monotonic() - self._running[place].pop(lane)
            if worked:
                self._slow.discard(place)
            elif took > SLOW_S:
                self._slow.add(place)
            if self._hangs(place):
                self._waiting.pop(place, None)  # they are due still; whoever finds them lets them come back later
            self._forget(place)

    def following(self, place: str) -> str | None:
        """The lane that has waited longest for the place, if there is room for it now. It waits no more."""
        with self._lock:
            waiting = self._waiting.get(place)
            if not waiting or len(self._running.get(place, ())) >= self._most:
                return None
            lane = next(iter(waiting))
            del waiting[lane]
            self._forget(place)
            return lane

    def _hangs(self, place: str) -> bool:
        if place in self._slow:
            return True
        now = self._monotonic()
        long = sum(now - since > SLOW_S for since in self._running.get(place, {}).values())
        return long >= self._few

    def _forget(self, place: str) -> None:
        """Places come and go; what is not remembered of them costs nothing."""
        for kept in (self._running, self._waiting):
            if not kept.get(place):
                kept.pop(place, None)
