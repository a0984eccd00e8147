"""Intercom's rate limits: a number per minute, spread over windows of 10 seconds that all begin at full tens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from handoff_sync.simulator.clock import SimulatorClock

WINDOW_S: Final = 10
WINDOWS_PER_MINUTE: Final = 6


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a limit in this window. `reset_at`: its end in Unix seconds."""

    limit: int
    remaining: int
    reset_at: int

    def headers(self) -> dict[str, str]:
        return {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(self.remaining),
                "X-RateLimit-Reset": str(self.reset_at)}  # fmt: skip


class LimitReached(Exception):
    """A limit is used up; `room` says until when."""

    def __init__(self, room: Room) -> None:
        super().__init__("limit reached")
        self.room = room


class RateLimiter:
    """Counts calls per window."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._used: dict[tuple[str, int], int] = {}

    def clear(self) -> None:
        self._used.clear()

    def hit(self, name: str, per_minute: int | None) -> Room | None:
        """Count one call; None when there is no limit.

        Raises:
            LimitReached: nothing is left in this window. The call is not counted.
        """
        if per_minute is None:
            return None
        limit, window = math.ceil(per_minute / WINDOWS_PER_MINUTE), int(self._clock.unix()) // WINDOW_S
        used, reset_at = self._used.get((name, window), 0), (window + 1) * WINDOW_S
        if used >= limit:
            raise LimitReached(Room(limit, 0, reset_at))
        if used == 0:
            self._used = {key: count for key, count in self._used.items() if key[1] >= window}
        self._used[name, window] = used + 1
        return Room(limit, limit - used - 1, reset_at)
