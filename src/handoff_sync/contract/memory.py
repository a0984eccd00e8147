"""What one process remembers of a connection for a while. Nothing depends on it but the number of calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

REMEMBERED_S: Final = 600.0
_MOST: Final = 5000

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A bounded memory in which everything is forgotten after `lasting_s`. Thread-safe."""

    def __init__(self, lasting_s: float = REMEMBERED_S, now: Callable[[], float] | None = None) -> None:
        self._lasting_s = lasting_s
        self._now = now or time.monotonic
        self._lock = threading.Lock()
        self._known: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        with self._lock:
            value, until = self._known.get(key, (None, 0.0))
            return value if self._now() < until else None

    def put(self, key: K, value: V) -> None:
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (value, self._now() + self._lasting_s)

    def forget(self, key: K) -> None:
        with self._lock:
            self._known.pop(key, None)
