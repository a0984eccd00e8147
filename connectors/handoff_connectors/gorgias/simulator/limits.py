"""Gorgias' rate limit: one leaky bucket per account and kind of sign-in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from handoff_connectors.gorgias.simulator import api_errors
from handoff_sync.simulator.clock import SimulatorClock

HEADER = "X-Gorgias-Account-Api-Call-Limit"


@dataclass(slots=True)
class Bucket:
    """`level` calls were in it at `at` (unix seconds)."""

    level: float
    at: float


class RateLimiter:
    """A bucket of `total` calls drains evenly within `window_s`."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def clear(self) -> None:
        self._buckets.clear()

    def hit(self, name: str, total: int | None, window_s: float) -> dict[str, str]:
        """Count one call; the headers that say how full the bucket is.

        Raises:
            ApiError: 429 with the seconds until one call fits again. The call is not counted.
        """
        if total is None:
            return {}
        rate, now = total / window_s, self._clock.unix()
        bucket = self._buckets.setdefault(name, Bucket(0.0, now))
        bucket.level, bucket.at = max(0.0, bucket.level - (now - bucket.at) * rate), now
        if bucket.level + 1 > total:
            wait_s = max(1, math.ceil((bucket.level + 1 - total) / rate))
            raise api_errors.too_many(wait_s, {HEADER: f"{total}/{total}"})
        bucket.level += 1
        return {HEADER: f"{math.ceil(bucket.level)}/{total}"}
