"""Zendesk's rate limits: one for the account, some per endpoint, one per user and ticket."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_sync.simulator.clock import SimulatorClock

MINUTE = 60.0


@dataclass(slots=True)
class Window:
    """A running window: calls made since `started` (unix seconds)."""

    started: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a limit after a call."""

    total: int
    remaining: int
    resets_s: int

    def header(self) -> str:
        return f"total={self.total}; remaining={self.remaining}; resets={self.resets_s}"


class RateLimiter:
    """Counts calls in fixed windows that start with their first call."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, Any], Window] = {}

    def clear(self) -> None:
        self._windows.clear()

    def hit(self, name: str, key: Any, total: int | None, seconds: float = MINUTE) -> Room | None:
        """Count one call; None when there is no limit.

        Raises:
            LimitReached: nothing is left in this window. The call is not counted.
        """
        if total is None:
            return None
        now = self._clock.unix()
        window = self._windows.get((name, key))
        if window is None or now - window.started >= seconds:
            window = self._windows[name, key] = Window(now)
            self._forget(now)
        resets_s = max(1, math.ceil(window.started + seconds - now))
        if window.used >= total:
            raise LimitReached(Room(total, 0, resets_s))
        window.used += 1
        return Room(total, total - window.used, resets_s)

    def _forget(self, now: float) -> None:
        if len(self._windows) > 10_000:
            self._windows = {key: w for key, w in self._windows.items() if now - w.started < 600}


class LimitReached(Exception):
    """A limit is used up; `room` says until when."""

    def __init__(self, room: Room) -> None:
        super().__init__("limit reached")
        self.room = room


def refused(room: Room, header: str | None, description: str) -> ApiError:
    """The 429 of a limit in JSON."""
    headers = {"Retry-After": str(room.resets_s)}
    if header:
        headers[header] = room.header()
    return ApiError(429, {"error": "APIRateLimitExceeded", "description": description}, headers)


def account_headers(room: Room | None) -> dict[str, str]:
    """The headers that every answer carries while the account has a limit."""
    if room is None:
        return {}
    total, left = str(room.total), str(room.remaining)
    return {"x-rate-limit": total, "x-rate-limit-remaining": left, "ratelimit-limit": total,
            "ratelimit-remaining": left, "ratelimit-reset": str(room.resets_s)}  # fmt: skip
