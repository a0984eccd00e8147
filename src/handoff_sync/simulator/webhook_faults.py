"""What shall go wrong with the next webhooks: lost, doubled, late, out of order, or held back altogether."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from handoff_sync.simulator.webhooks import Outgoing

REORDER_GAP_S: Final = 0.1


class WebhookFaults:
    """Counters that each webhook uses up by one. `paused`: nothing leaves until `resume`. Thread-safe."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._wake = wake
        self._lose = self._double = self._late = self._reorder = 0
        self._late_s = 0.0
        self._held: list[Outgoing] = []
        self._lost_ids: list[str] = []
        self.paused = False

    @property
    def held(self) -> int:
        """Webhooks that wait for the others of their reordering."""
        return len(self._held)

    @property
    def lost(self) -> tuple[str, ...]:
        """Ids of the webhooks that were lost on demand."""
        return tuple(self._lost_ids)

    def lose(self, count: int = 1) -> None:
        self._lose += count

    def double(self, count: int = 1) -> None:
        self._double += count

    def delay(self, seconds: float, count: int = 1) -> None:
        self._late, self._late_s = self._late + count, seconds

    def reorder(self, count: int = 2) -> None:
        """Hold the next `count` webhooks back, then send them newest first."""
        self._reorder = count

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self._wake()

    def clear(self) -> None:
        with self._lock:
            self._lose = self._double = self._late = self._reorder = 0
            self._held.clear()
            self._lost_ids.clear()
        self.resume()

    def set_json(self, wanted: dict[str, Any]) -> None:
        """Take over {"lose": n, "double": n, "late": {"count": n, "seconds": s}, "reorder": n, "paused": bool}.

        Raises:
            ValueError: a key is unknown.
        """
        if unknown := sorted(set(wanted) - {"lose", "double", "late", "reorder", "paused"}):
            raise ValueError(f"Unknown {', '.join(unknown)}; known: lose, double, late, reorder, paused.")
        self.lose(int(wanted.get("lose", 0)))
        self.double(int(wanted.get("double", 0)))
        if late := wanted.get("late"):
            self.delay(float(late["seconds"]), int(late.get("count", 1)))
        if wanted.get("reorder"):
            self.reorder(int(wanted["reorder"]))
        if "paused" in wanted:
            (self.pause if wanted["paused"] else self.resume)()

    def plan(self, outgoing: Outgoing) -> list[tuple[float, Outgoing]]:
        """What to send now instead of `outgoing`, each with seconds to wait."""
        with self._lock:
            if self._lose > 0:
                self._lose -= 1
                self._lost_ids.append(outgoing.id)
                return []
            if self._reorder > 0:
                return self._hold(outgoing)
            if self._double > 0:
                self._double -= 1
                return [(0.0, outgoing), (0.0, outgoing)]
            if self._late > 0:
                self._late -= 1
                return [(self._late_s, outgoing)]
        return [(0.0, outgoing)]

    def was_lost(self, outgoing: Outgoing) -> bool:
        return bool(self._lost_ids) and self._lost_ids[-1] == outgoing.id

    def _hold(self, outgoing: Outgoing) -> list[tuple[float, Outgoing]]:
        self._held.append(outgoing)
        self._reorder -= 1
        if self._reorder > 0:
            return []
        held, self._held = self._held[::-1], []
        return [(place * REORDER_GAP_S, waiting) for place, waiting in enumerate(held)]
