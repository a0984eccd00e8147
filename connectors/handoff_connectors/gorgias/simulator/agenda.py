"""What the account does by itself later: mails go out, snoozes end, tickets are merged."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import datetime

from handoff_sync.simulator.clock import SimulatorClock


class Agenda:
    """Actions by due time, run by a thread of its own, and at once when the clock is moved. Holds `lock` meanwhile."""

    def __init__(self, clock: SimulatorClock, lock: threading.RLock) -> None:
        self._clock, self._lock = clock, lock
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._thread: threading.Thread | None = None
        self._generation = 0
        clock.on_advance(self.run_due)

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._due, (when.timestamp(), next(self._order), action))
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._due.clear()

    def run_due(self) -> None:
        """Do everything whose time has come, in order."""
        with self._lock:
            while (action := self._pop()) is not None:
                action()
        with self._changed:
            self._changed.notify_all()

    def start(self) -> None:
        if self._thread is None:
            self._generation += 1
            self._thread = threading.Thread(target=self._work, args=(self._generation,), name="agenda", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Nothing happens by itself until the next `start`, except when the clock is moved or the API is called."""
        with self._changed:
            self._generation += 1
            self._thread = None
            self._changed.notify_all()

    def _pop(self) -> Callable[[], None] | None:
        with self._changed:
            if self._due and self._due[0][0] <= self._clock.unix():
                return heapq.heappop(self._due)[2]
        return None

    def _work(self, generation: int) -> None:
        while self._wait(generation):
            self.run_due()

    def _wait(self, generation: int) -> bool:
        """Wait until something is due; False when the agenda was stopped."""
        with self._changed:
            while generation == self._generation:
                wait_s = self._due[0][0] - self._clock.unix() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    return True
                self._changed.wait(wait_s)
        return False
