"""When to try again. Pure: the caller brings the time and the chance (a number in [0, 1))."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

SHORTEST_S: Final = 5.0
LONGEST_S: Final = 3600.0
MAX_ATTEMPTS: Final = 12

CALLBACK_WAITS_S: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Waits after the first, second … failed try of a callback; the first try is at once. About 27.6 hours in all."""

CALLBACK_TRIES: Final = len(CALLBACK_WAITS_S) + 1
_CALLBACK_SPREAD: Final = 0.2


def next_attempt(attempts: int, now: datetime, *, chance: float, retry_after_s: float | None = None) -> datetime | None:
    """When to try a delivery again, or None to park it.

    Args:
        attempts: Attempts made so far; 1 after the first failure.
        now: Aware UTC.
        chance: In [0, 1), new for each call: callers that failed together must not come back together.
        retry_after_s: What the vendor asked for: a lower bound, but never more than an hour.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return now + timedelta(seconds=wait_s(attempts, chance=chance, retry_after_s=retry_after_s))


def wait_s(attempts: int, *, chance: float, retry_after_s: float | None = None) -> float:
    """Seconds until the next attempt: anything up to a ceiling that doubles with each failure (full jitter)."""
    # The exponent is bounded for its own sake: 2.0 ** 1100 overflows.
    ceiling = min(LONGEST_S, SHORTEST_S * 2.0 ** min(max(attempts, 1), 20))
    asked = min(retry_after_s or 0.0, LONGEST_S)
    return max(SHORTEST_S, chance * ceiling, asked)


def next_callback(tries: int, now: datetime, *, chance: float) -> datetime | None:
    """When to try a callback again after `tries` failed tries (at least 1); None when all are used up."""
    if tries >= CALLBACK_TRIES:
        return None
    spread = 1.0 + _CALLBACK_SPREAD * (2.0 * chance - 1.0)
    return now + timedelta(seconds=CALLBACK_WAITS_S[max(tries, 1) - 1] * spread)
